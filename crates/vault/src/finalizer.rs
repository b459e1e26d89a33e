//! Whether a resource that goes has something on A to take back first. Pure.
//!
//! Only `deletionPolicy: Revoke` holds a resource, only for what we made, only once B is gone with its disks, and for a minute
//! at most: a transit server that is down must not keep a namespace from going.

use std::time::Duration;

use crate::settings::Settings;

/// As it stands in the metadata; the same word as on policies.
pub(crate) const FINALIZER: &str = "holdfast.dev/withdraw";
/// After so long it goes, whatever is left on A.
const DEADLINE: Duration = Duration::from_secs(60);

/// Whether our finalizer should be there while the resource lives.
#[must_use]
pub(crate) fn is_wanted(settings: &Settings) -> bool {
    settings.revoke && settings.allowed.manage && settings.allowed.mint
}

/// What there is of B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Neither StatefulSet nor disks.
    Nothing,
    /// One of them, so the token may be wanted.
    Something,
    /// It couldn't be seen.
    Unseen,
}

/// What to do with a resource that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Take back what is ours on A, then let it go.
    TakeBack,
    /// Let it go: with what was left on A, if anything.
    LetGo(Left),
    /// Look again.
    Wait,
}

/// What is left on A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Everything that we made, as the spec says.
    AsAsked,
    /// The same, since B is still there and may start with it.
    ForTheServer,
    /// Something that couldn't be taken back in time.
    TooLate,
}

/// What to do with a resource that has been going for this long.
#[must_use]
pub(crate) fn leave(wanted: bool, remains: Remains, going_for: Duration) -> Leave {
    match remains {
        _ if !wanted => Leave::LetGo(Left::AsAsked),
        _ if DEADLINE <= going_for => Leave::LetGo(Left::TooLate),
        Remains::Something => Leave::LetGo(Left::ForTheServer),
        Remains::Nothing => Leave::TakeBack,
        Remains::Unseen => Leave::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_from_a_server_that_is_still_there() {
        let soon = Duration::from_secs(1);
        assert_eq!(leave(true, Remains::Nothing, soon), Leave::TakeBack);
        assert_eq!(leave(true, Remains::Something, soon), Leave::LetGo(Left::ForTheServer));
        assert_eq!(leave(true, Remains::Unseen, soon), Leave::Wait);
        assert_eq!(leave(false, Remains::Nothing, soon), Leave::LetGo(Left::AsAsked));
    }

    #[test]
    fn nothing_holds_a_resource_for_longer_than_a_minute() {
        for remains in [Remains::Nothing, Remains::Something, Remains::Unseen] {
            assert_eq!(leave(true, remains, DEADLINE), Leave::LetGo(Left::TooLate));
        }
    }
}
