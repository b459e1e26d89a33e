//! The names that charts give, by the helpers that `helm create` writes.

use ecow::EcoString;

use super::Release;

/// A name that Kubernetes takes: at most so long, and without a dash at its end.
pub(super) fn cut(name: &str, most: usize) -> EcoString {
    let end = name.floor_char_boundary(most);
    name[..end].strip_suffix('-').unwrap_or(&name[..end]).into()
}

/// `<chart>.name`: the chart's, unless `nameOverride` says otherwise.
pub(super) fn name(release: &Release<'_>, chart: &str) -> EcoString {
    let given = release.text(&["nameOverride"]).filter(|name| !name.is_empty());
    cut(given.as_deref().unwrap_or(chart), 63)
}

/// `<chart>.fullname`: the release's, with the chart's unless it is in there.
pub(super) fn fullname(release: &Release<'_>, chart: &str) -> EcoString {
    if let Some(given) = release.text(&["fullnameOverride"]).filter(|name| !name.is_empty()) {
        return cut(&given, 63);
    }
    let name = release.text(&["nameOverride"]).filter(|name| !name.is_empty()).unwrap_or_else(|| chart.into());
    if release.name.contains(&*name) {
        return cut(&release.name, 63);
    }
    cut(&format!("{}-{name}", release.name), 63)
}
