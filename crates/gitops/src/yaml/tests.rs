//! Scalars, keys, merges, places and errors of files.

use std::fmt::Write as _;

use rstest::rstest;
use serde_json::{Value as Json, json};

use super::*;
use crate::Value;

fn file() -> FileId {
    FileId::new(0).unwrap()
}

fn read(text: &str) -> Parsed {
    parse(file(), text.as_bytes(), &Limits::default())
}

/// What the documents mean to Flux.
#[track_caller]
fn check(text: &str, expected: &Json) {
    check_as(Dialect::Flux, text, expected);
}

#[track_caller]
fn check_as(dialect: Dialect, text: &str, expected: &Json) {
    let parsed = parse_as(dialect, file(), text.as_bytes(), &Limits::default());
    assert_eq!(parsed.error, None, "{text}");
    let documents: Json = parsed.documents.iter().map(Node::to_json).collect();
    assert_eq!(documents, *expected, "{text}");
}

/// The kind and place of the error, and how many documents were read before.
#[track_caller]
fn check_error(bytes: &[u8], limits: &Limits, kind: ErrorKind, place: (u32, u32), documents: usize) {
    let parsed = parse(file(), bytes, limits);
    let error = parsed.error.expect("an error");
    assert_eq!((error.kind, error.at.line(), error.at.column()), (kind, place.0, place.1), "{error}");
    assert_eq!(parsed.documents.len(), documents);
    assert!(!error.message.is_empty() && !error.message.ends_with('.'), "{error}");
}

/// Every key and every value with its place.
fn places(node: &Node, path: &str, into: &mut String) {
    let at = |origin: Origin| format!("{}:{}", origin.line(), origin.column());
    writeln!(into, "{path} = {}", at(node.origin)).unwrap();
    for (index, item) in node.items().iter().enumerate() {
        places(item, &format!("{path}[{index}]"), into);
    }
    for entry in node.entries() {
        let path = format!("{path}.{}", entry.key);
        writeln!(into, "{path} at {}", at(entry.at)).unwrap();
        places(&entry.value, &path, into);
    }
}

#[rstest]
#[case::yes_and_its_kin("[yes, Yes, YES, on, On, ON, y, Y, true, True, TRUE]", json!(vec![true; 11]))]
#[case::no_and_its_kin("[no, No, NO, off, Off, OFF, n, N, false, False, FALSE]", json!(vec![false; 11]))]
#[case::as_keys("on: push\nn: 1\n", json!({ "true": "push", "false": 1 }))]
#[case::in_other_cases_they_are_strings("[yEs, oN, tRUE, nULL]", json!(["yEs", "oN", "tRUE", "nULL"]))]
fn booleans_to_kubernetes(#[case] text: &str, #[case] expected: Json) {
    check_as(Dialect::Kubernetes, text, &json!([expected]));
}

#[test]
fn what_flux_substitutes_is_read_as_by_kubernetes() {
    assert_eq!([resolve("yes"), resolve("5"), resolve("a")], [Value::Bool(true), Value::Integer(5), Value::from("a")]);
}

