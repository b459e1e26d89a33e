//! How values are merged.

use rstest::rstest;

use super::{effective, merge};
use crate::helm::Known;
use crate::helm::tests::objects;
use crate::yaml::{Limits, parse};
use crate::{FileId, Node, Value};

fn read(text: &str) -> Node {
    parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default()).documents.remove(0)
}

#[rstest]
#[case::maps_are_merged("{a: {b: 1, c: 2}}", "{a: {c: 3, d: 4}}", "{a: {b: 1, c: 3, d: 4}}")]
#[case::lists_are_replaced("{a: [1, 2]}", "{a: [3]}", "{a: [3]}")]
#[case::a_null_stays_a_null("{a: {b: 1}}", "{a:}", "{a:}")]
fn merging(#[case] base: &str, #[case] over: &str, #[case] expected: &str) {
    assert_eq!(merge(&read(base), &read(over)), read(expected));
}

#[track_caller]
fn check(from: &str, expected: &str) {
    let text = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: shop}}\nspec:\n  valuesFrom: {from}\n  values: {{own: 1, both: own}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web-values-8mbdf7882g, namespace: shop}}\ndata: {{values.yaml: \"both: map\\nmap: 1\\n\", n: '5'}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: hidden, namespace: shop}}\nstringData: {{values.yaml: 'ENC[x]'}}\n"
    );
    let objects = objects(&text);
    let known: Known<'_> = objects.iter().map(|it| ((&*it.kind, &*it.namespace, &*it.name), it)).collect();
    assert_eq!(effective(&objects[0], &known), read(expected));
}

#[rstest]
#[case::of_its_own("[]", "{own: 1, both: own}")]
#[case::of_a_map("[{kind: ConfigMap, name: web-values-8mbdf7882g}]", "{both: own, map: 1, own: 1}")]
#[case::of_a_map_whose_hash_nobody_wrote("[{kind: ConfigMap, name: web-values}]", "{both: own, map: 1, own: 1}")]
#[case::at_a_path(
    "[{kind: ConfigMap, name: web-values, valuesKey: n, targetPath: 'a.b[1].c\\.d'}]",
    "{a: {b: [null, {c.d: 5}]}, own: 1, both: own}"
)]
#[case::of_a_secret_that_is_encrypted("[{kind: Secret, name: hidden}]", "{own: 1, both: own}")]
#[case::of_what_is_not_in_git("[{kind: ConfigMap, name: gone}]", "{own: 1, both: own}")]
fn values_of_a_release(#[case] from: &str, #[case] expected: &str) {
    check(from, expected);
}

#[test]
fn a_value_in_quotes_is_a_text() {
    assert_eq!(super::target::value("'5'", crate::Origin::NONE).value, Value::String("5".into()));
    assert_eq!(super::target::value("5", crate::Origin::NONE).value, Value::Integer(5));
}
