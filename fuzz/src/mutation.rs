//! Changes to inputs by someone who knows that they are lines of JSON: fields go, come, move and get values that nobody
//! expects. What isn't JSON (any more) is changed byte by byte.
//!
//! A mutation is a function of its input and the random numbers: the same seed gives the same.

use fastrand::Rng;
use holdfast_controller::access::Source;
use serde_json::{Map, Value, json};

use crate::input::{REFUSAL, WORDS};
use crate::seeds;

/// Strings that some parser takes to mean something, or should not.
const STRINGS: [&str; 32] = [
    "",
    "a",
    "web",
    "shop",
    "True",
    "30%",
    "100%",
    "0%",
    "150%",
    "4294967295%",
    "99999999999%",
    "-1",
    "9223372036854775808",
    "Deployment",
    "Deployment/web",
    "apps/v1",
    "apps",
    "/",
    "a/b/c",
    "*",
    "budget-missing,*",
    "In",
    "DoesNotExist",
    "AlwaysAllow",
    "Enforce",
    "holdfast",
    "holdfast/disruption",
    "2026-06-01T12:00:00Z",
    "-009999-01-02T01:59:59Z",
    "9999-12-31T23:59:59.999999999Z",
    "\u{0}\u{e9}\u{1f600}\u{202e}",
    "a-name-that-is-far-longer-than-the-sixty-three-characters-which-a-label-can-have",
];

/// An input that differs a little.
#[must_use]
pub fn mutate(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=random.u8(..3) {
        let at = random.usize(..lines.len());
        match random.u8(..16) {
            0 => lines.insert(at, lines[random.usize(..lines.len())].clone()),
            1 if 1 < lines.len() => drop(lines.remove(at)),
            2 => lines[at] = with_another_head(&lines[at], random),
            3 => lines[at] = with_another_byte(&lines[at], random),
            _ => lines[at] = mutate_line(&lines[at], random),
        }
    }
    lines.join(&b'\n')
}

/// An input of which some lines are of one, and some of the other.
#[must_use]
pub fn cross(one: &[u8], two: &[u8], random: &mut Rng) -> Vec<u8> {
    let lines = [one, two].into_iter().flat_map(|bytes| bytes.split(|byte| *byte == b'\n'));
    let kept: Vec<&[u8]> = lines.filter(|_| random.bool()).collect();
    kept.join(&b'\n')
}

fn mutate_line(line: &[u8], random: &mut Rng) -> Vec<u8> {
    let start = line.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(line.len());
    let Ok(mut value) = serde_json::from_slice::<Value>(&line[start..]) else {
        return with_another_byte(line, random);
    };
    let elsewhere = pick(&mut value.clone(), random).clone();
    mutate_node(pick(&mut value, random), elsewhere, random);
    [&line[..start], value.to_string().as_bytes()].concat()
}

/// Any node of a tree: each level is as likely to be left for the next as to be taken.
fn pick<'a>(value: &'a mut Value, random: &mut Rng) -> &'a mut Value {
    let children = match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    if children == 0 || random.u8(..4) == 0 {
        return value;
    }
    let at = random.usize(..children);
    let child = match value {
        Value::Object(map) => map.values_mut().nth(at),
        Value::Array(list) => list.get_mut(at),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    pick(child.expect("invariant: there are so many children"), random)
}

fn mutate_node(node: &mut Value, elsewhere: Value, random: &mut Rng) {
    match (random.u8(..8), node) {
        (0, node) => *node = elsewhere,
        (1, node) => *node = json!([node.take()]),
        (2, node) => *node = json!({ key(random): node.take() }),
        (_, Value::Object(map)) => mutate_map(map, elsewhere, random),
        (_, Value::Array(list)) => mutate_list(list, elsewhere, random),
        (3, Value::String(text)) => text.push_str(random.choice(STRINGS).unwrap_or_default()),
        (4, Value::String(text)) => drop(text.pop()),
        (_, node) => *node = scalar(random),
    }
}

fn mutate_map(map: &mut Map<String, Value>, elsewhere: Value, random: &mut Rng) {
    let known = random.choice(map.keys()).cloned();
    match (random.u8(..4), known) {
        (0, Some(known)) => drop(map.remove(&known)),
        (1, Some(known)) => {
            let moved = map.remove(&known).unwrap_or_default();
            map.insert(key(random), moved);
        }
        (2, _) => drop(map.insert(key(random), elsewhere)),
        (_, _) => drop(map.insert(key(random), scalar(random))),
    }
}

fn mutate_list(list: &mut Vec<Value>, elsewhere: Value, random: &mut Rng) {
    let at = random.usize(..=list.len());
    match random.u8(..4) {
        0 if at < list.len() => drop(list.remove(at)),
        1 if at < list.len() => list.insert(at, list[at].clone()),
        2 => list.insert(at, scalar(random)),
        _ => list.insert(at, elsewhere),
    }
}

fn scalar(random: &mut Rng) -> Value {
    let numbers = [0, 1, 2, 3, -1, 100, 1 << 31, i64::from(i32::MIN), i64::MAX, i64::MIN];
    match random.u8(..8) {
        0 => Value::Null,
        1 => Value::Bool(random.bool()),
        2 => json!({}),
        3 => json!([]),
        4 => json!(random.choice([0.5, -0.0, 1e308, 18_446_744_073_709_551_615.0])),
        5 | 6 => json!(random.choice(numbers)),
        _ => json!(random.choice(STRINGS)),
    }
}

/// Mostly a name that some type knows.
fn key(random: &mut Rng) -> String {
    let known = random.choice(seeds::fields()).filter(|_| random.u8(..8) != 0);
    known.cloned().or_else(|| random.choice(STRINGS).map(str::to_owned)).unwrap_or_default()
}

fn with_another_head(line: &[u8], random: &mut Rng) -> Vec<u8> {
    let payload = line.iter().position(|byte| matches!(byte, b'{' | b'[')).map_or(&[][..], |start| &line[start..]);
    let source = random.choice(Source::all().collect::<Vec<_>>()).map_or("", Source::as_str);
    let head = match random.choice(WORDS) {
        Some(word) if random.u8(..8) != 0 => format!("{word} {source} "),
        _ => format!("{REFUSAL} "),
    };
    [head.as_bytes(), payload].concat()
}

fn with_another_byte(line: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut line = line.to_vec();
    let at = random.usize(..=line.len());
    match random.u8(..3) {
        0 if at < line.len() => drop(line.remove(at)),
        1 if at < line.len() => line[at] = random.u8(..),
        _ => line.insert(at, random.u8(..)),
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same() {
        let input = b"object Pod {\"metadata\":{\"name\":\"a\"}}\nrefusal {}";
        let mutated = |seed| mutate(input, &mut Rng::with_seed(seed));
        assert!((0..100).all(|seed| mutated(seed) == mutated(seed)));
        assert!((0..100).any(|seed| mutated(seed) != input));
    }

    #[test]
    fn most_mutations_are_still_json() {
        let input = seeds::all().into_iter().next().unwrap_or_default();
        let is_json = |line: &[u8]| {
            let start = line.iter().position(|byte| *byte == b'{').unwrap_or(line.len());
            serde_json::from_slice::<Value>(&line[start..]).is_ok()
        };
        let whole = (0..200).filter(|seed| {
            mutate(input.as_bytes(), &mut Rng::with_seed(*seed)).split(|byte| *byte == b'\n').all(is_json)
        });
        assert!(100 < whole.count());
    }
}
