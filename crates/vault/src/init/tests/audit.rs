//! Every write of an initialisation is a line of the audit log, whether it came about or not.

use super::run::{Stage0, everywhere};
use super::world::Fault;
use crate::builders::Log;
use crate::init::next::{Step, Stuck};

/// What the log calls a request that writes; `None` for one that doesn't, and for logins and their ends.
fn act_of(request: &str) -> Option<&'static str> {
    let (method, path) = request.split_once(' ').unwrap();
    let parts: Vec<&str> = path.split('/').skip(2).collect();
    Some(match (method, parts.as_slice()) {
        ("PATCH", [.., "secrets", "keys"]) => "store-recovery-keys",
        ("PATCH", [.., "secrets", "holdfast-init-vault"]) => "advance-claim",
        ("POST", ["sys", "init"]) => "initialise",
        ("POST", ["sys", "auth", _]) => "enable-auth",
        ("POST", ["auth", _, "config"]) => "configure-auth",
        ("POST", ["auth", _, "role", _]) => "write-auth-role",
        ("POST", ["sys", "policies", "acl", _]) => "write-policy",
        ("POST", ["auth", _, "login"] | ["auth", "token", "revoke-self"]) => return None,
        ("GET", _) => return None,
        _ if request.ends_with("(dry run)") || request.ends_with("/token") => return None,
        _ => panic!("{request} isn't expected"),
    })
}

/// Plays an initialisation: how it ended, its requests, and what the log told.
fn play(fault: Option<(usize, Fault)>) -> (Step, Vec<String>, Vec<(String, String)>) {
    let stage = Stage0::new();
    stage.with_empty_secrets();
    stage.world.state.lock().fault = fault;
    let log = Log::default();
    let end = log.while_told(async { stage.settle(&stage.initialiser(stage.folder.path())).await });
    let trace = stage.world.state.lock().trace.clone();
    (end, trace, log.acts())
}

#[test]
fn each_write_has_its_line() {
    let (end, trace, told) = play(None);
    assert_eq!(end, Step::Rest);
    let mut expected: Vec<&str> = trace.iter().filter_map(|request| act_of(request)).collect();
    // The first write of the claim is what claims.
    *expected.iter_mut().find(|act| **act == "advance-claim").unwrap() = "claim-initialisation";
    assert!(told.iter().all(|(_, result)| result == "success"), "{told:?}");
    let (once, rest): (Vec<&str>, Vec<&str>) = told
        .iter()
        .map(|(act, _)| act.as_str())
        .partition(|act| ["prove-admin", "revoke-root", "wipe-spool"].contains(act));
    assert_eq!(once, ["prove-admin", "revoke-root", "wipe-spool"]);
    assert_eq!(rest, expected);
}

#[test]
fn a_write_that_was_refused_has_its_line_too() {
    let (_, trace, _) = play(None);
    let writes = trace.iter().enumerate().filter_map(|(at, request)| Some((at, request, act_of(request)?)));
    let writes: Vec<_> = writes.collect();
    everywhere(writes.len(), |index| {
        let (at, request, act) = writes[index];
        let act = if index == 0 { "claim-initialisation" } else { act };
        let (end, _, told) = play(Some((at, Fault::Refused)));
        let failed = told.iter().filter(|(_, result)| result == "failure").map(|(act, _)| act.as_str());
        // The proof fails with its part.
        let failed: Vec<&str> = failed.filter(|failed| *failed != "prove-admin").collect();
        assert_eq!(failed, [act], "{request}: {told:?}");
        assert!(end == Step::Rest || end == Step::Stuck(Stuck::Abandoned), "{request}: {end:?}");
    });
}
