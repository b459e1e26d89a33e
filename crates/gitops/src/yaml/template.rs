//! Whether what can't be read is a template: people keep Jinja, Go and Helm templates under names that end in `.yaml`.

/// What templates hold and YAML that can be read rarely does.
const SIGNS: [&str; 4] = ["{{", "{%", "#%", "#{"];

/// Whether there is a sign of a template up to this line (from 1), which is where reading ended.
pub(super) fn is_template_until(text: &str, line: usize) -> bool {
    // The scanner may give up before the line that holds the sign: what it was reading ends there.
    text.lines().take(line + 1).any(is_template)
}

/// Whether there is a sign of a template.
pub(crate) fn is_template(text: &str) -> bool {
    SIGNS.iter().any(|sign| text.contains(sign))
}