#[rstest]
#[case::booleans("[true, True, TRUE, false, False, FALSE]", json!([true, true, true, false, false, false]))]
#[case::no_booleans("[yes, No, ON, off, y, N]", json!(["yes", "No", "ON", "off", "y", "N"]))]
#[case::nothing("[~, null, Null, NULL, '', \"\"]", json!([null, null, null, null, "", ""]))]
#[case::a_value_that_is_left_out("a:\nb: ", json!({ "a": null, "b": null }))]
#[case::octal("[0644, 0o644, 0O17, 00, -010]", json!([420, 420, 15, 0, -8]))]
#[case::no_octal("[08, 0o8, 0_9]", json!([8, "0o8", 9]))]
#[case::hexadecimal("[0xff, 0XFF, -0x10, 0x, 0xg]", json!([255, 255, -16, "0x", "0xg"]))]
#[case::binary("[0b101, -0b11, 0b2]", json!([5, -3, "0b2"]))]
#[case::underscores("[1_000, 1__0_, 0x_ff, _1]", json!([1000, 10, 255, "_1"]))]
#[case::signs("[+5, -5, +-5, --, +, 0x-1]", json!([5, -5, "+-5", "--", "+", "0x-1"]))]
#[case::floats("[1.5, .5, -.5, 1., 1.5e3, 2e-1, +.5e1]", json!([1.5, 0.5, -0.5, 1, 1500, 0.2, 5]))]
#[case::floats_that_are_whole("[1.0, 1e3, -0.0, 1e18]", json!([1, 1000, 0, 1_000_000_000_000_000_000_i64]))]
#[case::no_floats("[1e, e1, ., .., 1.2.3, 1e400, -1e400, 1.2e+]", json!(["1e", "e1", ".", "..", "1.2.3", "1e400", "-1e400", "1.2e+"]))]
#[case::the_edge("[9223372036854775807, -9223372036854775808]", json!([i64::MAX, i64::MIN]))]
#[case::over_the_edge("[18446744073709551615, -9223372036854775809]", json!([1.844_674_407_370_955_2e19, i64::MIN]))]
#[case::times_are_strings("[2001-01-01, 2001-12-14t21:59:43.10-05:00, 1:30, 12:30:45]", json!(["2001-01-01", "2001-12-14t21:59:43.10-05:00", "1:30", "12:30:45"]))]
#[case::quoted_is_a_string("['yes', \"0644\", '~', \"1.5\"]", json!(["yes", "0644", "~", "1.5"]))]
#[case::blocks_are_strings("a: |\n  1\nb: >-\n  yes\n", json!({ "a": "1\n", "b": "yes" }))]
#[case::tags("[!!str 5, !!int '5', !!float '1.5', !!bool 'true', !!null '', !vault x, ! 5]", json!(["5", 5, 1.5, true, null, "x", "5"]))]
#[case::quantities_and_versions("[100m, 1Gi, 10s, 1.30, v1.30.1, 10%]", json!(["100m", "1Gi", "10s", 1.3, "v1.30.1", "10%"]))]
fn scalars(#[case] text: &str, #[case] expected: Json) {
    check(text, &json!([expected]));
}

#[rstest]
#[case::that_are_numbers("8080: a\n0x10: b\n1.30: c\n1.0: d\n1e7: e\n1e21: f\n", json!({ "8080": "a", "16": "b", "1.3": "c", "1": "d", "10000000": "e", "1e+21": "f" }))]
#[case::that_are_booleans("true: push\nFalse: 1\n", json!({ "true": "push", "false": 1 }))]
#[case::that_are_none("on: push\nno: 1\n", json!({ "on": "push", "no": 1 }))]
#[case::that_are_null("~: a\n", json!({ "null": "a" }))]
#[case::that_are_quoted("'8080': a\n\"on\": b\n", json!({ "8080": "a", "on": "b" }))]
#[case::that_are_aliases("a: &x b\n*x : c\n", json!({ "a": "b", "b": "c" }))]
#[case::that_have_anchors("&x a: b\nc: *x\n", json!({ "a": "b", "c": "a" }))]
fn keys(#[case] text: &str, #[case] expected: Json) {
    check(text, &json!([expected]));
}

#[rstest]
#[case::one_mapping("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  z: 3\n", json!({ "x": 1, "y": 2, "z": 3 }))]
#[case::what_stands_there_wins("a: &a {x: 1}\nb:\n  x: 2\n  <<: *a\n", json!({ "x": 2 }))]
#[case::what_stands_there_wins_whatever_the_order("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n", json!({ "x": 2 }))]
#[case::the_first_of_several_wins("a: &a {x: 1}\nc: &c {x: 2, z: 3}\nb:\n  <<: [*a, *c]\n", json!({ "x": 1, "z": 3 }))]
#[case::one_on_the_spot("b:\n  <<: {x: 1}\n", json!({ "x": 1 }))]
#[case::one_that_merges_itself("a: &a {x: 1}\nc: &c {<<: *a, z: 2}\nb: {<<: *c}\n", json!({ "x": 1, "z": 2 }))]
#[case::none_when_quoted("b: {'<<': 1}\n", json!({ "<<": 1 }))]
fn merge_keys(#[case] text: &str, #[case] expected: Json) {
    let parsed = read(text);
    assert_eq!(parsed.error, None);
    assert_eq!(parsed.documents[0].get("b").unwrap().to_json(), expected);
}

