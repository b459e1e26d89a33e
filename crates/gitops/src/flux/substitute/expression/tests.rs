//! The language of `${...}`, against what Flux's own parser does.

use rstest::rstest;

use super::{Lookup, evaluate};

fn lookup(name: &str) -> Lookup {
    match name {
        "name" => Lookup::Known("shop".into()),
        "empty" => Lookup::Known("".into()),
        "path" => Lookup::Known("a/b/c.tar.gz".into()),
        "secret" => Lookup::Unknown,
        _ => Lookup::Undefined,
    }
}

#[rstest]
#[case::a_variable("x-${name}-y", "x-shop-y")]
#[case::no_braces_no_variable("$name", "$name")]
#[case::two_dollars_are_one("$${name} costs $$5 or $5", "${name} costs $5 or $5")]
#[case::a_default_for_what_is_not_there("${none:=web} ${none:-web} ${none=web}", "web web web")]
#[case::a_default_for_what_is_empty("${empty:=web}", "web")]
#[case::no_default_for_what_is_there("${name:=web}", "shop")]
#[case::these_two_are_defaults_too("${none:+a}${none:?b}", "ab")]
#[case::an_empty_default("<${none:=}>", "<>")]
#[case::a_default_within_a_default("${none:=${other:-deep}-${name}}", "deep-shop")]
#[case::a_dollar_in_a_default_stays("${none:=$$5}", "$$5")]
#[case::length("${#name}", "4")]
#[case::cases("${name^} ${name^^} ${name,} ${name,,}", "Shop SHOP shop shop")]
#[case::a_part("${name:1} ${name:1:2} ${name:9}", "hop ho ")]
#[case::what_is_no_number_takes_no_part("${name: -2}", "shop")]
#[case::a_replacement("${path/\\//-} ${path//a/A}", "a-b/c.tar.gz A/b/c.tAr.gz")]
#[case::the_shortest_and_the_longest_begin("${path#*/} ${path##*/}", "b/c.tar.gz c.tar.gz")]
#[case::the_shortest_and_the_longest_end("${path%.*} ${path%%.*}", "a/b/c.tar a/b/c")]
#[case::a_line_more("a\n${name}\n", "a\nshop\n")]
fn values(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(evaluate(text, &lookup).unwrap().text, expected);
}

#[rstest]
#[case::no_name("${}")]
#[case::bash_knows_it_flux_does_not("${name-web}")]
#[case::a_template_of_something_else("${foo.bar}")]
#[case::not_closed("${name")]
#[case::a_default_not_closed("${name:=web")]
#[case::a_replacement_of_nothing("${name//}")]
#[case::a_default_without_end("${a:=${b:=${c}")]
fn errors(#[case] text: &str) {
    assert!(evaluate(text, &lookup).is_err(), "{text}");
}

#[test]
fn what_is_not_there_is_told() {
    let evaluated = evaluate("${none} ${other^^} ${name}", &lookup).unwrap();
    assert_eq!(evaluated.undefined, ["none", "other"]);
    assert_eq!(evaluated.text, "  shop");
}

#[test]
fn what_cannot_be_known_stays_as_it_is() {
    let evaluated = evaluate("${secret} ${secret//a/b} ${secret:=default}", &lookup).unwrap();
    assert!(evaluated.unknown && evaluated.undefined.is_empty());
    assert_eq!(evaluated.text, "${secret} ${secret//a/b} default");
}

#[test]
fn nesting_has_an_end() {
    let deep = format!("{}{}", "${a:=".repeat(10_000), "}".repeat(10_000));
    assert!(evaluate(&deep, &lookup).is_err());
}
