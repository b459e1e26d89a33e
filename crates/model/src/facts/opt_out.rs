//! The annotations by which people who work in Helm values opt out of rules.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::Text;

const IGNORE: &str = "holdfast.dev/ignore";
const REASON: &str = "holdfast.dev/reason";

/// The rules that an object's own annotations exempt it from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOut(Option<Box<Written>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    rules: Vec<Text>,
    reason: Option<Text>,
}

impl OptOut {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self::read(|key| meta.annotations.as_ref()?.get(key).map(String::as_str))
    }

    /// Reads an object's annotations.
    pub fn read<'a>(annotation: impl Fn(&str) -> Option<&'a str>) -> Self {
        let Some(ignore) = annotation(IGNORE) else { return Self::default() };
        let rules = ignore.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(Text::from).collect();
        Self(Some(Box::new(Written { rules, reason: annotation(REASON).map(Text::from) })))
    }

    /// The rules as written; `*` stands for all of them.
    #[must_use]
    pub fn rules(&self) -> &[Text] {
        self.0.as_ref().map_or(&[], |written| &written.rules)
    }

    /// The reason given, when there is one.
    #[must_use]
    pub fn reason(&self) -> Option<&Text> {
        self.0.as_ref()?.reason.as_ref()
    }
}