#[test]
fn an_anchor_may_be_given_again() {
    check("- &a 1\n- *a\n- &a 2\n- *a\n", &json!([[1, 1, 2, 2]]));
}

#[test]
fn documents_are_told_apart_and_empty_ones_are_none() {
    check("---\n# nothing\n---\na: 1\n---\n...\n---\nb: 2\n---\n", &json!([{ "a": 1 }, { "b": 2 }]));
    check("", &json!([]));
    check("# only a comment\n", &json!([]));
}

#[test]
fn a_byte_order_mark_and_other_ends_of_lines_change_nothing() {
    let parsed = read("\u{feff}a: 1\r\nb: x\r\n");
    assert_eq!(parsed.documents[0].to_json(), json!({ "a": 1, "b": "x" }));
    assert_eq!(parsed.documents[0].get("b").unwrap().origin, Origin::new(file(), 2, 4));
}

#[test]
fn json_is_yaml() {
    check(
        "{\"a\": [1, \"b\", null, true], \"c\": {\"d\": \"\\u00e9\\n\"}}",
        &json!([{ "a": [1, "b", null, true], "c": { "d": "é\n" } }]),
    );
}

#[test]
fn of_a_key_given_twice_the_last_counts_and_both_are_told() {
    let parsed = read("a: 1\nb: 2\na: 3\n");
    assert_eq!(parsed.documents[0].to_json(), json!({ "a": 3, "b": 2 }));
    let told = Duplicate { key: "a".into(), first: Origin::new(file(), 1, 1), last: Origin::new(file(), 3, 1) };
    assert_eq!(parsed.duplicates, [told]);
}

#[test]
fn kustomize_refuses_keys_that_are_given_twice_or_no_strings() {
    let why = |text: &str| read(text).refusal().map(|it| (it.at.line(), it.message));
    assert_eq!(why("a: 1\n\"80\": 2\nyes: 3\n<<: {a: 2}\n"), None);
    assert_eq!(why("a: 1\na: 3\n"), Some((2, "the key a is given twice in one mapping, first in line 1".to_owned())));
    for key in ["80", "1.5", "true", "null", "~"] {
        let (line, message) = why(&format!("a: 1\nb:\n  {key}: 2\n")).unwrap();
        assert!(line == 3 && message.ends_with("is no string; put it into quotes"), "{message}");
    }
}

#[test]
fn a_mapping_of_ten_thousand_keys_finds_its_duplicates_too() {
    let mut text: String = (0..10_000).fold(String::new(), |mut text, index| {
        writeln!(text, "key-{index}: {index}").unwrap();
        text
    });
    text.push_str("key-4711: again\n");
    let parsed = read(&text);
    let mapping = parsed.documents[0].as_mapping().unwrap();
    assert_eq!((mapping.len(), parsed.duplicates.len()), (10_000, 1));
    assert_eq!(mapping.get("key-4711").unwrap().as_str(), Some("again"));
}

#[test]
fn every_key_and_every_value_knows_its_place() {
    let parsed = read(concat!(
        "# häuser\n",
        "spec:\n",
        "  \"ü\": x\n",
        "  list:\n",
        "    - name: a\n",
        "      on: [1, {b: \"é\", c: d}]\n",
        "    -\n",
        "  text: |\n",
        "    line\n",
        "  tagged: &anchor !!str 5\n",
        "  alias: *anchor\n",
        "  left-out:\n",
        "  last: ~\n",
    ));
    assert_eq!(parsed.error, None);
    let mut found = String::new();
    places(&parsed.documents[0], "", &mut found);
    insta::assert_snapshot!(found);
}

#[test]
fn what_an_alias_stands_for_is_where_its_anchor_is() {
    let parsed = read("a: &a\n  x: 1\nb: *a\nc:\n  <<: *a\n  y: 2\n");
    let document = &parsed.documents[0];
    let place = |path: &[&str]| document.at(path).map(|node| (node.origin.line(), node.origin.column()));
    assert_eq!(place(&["b"]), Some((3, 4)));
    assert_eq!(place(&["b", "x"]), Some((2, 6)));
    assert_eq!(place(&["c", "x"]), Some((2, 6)));
}

