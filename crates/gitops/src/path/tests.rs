//! Paths into a document, and what they find.

use rstest::rstest;

use super::*;
use crate::{FileId, yaml};

const TEXT: &str = concat!(
    "metadata:\n",
    "  labels:\n",
    "    app.kubernetes.io/name: web\n",
    "    plain: x\n",
    "spec:\n",
    "  containers:\n",
    "    - name: web\n",
    "      image: nginx\n",
    "  ports:\n",
    "    8080: a\n",
);

fn document() -> Node {
    let file = FileId::new(0).unwrap();
    yaml::parse(file, TEXT.as_bytes(), &yaml::Limits::default()).documents.remove(0)
}

#[rstest]
#[case::nothing("", (1, 1), true)]
#[case::a_key("spec", (5, 1), true)]
#[case::an_item("spec.containers[0]", (7, 7), true)]
#[case::in_an_item("spec.containers[0].image", (8, 7), true)]
#[case::a_key_with_dots("metadata.labels[app.kubernetes.io/name]", (3, 5), true)]
#[case::a_key_in_quotes("metadata.labels[\"app.kubernetes.io/name\"]", (3, 5), true)]
#[case::a_key_that_is_a_number("spec.ports[8080]", (10, 5), true)]
#[case::the_nearest("spec.containers[0].resources.limits", (7, 7), false)]
#[case::the_nearest_of_a_list("spec.containers[3].image", (6, 3), false)]
#[case::what_is_no_path("]..[", (1, 1), false)]
fn places(#[case] path: &str, #[case] place: (u32, u32), #[case] complete: bool) {
    let document = document();
    let found = document.find(path);
    assert_eq!(((found.origin.line(), found.origin.column()), found.complete), (place, complete));
}

#[test]
fn a_value_that_another_file_gave_is_shown_there() {
    let mut document = document();
    let elsewhere = Origin::new(FileId::new(1).unwrap(), 9, 9);
    document.as_mapping_mut().unwrap().get_mut("spec").unwrap().origin = elsewhere;
    assert_eq!(document.find("spec").origin, elsewhere);
}

#[test]
fn what_was_made_here_is_shown_where_it_is() {
    let mut document = document();
    let spec = document.as_mapping_mut().unwrap().get_mut("spec").unwrap();
    spec.as_mapping_mut().unwrap().insert("replicas", Origin::NONE, Node::made(Value::Integer(1)));
    let found = document.find("spec.replicas");
    assert_eq!((found.origin.line(), found.complete), (5, true));
}
