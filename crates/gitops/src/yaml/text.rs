//! From bytes to text, or to what is wrong with them.

use super::{ErrorKind, Limits, ParseError};
use crate::{FileId, Origin};

const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF16_MARKS: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// The text of a file, without its byte order mark.
pub(super) fn decode<'a>(file: FileId, bytes: &'a [u8], limits: &Limits) -> Result<&'a str, ParseError> {
    let start = Origin::new(file, 1, 1);
    if limits.bytes < bytes.len() {
        let message = format!("the file has {} bytes, and no more than {} are read", bytes.len(), limits.bytes);
        return Err(ParseError::new(ErrorKind::TooLarge, start, message));
    }
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        let message = "the file is in UTF-16; save it as UTF-8";
        return Err(ParseError::new(ErrorKind::Encoding, start, message));
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let message = "a NUL byte: this is a binary file, not YAML";
        return Err(ParseError::new(ErrorKind::Binary, place(file, &bytes[..at]), message));
    }
    str::from_utf8(bytes).map_err(|error| {
        let message = "this isn't UTF-8; save the file as UTF-8";
        ParseError::new(ErrorKind::Encoding, place(file, &bytes[..error.valid_up_to()]), message)
    })
}

/// The place after these bytes.
fn place(file: FileId, before: &[u8]) -> Origin {
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[begin..]).chars().count();
    Origin::new(file, line + 1, column + 1)
}
