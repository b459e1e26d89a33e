//! What is read: files and standard input, as far as they can be read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use holdfast_gitops::yaml::{Dialect, ErrorKind, Limits, ParseError, parse_as};
use holdfast_gitops::{FileId, Node};

/// No renderer prints more of one cluster.
const MOST_BYTES: usize = 256 << 20;

/// What became of a file.
pub(super) struct Input {
    /// What it is called.
    pub(super) name: String,
    /// Its documents; of one with an error those before it.
    pub(super) documents: Vec<Node>,
    /// Why it wasn't read to its end.
    pub(super) error: Option<String>,
}

/// Reads a file, or standard input where that is meant, as the API server's clients do.
pub(super) fn read(path: &Path) -> Input {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "<stdin>".to_owned() } else { path.display().to_string() };
    let text = if is_stdin { bytes_of(io::stdin().lock()) } else { File::open(path).and_then(bytes_of) };
    match text {
        Ok(text) => {
            // Each is read by itself: the number only tells that it is a file.
            let file = FileId::new(0).unwrap_or(FileId::NONE);
            let limits = Limits { bytes: MOST_BYTES, ..Limits::default() };
            let parsed = parse_as(Dialect::Kubernetes, file, &text, &limits);
            Input { name, documents: parsed.documents, error: parsed.error.as_ref().map(told) }
        }
        Err(error) => Input { name, documents: Vec::new(), error: Some(error.to_string()) },
    }
}

/// One more than is taken: the reader then says that it is too large.
fn bytes_of(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(MOST_BYTES as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn told(error: &ParseError) -> String {
    match error.kind {
        // Where a template stops being YAML says nothing about the template.
        ErrorKind::Template => error.message.clone(),
        ErrorKind::Syntax
        | ErrorKind::Binary
        | ErrorKind::Encoding
        | ErrorKind::TooLarge
        | ErrorKind::TooDeep
        | ErrorKind::TooManyAliases
        | ErrorKind::Alias
        | ErrorKind::Merge
        | ErrorKind::Key => error.to_string(),
    }
}
