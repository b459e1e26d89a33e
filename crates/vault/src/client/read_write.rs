//! Any other path: for settings that need no type of their own.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::path::Path;
use super::reply::{Envelope, Reply};
use super::request::{Accept, Request};
use super::{Client, Error, Kind, Operation, Says};

/// What a path answered. Its `Debug` tells the names of the fields only.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// The envelope's `data`; empty when the answer had none.
    pub data: Map<String, Value>,
    /// What came with it.
    pub warnings: Vec<String>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("data", &self.data.keys()).finish_non_exhaustive()
    }
}

impl Client {
    /// Reads a path below `/v1/`; `None` when there is nothing.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn read(&self, path: &str, token: &SecretString) -> Result<Option<Answer>, Error> {
        let operation = Operation::Read;
        let request =
            Path::parse(path).map(|path| Request::get(path).with_token(token).accepting(Accept::SuccessOrNone));
        let read = |reply: &Reply| if reply.is_none() { Ok(None) } else { answer(reply).map(Some) };
        self.send(operation, request, read).await
    }

    /// Writes to a path below `/v1/`. Sent once. Errors repeat no text of `body`.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn write(&self, path: &str, token: &SecretString, body: &Value) -> Result<Answer, Error> {
        let operation = Operation::Write;
        let request = Path::parse(path).map(|path| {
            let request = Request::post(path).with_token(token).with_body(body);
            texts(body).into_iter().fold(request, |request, text| request.with_secret(&text.into()))
        });
        self.send(operation, request, answer).await
    }

    /// Deletes what is at a path below `/v1/`. Nothing there, or nothing mounted there, is a success. Sent once.
    ///
    /// # Errors
    /// Any of [`super::Kind`].
    pub async fn delete(&self, path: &str, token: &SecretString) -> Result<(), Error> {
        let operation = Operation::Delete;
        let request =
            Path::parse(path).map(|path| Request::delete(path).with_token(token).accepting(Accept::SuccessOrNone));
        match self.send(operation, request, |_| Ok(())).await {
            Err(error) if error.says() == Some(Says::NoRoute) => Ok(()),
            outcome => outcome,
        }
    }
}

fn answer(reply: &Reply) -> Result<Answer, Kind> {
    if reply.body.is_empty() {
        return Ok(Answer { data: Map::new(), warnings: Vec::new() });
    }
    let Envelope { data, warnings, .. } = reply.envelope()?;
    Ok(Answer { data: data.unwrap_or_default(), warnings: warnings.unwrap_or_default() })
}

/// All texts in a JSON: any of them may be a secret.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
    }
}
