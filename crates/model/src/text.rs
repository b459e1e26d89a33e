//! Interned text: one allocation for each distinct string of the cluster.
//!
//! Namespaces, label keys and values, images and names of owners repeat by the thousand. Equality is a pointer
//! comparison, which is what makes matching selectors against every pod cheap. Text without an owner is freed soon.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::LazyLock;

use arcstr::ArcStr;
use serde::{Deserialize, Deserializer, de};

use crate::pool::Pool;

static POOL: LazyLock<Pool<ArcStr>> = LazyLock::new(Pool::default);

/// How many strings that somebody has are meant.
#[cfg(test)]
pub(crate) fn count(is_meant: impl Fn(&str) -> bool) -> usize {
    POOL.count(|text| is_meant(text))
}

/// A string that is stored once however often it occurs; cheap to clone, compared by address, ordered by content.
#[derive(Clone)]
pub struct Text(ArcStr);

impl Text {
    /// The text, when anybody has it; to ask after what is looked up only, so that the question leaves nothing behind.
    #[must_use]
    pub fn known(text: &str) -> Option<Self> {
        POOL.known(text).map(Self)
    }

    /// The text as a plain string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        ArcStr::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_ptr().hash(state);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(POOL.intern(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn equal_strings_are_one_allocation() {
        let (a, b) = (Text::from("web"), Text::from("web".to_owned()));
        assert_eq!(a, b);
        assert!(std::ptr::eq(a.as_str(), b.as_str()));
        assert_ne!(a, Text::from("db"));
    }

    #[test]
    fn order_is_that_of_the_content() {
        // Interned in another order than that of the alphabet, so that addresses would give the wrong answer.
        let mut all = ["m", "z", "a", "", "b"].map(Text::from);
        all.sort();
        assert_eq!(all.map(|text| text.to_string()), ["", "a", "b", "m", "z"]);
    }
}
