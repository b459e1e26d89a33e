//! Whether the recovery keys are where they were put: by what the claim recorded, never by a hash of a plain one.

use std::collections::BTreeMap;

use super::claim::Recorded;
use super::recipients::digest;

/// How the recovery keys stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As many as were stored, and, where they are encrypted, the same.
    Stored,
    /// The Secret is there, and none of them is in it.
    NoneExist,
    /// Some are missing, or aren't what was stored.
    Changed,
    /// The Secret is gone.
    Lost,
}

impl Kept {
    /// As the reason of a condition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "Stored",
            Self::NoneExist => "NoneExist",
            Self::Changed => "Changed",
            Self::Lost => "Lost",
        }
    }
}

/// How the keys of an attempt stand in the data of their Secret; `None` when there is no such Secret.
#[must_use]
pub fn judge(attempt: &str, recorded: &Recorded, data: Option<&BTreeMap<String, Vec<u8>>>) -> Kept {
    let Some(data) = data else { return Kept::Lost };
    let prefix = format!("{attempt}.share-");
    let ours: Vec<(&str, &[u8])> = data
        .iter()
        .filter(|(name, _)| name.starts_with(&prefix))
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    let same = recorded.digest.as_ref().is_none_or(|known| *known == digest(ours.iter().copied()));
    if ours.is_empty() {
        Kept::NoneExist
    } else if ours.len() == usize::from(recorded.count) && same {
        Kept::Stored
    } else {
        Kept::Changed
    }
}
