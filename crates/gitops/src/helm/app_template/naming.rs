//! The names of app-template: of the release, and with an identifier where there are several of a kind.

use ecow::EcoString;

use super::App;
use crate::Node;
use crate::helm::Release;
use crate::helm::name::cut;
use crate::helm::values::is_empty;

/// `app.kubernetes.io/name`: app-template sets it to the name of the release, unless `global.nameOverride` is given.
pub(super) fn name(release: &Release<'_>) -> EcoString {
    let given = release.text(&["global", "nameOverride"]).filter(|name| !name.is_empty());
    cut(given.as_deref().unwrap_or(&release.name), 63)
}

pub(super) fn fullname(release: &Release<'_>) -> EcoString {
    let given = |path: &[&str]| release.text(path).filter(|name| !name.is_empty());
    if let Some(given) = given(&["global", "fullnameOverride"]).or_else(|| given(&["fullnameOverride"])) {
        return cut(&given, 63);
    }
    let name = name(release);
    if release.name.contains(&*name) {
        return cut(&release.name, 63);
    }
    cut(&format!("{}-{name}", release.name), 63)
}

/// The name of one of `count` objects of a kind.
pub(super) fn resource(app: &App<'_>, id: &str, values: &Node, count: usize) -> EcoString {
    let text = |field: &str| {
        let node = values.get(field).filter(|node| !is_empty(node))?;
        node.as_str().map(|text| app.release.expanded(text))
    };
    if let Some(given) = text("forceRename") {
        return given.to_lowercase();
    }
    let mut name = app.fullname.clone();
    if let Some(prefix) = text("prefix").filter(|prefix| *prefix != name) {
        name = ecow::eco_format!("{prefix}-{name}");
    }
    let always = app.release.value(&["global", "alwaysAppendIdentifierToResourceName"]);
    if (1 < count || always.and_then(Node::as_bool) == Some(true)) && *name != *id && !name.ends_with(&format!("-{id}"))
    {
        name = ecow::eco_format!("{name}-{id}");
    }
    if let Some(suffix) = text("suffix").filter(|suffix| !name.ends_with(&format!("-{suffix}"))) {
        name = ecow::eco_format!("{name}-{suffix}");
    }
    name.to_lowercase()
}
