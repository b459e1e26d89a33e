//! The `data` of a Secret as text, to see whether it is a placeholder or a key. Lines may be broken, as YAML breaks them.

/// No value of a Secret is longer.
const MOST: usize = 2 << 20;

/// The decoded text; none when it isn't base64, or no text.
pub(super) fn decode(text: &str) -> Option<String> {
    if MOST < text.len() {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace()) {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => continue,
            _ => return None,
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if 8 <= bits {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn text_comes_back_and_nothing_else_does() {
        assert_eq!(decode("aHVudGVyMg==").as_deref(), Some("hunter2"));
        assert_eq!(decode("aHVu\n  dGVyMg").as_deref(), Some("hunter2"));
        assert_eq!(decode(""), Some(String::new()));
        assert_eq!(decode("not base64!"), None);
        assert_eq!(decode("/////w=="), None);
    }
}
