//! What the operators do to a value. Lengths and offsets count bytes, as in Go; one that falls into a character moves to
//! its begin.

use ecow::{EcoString, eco_format};

/// `${#x}`
pub(super) fn length(value: &str) -> EcoString {
    eco_format!("{}", value.len())
}

/// `${x^}`, `${x^^}`, `${x,}`, `${x,,}`
pub(super) fn change_case(value: &str, operator: &str) -> EcoString {
    match operator {
        "^^" => value.to_uppercase().into(),
        ",," => value.to_lowercase().into(),
        _ => {
            let mut signs = value.chars();
            let Some(first) = signs.next() else { return EcoString::new() };
            let upper = operator == "^";
            let first: String = if upper { first.to_uppercase().collect() } else { first.to_lowercase().collect() };
            eco_format!("{first}{}", signs.as_str())
        }
    }
}

/// `${x/a/b}`, `${x//a/b}`, `${x/#a/b}`, `${x/%a/b}`
pub(super) fn replace(value: &str, operator: &str, pattern: &str, with: Option<&str>) -> EcoString {
    let new = with.unwrap_or_default();
    match operator {
        "//" => value.replace(pattern, new).into(),
        "/" => value.replacen(pattern, new, 1).into(),
        // Without a replacement these two do nothing at all.
        "/#" => match (value.strip_prefix(pattern), with) {
            (Some(rest), Some(new)) => eco_format!("{new}{rest}"),
            (Some(_) | None, _) => value.into(),
        },
        _ => match (value.strip_suffix(pattern), with) {
            (Some(rest), Some(new)) => eco_format!("{rest}{new}"),
            (Some(_) | None, _) => value.into(),
        },
    }
}

/// `${x:from}`, `${x:from:many}`
pub(super) fn part(value: &str, from: &str, many: Option<&str>) -> EcoString {
    let Ok(from) = from.trim_start_matches('+').parse::<i64>() else { return value.into() };
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let from = if from < 0 { size.saturating_add(from).max(0) } else { from };
    let to = match many.map(str::parse::<i64>) {
        None => size,
        Some(Ok(many)) => from.saturating_add(many).min(size),
        Some(Err(_)) => return value.into(),
    };
    let place = |at: i64| value.floor_char_boundary(usize::try_from(at.clamp(0, size)).unwrap_or(0));
    value.get(place(from)..place(to)).unwrap_or_default().into()
}

/// `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`
pub(super) fn trim(value: &str, operator: &str, pattern: &str) -> EcoString {
    let pattern: Vec<char> = pattern.chars().collect();
    let signs: Vec<char> = value.chars().collect();
    let from_begin = operator.starts_with('#');
    let matched = |length: usize| {
        let part = if from_begin { &signs[..length] } else { &signs[signs.len() - length..] };
        matches(&pattern, part)
    };
    let mut lengths = 1..=signs.len();
    let found =
        if operator.len() == 1 { lengths.find(|length| matched(*length)) } else { lengths.rfind(|l| matched(*l)) };
    let rest = match (found, from_begin) {
        (None, _) => &signs[..],
        (Some(length), true) => &signs[length..],
        (Some(length), false) => &signs[..signs.len() - length],
    };
    rest.iter().copied().collect()
}

/// `*` stands for any signs, `?` for one. Backtracks to the last star only, so it is quick on any pattern.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(sign) if *sign == '?' || *sign == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, taken)) => {
                    p = at + 1;
                    t = taken + 1;
                    star = Some((at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|sign| *sign == '*')
}
