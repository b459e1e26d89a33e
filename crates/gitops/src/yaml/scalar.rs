//! What a plain scalar means, as go-yaml resolves it: version 3 for Kustomize, version 2 for `sigs.k8s.io/yaml`.
//!
//! Numbers come out as they do of the JSON that is made there: `1e3` and `1.0` are integers, what doesn't fit 64 bits
//! is a float. A timestamp is a string, as there. Absent: base 60, which go-yaml dropped too.

use ecow::EcoString;

use super::Dialect;
use crate::Value;

/// The value of a plain scalar as Kubernetes reads it, which is how Flux reads what it has substituted.
#[must_use]
pub fn resolve(text: &str) -> Value {
    scalar(text, Dialect::Kubernetes).unwrap_or_else(|| Value::String(text.into()))
}

/// The value of a plain scalar as Kustomize reads it.
pub(crate) fn plain(text: &str) -> Value {
    scalar(text, Dialect::Flux).unwrap_or_else(|| Value::String(text.into()))
}

/// The value, when it isn't a string.
pub(super) fn scalar(text: &str, dialect: Dialect) -> Option<Value> {
    match text.as_bytes().first() {
        None => Some(Value::Null),
        Some(b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'~') => word(text).or_else(|| old_word(text, dialect)),
        Some(b'y' | b'Y' | b'o' | b'O') => old_word(text, dialect),
        Some(b'.') => special_float(text).or_else(|| float(text)).map(whole),
        Some(b'0'..=b'9' | b'+' | b'-') => number(text),
        Some(_) => None,
    }
}

fn word(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        _ => None,
    }
}

/// The booleans of YAML 1.1 that 1.2 dropped.
fn old_word(text: &str, dialect: Dialect) -> Option<Value> {
    match (dialect, text) {
        (Dialect::Flux, _) => None,
        (Dialect::Kubernetes, "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON") => Some(Value::Bool(true)),
        (Dialect::Kubernetes, "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF") => Some(Value::Bool(false)),
        (Dialect::Kubernetes, _) => None,
    }
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    if let Some(value) = special_float(text) {
        return Some(Value::Float(value));
    }
    if !text.contains('_') {
        return integer(text).or_else(|| float(text).map(whole));
    }
    let plain = text.replace('_', "");
    integer(&plain).or_else(|| float(&plain).map(whole))
}

/// As Go's `ParseInt` with base 0: a leading 0 is octal, `0b`, `0o` and `0x` say their base.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // A second sign would be taken by the parser.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    let value = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    match (value, negative) {
        (Some(value), _) => Some(Value::Integer(value)),
        (None, false) => Some(Value::Float(magnitude as f64)),
        (None, true) => None,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, when it is finite.
fn float(text: &str) -> Option<f64> {
    let digits = |text: &mut &[u8]| {
        let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *text = &text[count..];
        count
    };
    let mut rest = text.as_bytes();
    if let [b'-' | b'+', after @ ..] = rest {
        rest = after;
    }
    let before = digits(&mut rest);
    if let [b'.', after @ ..] = rest {
        rest = after;
        let behind = digits(&mut rest);
        if before == 0 && behind == 0 {
            return None;
        }
    } else if before == 0 {
        return None;
    }
    if let [b'e' | b'E', after @ ..] = rest {
        rest = match after {
            [b'-' | b'+', after @ ..] => after,
            _ => after,
        };
        if digits(&mut rest) == 0 {
            return None;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A float without a fraction is written to JSON as an integer, and read as one.
fn whole(value: f64) -> Value {
    // The powers of two that bound what is exact on both sides.
    const EDGE: f64 = 9_223_372_036_854_775_808.0;
    match value.fract() == 0.0 && (-EDGE..EDGE).contains(&value) {
        true => Value::Integer(value as i64),
        false => Value::Float(value),
    }
}

/// A value as the key that it becomes in JSON; none for what no key can be.
pub(super) fn key(value: &Value) -> Option<EcoString> {
    match value {
        Value::Null => Some("null".into()),
        Value::Bool(true) => Some("true".into()),
        Value::Bool(false) => Some("false".into()),
        Value::Integer(value) => Some(ecow::eco_format!("{value}")),
        Value::Float(value) => Some(float_key(*value)),
        Value::String(text) => Some(text.clone()),
        Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// As Go's `FormatFloat(value, 'g', -1, 32)`.
fn float_key(value: f64) -> EcoString {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-.inf".into() } else { ".inf".into() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        // Where Go changes to the other form when the precision is the shortest.
        -4..21 => ecow::eco_format!("{value}"),
        _ => ecow::eco_format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}
