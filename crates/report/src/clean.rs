//! Text from files is hostile: it may hold terminal escapes, invisible characters, or a megabyte.
//!
//! Everything that is told passes here once, when a report is built, so that no format has to think of it. What each format
//! escapes beyond that (HTML, XML, Markdown) is its own business.

use std::borrow::Cow;

/// No sentence or name that is told is longer.
const LONGEST: usize = 600;

/// The same text with everything visible that a terminal would obey or a person couldn't see, and not longer than is read.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    // As nearly all of it is.
    if text.len() <= LONGEST && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let short = match text.char_indices().nth(LONGEST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    };
    if short.chars().all(is_plain) { short } else { Cow::Owned(short.chars().map(visible).collect()) }
}

fn is_plain(c: char) -> bool {
    visible(c) == c
}

/// Each character stands for one, so that columns stay right.
pub(crate) fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        // Unicode has pictures for them, in the same order.
        '\0'..='\u{1f}' => char::from_u32(u32::from(c) + 0x2400).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        _ if c.is_control() || is_invisible(c) => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// Characters that show nothing, or change the order in which others are shown, and those that XML can't hold.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, told: &str) {
        assert_eq!(clean(given), told);
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        check("minAvailable: 50% über 1 pod – „genug“ 日本", "minAvailable: 50% über 1 pod – „genug“ 日本");
    }

    #[test]
    fn terminal_escapes_are_shown_and_not_obeyed() {
        check("a\u{1b}[2Jb\u{7}\u{9b}31m\r\n", "a␛[2Jb␇\u{fffd}31m␍␊");
    }

    #[test]
    fn text_that_would_be_read_backwards_is_not() {
        check("user\u{202e}nimda\u{200b}", "user\u{fffd}nimda\u{fffd}");
    }

    #[test]
    fn a_name_of_a_megabyte_is_cut() {
        let told = clean(&"é".repeat(1 << 20)).into_owned();
        assert_eq!(told.chars().count(), LONGEST + 1);
        assert!(told.ends_with('…'));
    }
}
