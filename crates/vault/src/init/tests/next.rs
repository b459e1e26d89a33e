//! What comes next: the table, and what never does.

use jiff::Timestamp;
use proptest::prelude::*;

use super::claim::{claim, recorded};
use crate::init::claim::{Reading, Stage, Unreadable, WORK};
use crate::init::gate::{Closed, Go};
use crate::init::next::{By, Facts, Holder, Spooled, Step, Stuck, Wait, next};
use crate::view::Server;

const NOW: i64 = 1000 + WORK;

fn go() -> Go {
    Go { pod: "vault-0".to_owned(), uid: "uid-0".to_owned(), service: "vault".to_owned() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn proven() -> Stage {
    Stage::AdminProven(recorded(), "accessor".to_owned())
}

/// The leader, who isn't at work, long after the claim was made.
fn facts(claim: &Reading) -> Facts<'_> {
    Facts {
        claim,
        holder: Holder::Us,
        spool: Spooled::Nothing,
        working: false,
        server: Server::Blank,
        gate: Ok(go()),
        wanted: true,
        discard: "",
        leads: true,
        now: at(NOW),
    }
}

#[track_caller]
fn check(facts: &Facts<'_>, expected: Step) {
    assert_eq!(next(facts), expected, "{facts:?}");
}

#[test]
fn what_nobody_has_claimed_is_claimed_when_the_gate_is_open() {
    let vacant = Reading::Vacant;
    let facts = facts(&vacant);
    check(&facts, Step::Claim(go()));
    check(&Facts { leads: false, ..facts.clone() }, Step::Wait(Wait::NotLeading));
    let closed = Closed::PlainHttp;
    check(&Facts { gate: Err(closed.clone()), ..facts.clone() }, Step::Wait(Wait::Closed(closed)));
    check(&Facts { gate: Err(Closed::NotAsked), ..facts.clone() }, Step::Rest);
    check(&Facts { gate: Err(Closed::Initialised("vault-0".to_owned())), ..facts.clone() }, Step::Rest);
    // Somebody deleted the claim whose answer is here.
    check(&Facts { spool: Spooled::Answer, ..facts.clone() }, Step::Stuck(Stuck::ClaimGone));
    check(&Facts { working: true, ..facts }, Step::Wait(Wait::AtWork));
}

#[test]
fn a_claim_that_nobody_can_read_stops_everybody() {
    let unreadable = Reading::Unreadable(Unreadable::Edited);
    let stuck = Step::Stuck(Stuck::ClaimUnreadable("it was edited by hand".to_owned()));
    for leads in [true, false] {
        check(&Facts { leads, discard: "0123456789abcdef", ..facts(&unreadable) }, stuck.clone());
    }
}

#[test]
fn what_was_claimed_here_is_sent_once() {
    for stage in [Stage::Unsent, Stage::Claimed] {
        let reading = Reading::Claim(claim(stage));
        let facts = facts(&reading);
        check(&facts, Step::Send);
        check(&Facts { now: at(1001), ..facts.clone() }, Step::Send);
        check(&Facts { working: true, ..facts.clone() }, Step::Wait(Wait::AtWork));
        check(&Facts { server: Server::Unseen, ..facts.clone() }, Step::Wait(Wait::ServerUnseen));
        // Whoever initialised it, it wasn't this request.
        check(&Facts { server: Server::Initialised, ..facts.clone() }, Step::Discard);
        check(&Facts { wanted: false, ..facts.clone() }, Step::Discard);
        check(&Facts { discard: "0123456789abcdef", ..facts.clone() }, Step::Discard);
        // Whoever leads by now begins anew.
        for server in [Server::Blank, Server::Initialised, Server::Unseen] {
            check(&Facts { leads: false, server, ..facts.clone() }, Step::Discard);
        }
    }
    let reading = Reading::Claim(claim(Stage::Claimed));
    let facts = facts(&reading);
    let sent = Facts { spool: Spooled::Sent, ..facts };
    check(&sent, Step::Stuck(Stuck::Abandoned));
    check(&Facts { server: Server::Initialised, ..sent.clone() }, Step::Stuck(Stuck::OutcomeUnknown));
    check(&Facts { server: Server::Unseen, ..sent }, Step::Wait(Wait::ServerUnseen));
}

#[test]
fn an_answer_is_stored_whoever_leads() {
    for stage in [Stage::Unsent, Stage::Claimed] {
        let reading = Reading::Claim(claim(stage));
        for (leads, server) in [(true, Server::Initialised), (false, Server::Unseen), (false, Server::Blank)] {
            let discard = "0123456789abcdef";
            check(&Facts { spool: Spooled::Answer, leads, server, discard, ..facts(&reading) }, Step::Store);
        }
    }
}

/// Nobody can send for it any more once it is gone, wherever its holder is.
#[test]
fn the_claim_of_another_that_sent_nothing_is_dropped_when_it_is_old() {
    let reading = Reading::Claim(claim(Stage::Unsent));
    for server in [Server::Blank, Server::Initialised, Server::Unseen] {
        let theirs = Facts { holder: Holder::Another, server, ..facts(&reading) };
        check(&Facts { now: at(NOW - 1), ..theirs.clone() }, Step::Wait(Wait::AtWork));
        check(&Facts { leads: false, ..theirs.clone() }, Step::Wait(Wait::NotLeading));
        check(&theirs, Step::Discard);
    }
}

#[test]
fn the_claim_of_another_is_waited_for_and_then_is_for_a_person() {
    let reading = Reading::Claim(claim(Stage::Claimed));
    let theirs = Facts { holder: Holder::Another, ..facts(&reading) };
    check(&Facts { now: at(NOW - 1), ..theirs.clone() }, Step::Wait(Wait::AtWork));
    check(&theirs, Step::Stuck(Stuck::Abandoned));
    check(&Facts { server: Server::Initialised, ..theirs.clone() }, Step::Stuck(Stuck::OutcomeUnknown));
    check(&Facts { server: Server::Unseen, ..theirs }, Step::Wait(Wait::ServerUnseen));
}

#[test]
fn a_person_may_give_up_an_attempt_whose_server_is_blank_again() {
    let reading = Reading::Claim(claim(Stage::Claimed));
    for (holder, spool) in [(Holder::Another, Spooled::Nothing), (Holder::Us, Spooled::Sent)] {
        let asked = Facts { holder, spool, discard: "0123456789abcdef", ..facts(&reading) };
        check(&asked, Step::Discard);
        check(&Facts { discard: "another", ..asked.clone() }, Step::Stuck(Stuck::Abandoned));
        check(&Facts { server: Server::Initialised, ..asked.clone() }, Step::Stuck(Stuck::OutcomeUnknown));
        check(&Facts { server: Server::Unseen, ..asked.clone() }, Step::Wait(Wait::ServerUnseen));
        assert_ne!(next(&Facts { now: at(NOW - 1), ..asked.clone() }), Step::Discard, "a request may be on its way");
        assert_ne!(next(&Facts { leads: false, ..asked }), Step::Discard);
    }
}

#[test]
fn what_follows_the_answer_is_done_by_whoever_has_it() {
    for leads in [true, false] {
        let reading = Reading::Claim(claim(Stage::Stored(recorded())));
        let here = Facts { spool: Spooled::Answer, server: Server::Initialised, leads, ..facts(&reading) };
        check(&here, Step::ProveAdmin);
        check(&Facts { server: Server::Unseen, ..here.clone() }, Step::Wait(Wait::ServerUnseen));
        check(&Facts { server: Server::Blank, ..here.clone() }, Step::Stuck(Stuck::StorageLost));
        check(&Facts { spool: Spooled::Sent, ..here }, Step::Stuck(Stuck::AdminNotProven));
        let reading = Reading::Claim(claim(proven()));
        let here = Facts { spool: Spooled::Answer, server: Server::Initialised, leads, ..facts(&reading) };
        check(&here, Step::RevokeRoot(By::Itself));
        let reading = Reading::Claim(claim(Stage::Complete(recorded())));
        check(&Facts { claim: &reading, ..here.clone() }, Step::Wipe);
        check(&Facts { claim: &reading, spool: Spooled::Sent, ..here.clone() }, Step::Wipe);
        check(&Facts { claim: &reading, spool: Spooled::Nothing, ..here }, Step::Rest);
    }
}

#[test]
fn when_the_answer_is_gone_the_administrator_revokes_the_root_token() {
    let stored = Reading::Claim(claim(Stage::Stored(recorded())));
    let theirs = Facts { holder: Holder::Another, server: Server::Initialised, ..facts(&stored) };
    check(&Facts { now: at(NOW - 1), ..theirs.clone() }, Step::Wait(Wait::AtWork));
    check(&theirs, Step::Stuck(Stuck::AdminNotProven));
    let proven = Reading::Claim(claim(proven()));
    let theirs = Facts { claim: &proven, ..theirs };
    check(&Facts { now: at(NOW - 1), ..theirs.clone() }, Step::Wait(Wait::AtWork));
    check(&theirs, Step::RevokeRoot(By::Accessor));
    check(&Facts { leads: false, ..theirs }, Step::Wait(Wait::NotLeading));
}

#[test]
fn a_server_that_is_blank_after_it_was_complete_lost_its_storage() {
    let reading = Reading::Claim(claim(Stage::Complete(recorded())));
    check(&facts(&reading), Step::Stuck(Stuck::StorageLost));
    check(&Facts { server: Server::Unseen, ..facts(&reading) }, Step::Rest);
}

fn readings() -> impl Strategy<Value = Reading> {
    prop_oneof![
        Just(Reading::Vacant),
        Just(Reading::Unreadable(Unreadable::Edited)),
        prop_oneof![
            Just(Stage::Unsent),
            Just(Stage::Claimed),
            Just(Stage::Stored(recorded())),
            Just(proven()),
            Just(Stage::Complete(recorded()))
        ]
        .prop_map(|stage| Reading::Claim(claim(stage))),
    ]
}

proptest! {
    /// Whatever is known, nothing is sent but by the holder that never sent it, for a server that is blank, while it leads.
    #[test]
    fn nothing_is_sent_twice(
        reading in readings(),
        ours: bool,
        spool in prop_oneof![Just(Spooled::Nothing), Just(Spooled::Sent), Just(Spooled::Answer)],
        working: bool,
        server in prop_oneof![Just(Server::Blank), Just(Server::Initialised), Just(Server::Unseen)],
        open: bool,
        discard: bool,
        leads: bool,
        second in 990..2 * NOW,
    ) {
        let holder = if ours { Holder::Us } else { Holder::Another };
        let gate = if open { Ok(go()) } else { Err(Closed::StorageUnseen) };
        let discard = if discard { "0123456789abcdef" } else { "" };
        let facts = Facts { claim: &reading, holder, spool, working, server, gate, wanted: true, discard, leads, now: at(second) };
        match next(&facts) {
            Step::Send => {
                prop_assert!(ours && leads && !working && server == Server::Blank && spool == Spooled::Nothing);
                prop_assert!(matches!(&reading, Reading::Claim(claim) if matches!(claim.stage, Stage::Unsent | Stage::Claimed)));
            }
            Step::Claim(_) => prop_assert!(reading == Reading::Vacant && leads && open && !working),
            Step::Discard => {
                let Reading::Claim(claim) = &reading else { return Err(TestCaseError::fail("there is none")) };
                let never_sent = ours && spool == Spooled::Nothing || !ours && claim.stage == Stage::Unsent;
                let given_up = !discard.is_empty() && server == Server::Blank && leads;
                prop_assert!(!working && (never_sent || given_up) && (leads || ours));
                prop_assert!(!(ours && spool == Spooled::Answer));
                prop_assert!(matches!(claim.stage, Stage::Unsent | Stage::Claimed));
            }
            Step::Store | Step::ProveAdmin | Step::RevokeRoot(By::Itself) => {
                prop_assert!(ours && spool == Spooled::Answer && !working);
            }
            Step::RevokeRoot(By::Accessor) => prop_assert!(leads && server == Server::Initialised),
            Step::Wipe => prop_assert!(matches!(&reading, Reading::Claim(claim) if matches!(claim.stage, Stage::Complete(_)))),
            Step::Rest | Step::Wait(_) | Step::Stuck(_) => {}
        }
    }
}
