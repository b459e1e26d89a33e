//! Changes to the lines of a watch on their way: what a real API server never sends, or only after an hour of filling it.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

type Line = dyn Fn(&[u8], &mut Vec<u8>) + Send + Sync;

/// What becomes of each line of a stream; lists that aren't streamed pass as they are.
#[derive(Clone)]
pub struct Edit {
    /// Before the first line.
    head: Arc<Vec<u8>>,
    line: Arc<Line>,
}

impl fmt::Debug for Edit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Edit").field("head", &self.head.len()).finish_non_exhaustive()
    }
}

impl Edit {
    /// The spec of the object of this name becomes text, which no type of ours reads.
    pub fn malform(namespace: &str, name: &str) -> Self {
        let at = (json!(namespace), json!(name));
        let line = move |line: &[u8], out: &mut Vec<u8>| match serde_json::from_slice::<Value>(line) {
            Ok(mut event)
                if (&event["object"]["metadata"]["namespace"], &event["object"]["metadata"]["name"])
                    == (&at.0, &at.1) =>
            {
                event["object"]["spec"] = json!("something else");
                out.extend_from_slice(event.to_string().as_bytes());
                out.push(b'\n');
            }
            Ok(_) | Err(_) => out.extend_from_slice(line),
        };
        Self { head: Arc::default(), line: Arc::new(line) }
    }

    /// These objects come first, as if the server had them too.
    pub fn crowd<'a>(self, objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut head = self.head.to_vec();
        for object in objects {
            head.extend_from_slice(json!({ "type": "ADDED", "object": object }).to_string().as_bytes());
            head.push(b'\n');
        }
        Self { head: Arc::new(head), ..self }
    }
}

/// An edit at work on one stream: bytes in, whole lines out.
pub(super) struct Editing {
    edit: Edit,
    begun: bool,
    rest: Vec<u8>,
}

impl Editing {
    pub(super) fn new(edit: Edit) -> Self {
        Self { edit, begun: false, rest: Vec::new() }
    }

    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(&self.edit.head);
        }
        self.rest.extend_from_slice(bytes);
        let complete = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..complete).collect();
        lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| (self.edit.line)(line, &mut out));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        r#"{"type":"ADDED","object":{"metadata":{"namespace":"a","name":"web"},"spec":{"replicas":3}}}"#,
        "\n",
        r#"{"type":"ADDED","object":{"metadata":{"namespace":"b","name":"web"},"spec":{"replicas":3}}}"#,
        "\n",
    );

    #[test]
    fn one_object_is_spoilt_and_others_come_first_wherever_the_bytes_are_cut() {
        let more = [json!({"metadata": {"name": "more"}})];
        let edit = Edit::malform("b", "web").crowd(&more);
        for cut in 0..STREAM.len() {
            let mut editing = Editing::new(edit.clone());
            let mut out = editing.pass(&STREAM.as_bytes()[..cut]);
            out.extend(editing.pass(&STREAM.as_bytes()[cut..]));
            let events: Vec<Value> = out
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect();
            let specs: Vec<&Value> = events.iter().map(|event| &event["object"]["spec"]).collect();
            assert_eq!(specs, [&Value::Null, &json!({"replicas": 3}), &json!("something else")], "cut at {cut}");
        }
    }
}
