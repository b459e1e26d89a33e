//! B's token: what the Secret holds, what A says about it, and how it reaches B.

use std::time::Duration;

use jiff::Timestamp;

/// B's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// What the Secret holds.
    pub content: Content,
    /// What A says about it.
    pub lookup: Lookup,
    /// What is known of the role that makes it.
    pub role: RoleSight,
    /// What a renewal or the mint warned of: the life is capped.
    pub capped: Option<String>,
}

/// What the Secret holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The token is a literal in the configuration of B: nobody but B knows it.
    External,
    /// There is no such Secret.
    NoSecret,
    /// The Secret has no such key.
    NoKey,
    /// We may not read it, with what was said.
    Refused(String),
    /// It couldn't be read just now.
    Unseen,
    /// It holds what no server takes.
    Malformed(Malformed),
    /// It holds a token.
    Present,
}

/// What is wrong with the text of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing.
    Empty,
    /// A line break, such as an editor or `echo` adds.
    Newline,
    /// Space within or around.
    Space,
    /// Characters that can't be printed.
    Unprintable,
}

impl Malformed {
    /// What is wrong with a text, if anything is. Whether it is a token is for A to say.
    #[must_use]
    pub fn of(text: &[u8]) -> Option<Self> {
        if text.is_empty() {
            Some(Self::Empty)
        } else if text.contains(&b'\n') || text.contains(&b'\r') {
            Some(Self::Newline)
        } else if text.iter().any(|byte| byte.is_ascii_whitespace()) {
            Some(Self::Space)
        } else if text.iter().any(|byte| !byte.is_ascii_graphic()) {
            Some(Self::Unprintable)
        } else {
            None
        }
    }

    /// As it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "it is empty",
            Self::Newline => "it holds a line break",
            Self::Space => "it holds white space",
            Self::Unprintable => "it holds characters that can't be printed",
        }
    }
}

/// What A says about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It lives.
    Alive {
        /// When it ends unless it is renewed; `None` for one that doesn't end.
        ends: Option<Timestamp>,
        /// How long it lived when it was made or renewed last.
        life: Duration,
        /// Whether it can be renewed.
        renewable: bool,
        /// Whether it lives on when the token that made it is gone.
        orphan: bool,
        /// The role that made it.
        role: Option<String>,
        /// The period it renews for, where the server tells.
        period: Option<Duration>,
        /// Whether it is a root token.
        root: bool,
        /// Whether it could make the key anew: it is root, or may `create` on encrypt. `None` when that isn't known.
        makes_keys: Option<bool>,
    },
    /// It doesn't live, or never did.
    Dead,
    /// It lives, but may not look at itself.
    Blind,
    /// It wasn't asked, or A didn't answer.
    Unseen,
}

/// What is known of the role that makes B's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSight {
    /// Nothing: we may not look, or it was made by none.
    Unseen,
    /// There is none of this name: a token that it made can't be renewed.
    Gone(String),
    /// What it is like.
    Seen(Role),
}

/// The role on A that makes B's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// The period its tokens renew for; `None` for a role whose tokens end.
    pub period: Option<Duration>,
    /// Whether its tokens are orphans.
    pub orphan: bool,
    /// Whether its tokens can be renewed.
    pub renewable: bool,
    /// The life after which its tokens end in any case.
    pub explicit_max: Option<Duration>,
    /// Whether its tokens get the policy `default`, by which they renew themselves.
    pub default_policy: bool,
}

/// How the token reaches the server in the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// By an environment variable from our Secret.
    Env(String),
    /// By a file on a volume of our Secret, mounted there.
    File(String),
    /// The pod template doesn't use the Secret.
    Unused,
    /// A file of the Secret is mounted by `subPath`, which never sees a change.
    SubPath(String),
}
