//! Variables in objects.

use rstest::rstest;

use super::{Report, substitute};
use crate::flux::variables::Variables;
use crate::yaml::{Limits, parse};
use crate::{FileId, Node};

fn read(text: &str) -> Node {
    parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default()).documents.remove(0)
}

fn variables() -> Variables {
    let mut variables = Variables::default();
    variables.extend(Some(&read("{n: '3', on: 'true', name: shop, list: '[a, b]', quote: '\"'}")));
    variables
}

#[track_caller]
fn check(object: &str, expected: &str) -> Report {
    let mut object = read(object);
    let mut report = Report::default();
    substitute(&mut object, &variables(), &mut report);
    assert_eq!(object, read(expected));
    report
}

#[rstest]
#[case::a_number("replicas: ${n}", "replicas: 3")]
#[case::quotes_are_lost_on_the_way("replicas: \"${n}\"", "replicas: 3")]
#[case::a_truth("suspend: ${on}", "suspend: true")]
#[case::a_text_around_it("host: ${name}.example.com", "host: shop.example.com")]
#[case::a_list("args: ${list}", "args: [a, b]")]
#[case::quotes_of_its_own("value: ${quote}${n}${quote}", "value: '3'")]
#[case::what_had_to_be_quoted_stays_a_text("value: '*.${n}'", "value: '*.3'")]
#[case::several_lines_stay_a_text("text: |\n  a: ${n}\n", "text: |\n  a: 3\n")]
#[case::keys("{labels: {'${name}': x}}", "{labels: {shop: x}}")]
#[case::deep_in_a_list("a: [{b: [x, '${name}']}]", "a: [{b: [x, shop]}]")]
fn values(#[case] object: &str, #[case] expected: &str) {
    check(object, expected);
}

#[rstest]
#[case("labels")]
#[case("annotations")]
fn an_object_may_ask_to_be_left_alone(#[case] place: &str) {
    let object =
        format!("{{metadata: {{{place}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}}}, a: '${{n}}'}}");
    check(&object, &object);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let report = check("a: ${none}\nb: ${name-x}\n", "a:\nb: ${name-x}\n");
    assert_eq!(report.undefined[0].0, "none");
    assert_eq!(report.undefined[0].1.line(), 1);
    assert_eq!(report.failed[0].1.line(), 2);
}

#[test]
fn in_a_block_the_line_and_the_column_are_told() {
    let report = check("a: |\n  x\n  y ${none}\n", "a: |\n  x\n  y \n");
    let at = report.undefined[0].1;
    assert_eq!((at.line(), at.column()), (3, 5));
}

#[test]
fn a_value_keeps_its_place() {
    let mut object = read("a: x\nb:\n  c: ${name}\n");
    substitute(&mut object, &variables(), &mut Report::default());
    let origin = object.at(&["b", "c"]).unwrap().origin;
    assert_eq!((origin.line(), origin.column()), (3, 6));
}