#[rstest]
#[case::a_bracket_that_stays_open("a: 1\n---\nb: [1, 2\nc: 3\n", ErrorKind::Syntax, (4, 2), 1)]
#[case::a_tab("a:\n\tb: 1\n", ErrorKind::Syntax, (2, 2), 0)]
#[case::two_colons("a: b: c\n", ErrorKind::Syntax, (1, 5), 0)]
#[case::no_anchor("a: *b\n", ErrorKind::Alias, (1, 4), 0)]
#[case::an_alias_in_itself("a: &a [1, *a]\n", ErrorKind::Alias, (1, 11), 0)]
#[case::an_anchor_of_another_document("a: &a 1\n---\nb: *a\n", ErrorKind::Alias, (3, 4), 1)]
#[case::a_merge_of_a_scalar("a:\n  <<: 5\n", ErrorKind::Merge, (2, 3), 0)]
#[case::a_key_that_is_a_list("? [a, b]\n: c\n", ErrorKind::Key, (1, 3), 0)]
#[case::jinja_as_a_value("a: 1\nb: {{ c }}\n", ErrorKind::Template, (2, 5), 0)]
#[case::jinja_as_a_block("a:\n{% if b %}\n  c: 1\n{% endif %}\n", ErrorKind::Template, (2, 2), 0)]
#[case::a_chart("{{- if .Values.a }}\na: 1\n{{- end }}\n", ErrorKind::Template, (1, 3), 0)]
fn errors(#[case] text: &str, #[case] kind: ErrorKind, #[case] place: (u32, u32), #[case] documents: usize) {
    check_error(text.as_bytes(), &Limits::default(), kind, place, documents);
}

#[rstest]
#[case::a_binary(b"\x7fELF\x02\0\0", ErrorKind::Binary, (1, 6))]
#[case::latin_1(b"a: 1\nb: \xc3\xa4 caf\xe9\n", ErrorKind::Encoding, (2, 9))]
#[case::utf_16(b"\xff\xfea\0:\0", ErrorKind::Encoding, (1, 1))]
#[case::utf_16_the_other_way(b"\xfe\xff\0a\0:", ErrorKind::Encoding, (1, 1))]
fn no_text(#[case] bytes: &[u8], #[case] kind: ErrorKind, #[case] place: (u32, u32)) {
    check_error(bytes, &Limits::default(), kind, place, 0);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    check_error(b"a: 12345678", &limits, ErrorKind::TooLarge, (1, 1), 0);
    assert_eq!(parse(file(), b"a: 1234567", &limits).error, None);
}

#[rstest]
#[case::flow("[".repeat(200_000))]
#[case::block("- ".repeat(100_000))]
#[case::mappings((0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect())]
#[case::aliases((1..5_000).fold("a0: &a0 [x]\n".to_owned(), |mut text, level| {
    writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    text
}))]
fn depth_is_bounded(#[case] text: String) {
    let error = read(&text).error.expect("an error");
    assert_eq!(error.kind, ErrorKind::TooDeep, "{error}");
}

#[test]
fn an_alias_bomb_is_an_error() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let row = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "a{level}: &a{level} [{row}]").unwrap();
    }
    let error = read(&text).error.expect("an error");
    assert_eq!(error.kind, ErrorKind::TooManyAliases, "{error}");
}

#[test]
fn an_error_says_where_and_what() {
    let error = read("a: 1\nb: {{ c }}\n").error.expect("an error");
    insta::assert_snapshot!(error);
}

/// Where the key of a patch in a block stands, and the value of one in a string.
#[test]
fn yaml_in_a_string_knows_its_place_in_the_file() {
    let parsed = read("a:\n  patch: |-\n\n    - op: add\n      path: /x\n  json: '{\"b\": 1}'\n");
    let inner = |key: &str| {
        let text = parsed.documents[0].at(&["a", key]).unwrap();
        parse_embedded(text, &Limits::default()).documents.remove(0)
    };
    let place = |node: &Node, path: &str| (node.find(path).origin.line(), node.find(path).origin.column());
    assert_eq!(place(&inner("patch"), "[0].path"), (5, 7));
    assert_eq!(place(&inner("json"), "b"), (6, 11));
}
