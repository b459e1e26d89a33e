//! Why a sealed server doesn't start, or soon wouldn't: one cause at a time, and what a person does about it.
//!
//! The order of `Cause::ALL` is the order of the runbook, most upstream first. The name is the value in the status, in
//! events and metrics; in kebab-case it is the anchor of the runbook.

/// A cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Another resource stands for the same server or the same key, and is older.
    Conflict,
    /// The StatefulSet isn't there.
    TargetMissing,
    /// Something that is needed may not be read.
    NotPermitted,
    /// A's address is one that may not be used.
    TransitForbidden,
    /// No connection to A.
    TransitUnreachable,
    /// A accepts connections and doesn't answer.
    TransitHangs,
    /// TLS to A fails.
    TransitTls,
    /// Something that is no Vault answers at A's address.
    TransitNotVault,
    /// Only a standby of A answers.
    TransitStandbyOnly,
    /// A is sealed itself.
    TransitSealed,
    /// The Secret of the token, or its key, isn't there.
    TokenMissing,
    /// The Secret holds what no server takes as a token.
    TokenMalformed,
    /// A doesn't know the token (any more).
    TokenDead,
    /// The token lives, and may not use the key.
    TokenDenied,
    /// The key isn't there.
    KeyMissing,
    /// The key isn't the one that B was sealed with.
    KeyReplaced,
    /// A no longer decrypts the version of the key that B is sealed with.
    KeyVersionTooOld,
    /// A was restored from before the version of the key that B is sealed with.
    TransitRestoredOld,
    /// Whether the server was initialised by us isn't known.
    InitOutcomeUnknown,
    /// An initialisation was claimed, and didn't come to anything that can be seen.
    InitAbandoned,
    /// The claim of an initialisation was edited or deleted.
    ClaimBroken,
    /// The server was initialised, and its recovery keys couldn't be stored yet.
    RecoveryKeysNotStored,
    /// Nobody could log in as administrator yet.
    AdminNotProven,
    /// An initialised server answers that it isn't any more.
    StorageLost,
    /// The disk is older than the resource: initialising might overwrite something.
    StorageOlderThanResource,
    /// The server was never initialised.
    NotInitialised,
    /// A pod hasn't joined the others.
    NotJoined,
    /// A migration of the seal waits for shares.
    MigrationPending,
    /// A standby was migrated, and the leader not yet.
    MigratedStandby,
    /// The server hangs though A answers and the rehearsal passes.
    ServerHung,
    /// The server ends again and again though the rehearsal passes.
    ServerCrashes,
    /// The server can't be reached from here.
    ServerUnreachable,
    /// Somebody sealed it by hand.
    SealedByPerson,
    /// It stays sealed, and nothing that can be seen from here explains it.
    SealedUnexplained,
    /// The replicas have no leader.
    QuorumLost,
    /// Our own login to A is refused.
    LoginRefused,
    /// The pod template doesn't use the Secret.
    TokenNotWired,
    /// The token may do more than it should, or its role makes tokens that end.
    TokenRoleUnsafe,
    /// The token's life is capped: it can't be renewed for ever.
    TokenCapped,
    /// The token ends soon.
    TokenExpiring,
    /// The key isn't guarded against being lost.
    KeyUnguarded,
    /// A pod has to be deleted, and would come back with another template.
    PendingTemplateChange,
    /// A pod has to be deleted, and only a person should.
    RestartByHand,
}

/// How bad a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Nothing is down, and nothing will be soon; something should be put right.
    Advice,
    /// Nothing is down; the next start is at risk.
    Risk,
    /// Something is down, or wouldn't start now.
    Down,
    /// The same, and only a person can go on.
    Stalled,
}

impl Cause {
    /// All of them, most upstream first.
    pub const ALL: [Self; 43] = [
        Self::Conflict,
        Self::TargetMissing,
        Self::NotPermitted,
        Self::TransitForbidden,
        Self::TransitUnreachable,
        Self::TransitHangs,
        Self::TransitTls,
        Self::TransitNotVault,
        Self::TransitStandbyOnly,
        Self::TransitSealed,
        Self::TokenMissing,
        Self::TokenMalformed,
        Self::TokenDead,
        Self::TokenDenied,
        Self::KeyMissing,
        Self::KeyReplaced,
        Self::KeyVersionTooOld,
        Self::TransitRestoredOld,
        Self::InitOutcomeUnknown,
        Self::InitAbandoned,
        Self::ClaimBroken,
        Self::RecoveryKeysNotStored,
        Self::AdminNotProven,
        Self::StorageLost,
        Self::StorageOlderThanResource,
        Self::NotInitialised,
        Self::NotJoined,
        Self::MigrationPending,
        Self::MigratedStandby,
        Self::ServerHung,
        Self::ServerCrashes,
        Self::ServerUnreachable,
        Self::SealedByPerson,
        Self::SealedUnexplained,
        Self::QuorumLost,
        Self::LoginRefused,
        Self::TokenNotWired,
        Self::TokenRoleUnsafe,
        Self::TokenCapped,
        Self::TokenExpiring,
        Self::KeyUnguarded,
        Self::PendingTemplateChange,
        Self::RestartByHand,
    ];

    /// As the status, events and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "Conflict",
            Self::TargetMissing => "TargetMissing",
            Self::NotPermitted => "NotPermitted",
            Self::TransitForbidden => "TransitForbidden",
            Self::TransitUnreachable => "TransitUnreachable",
            Self::TransitHangs => "TransitHangs",
            Self::TransitTls => "TransitTls",
            Self::TransitNotVault => "TransitNotVault",
            Self::TransitStandbyOnly => "TransitStandbyOnly",
            Self::TransitSealed => "TransitSealed",
            Self::TokenMissing => "TokenMissing",
            Self::TokenMalformed => "TokenMalformed",
            Self::TokenDead => "TokenDead",
            Self::TokenDenied => "TokenDenied",
            Self::KeyMissing => "KeyMissing",
            Self::KeyReplaced => "KeyReplaced",
            Self::KeyVersionTooOld => "KeyVersionTooOld",
            Self::TransitRestoredOld => "TransitRestoredOld",
            Self::InitOutcomeUnknown => "InitOutcomeUnknown",
            Self::InitAbandoned => "InitAbandoned",
            Self::ClaimBroken => "ClaimBroken",
            Self::RecoveryKeysNotStored => "RecoveryKeysNotStored",
            Self::AdminNotProven => "AdminNotProven",
            Self::StorageLost => "StorageLost",
            Self::StorageOlderThanResource => "StorageOlderThanResource",
            Self::NotInitialised => "NotInitialised",
            Self::NotJoined => "NotJoined",
            Self::MigrationPending => "MigrationPending",
            Self::MigratedStandby => "MigratedStandby",
            Self::ServerHung => "ServerHung",
            Self::ServerCrashes => "ServerCrashes",
            Self::ServerUnreachable => "ServerUnreachable",
            Self::SealedByPerson => "SealedByPerson",
            Self::SealedUnexplained => "SealedUnexplained",
            Self::QuorumLost => "QuorumLost",
            Self::LoginRefused => "LoginRefused",
            Self::TokenNotWired => "TokenNotWired",
            Self::TokenRoleUnsafe => "TokenRoleUnsafe",
            Self::TokenCapped => "TokenCapped",
            Self::TokenExpiring => "TokenExpiring",
            Self::KeyUnguarded => "KeyUnguarded",
            Self::PendingTemplateChange => "PendingTemplateChange",
            Self::RestartByHand => "RestartByHand",
        }
    }

    /// How bad it is.
    #[must_use]
    pub const fn gravity(self) -> Gravity {
        match self {
            Self::Conflict
            | Self::TargetMissing
            | Self::TransitForbidden
            | Self::InitOutcomeUnknown
            | Self::InitAbandoned
            | Self::ClaimBroken
            | Self::StorageLost
            | Self::StorageOlderThanResource
            | Self::MigrationPending => Gravity::Stalled,
            Self::NotPermitted
            | Self::TransitUnreachable
            | Self::TransitHangs
            | Self::TransitTls
            | Self::TransitNotVault
            | Self::TransitStandbyOnly
            | Self::TransitSealed
            | Self::TokenMissing
            | Self::TokenMalformed
            | Self::TokenDead
            | Self::TokenDenied
            | Self::KeyMissing
            | Self::KeyReplaced
            | Self::KeyVersionTooOld
            | Self::TransitRestoredOld
            | Self::RecoveryKeysNotStored
            | Self::AdminNotProven
            | Self::NotInitialised
            | Self::NotJoined
            | Self::MigratedStandby
            | Self::ServerHung
            | Self::ServerCrashes
            | Self::ServerUnreachable
            | Self::SealedByPerson
            | Self::SealedUnexplained
            | Self::QuorumLost
            | Self::PendingTemplateChange
            | Self::RestartByHand => Gravity::Down,
            Self::LoginRefused
            | Self::TokenNotWired
            | Self::TokenRoleUnsafe
            | Self::TokenCapped
            | Self::TokenExpiring => Gravity::Risk,
            Self::KeyUnguarded => Gravity::Advice,
        }
    }

    /// What a person does about it, in one or two sentences.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Conflict => "Delete one of the two resources; each server and each transit key belongs to one.",
            Self::TargetMissing => "Name an existing StatefulSet of this namespace in spec.target.statefulSetRef.",
            Self::NotPermitted => {
                "List the namespace and the names of its Secrets, ServiceAccounts and StatefulSets under vault.namespaces in the values of the chart."
            }
            Self::TransitForbidden => {
                "Write an address in spec.seal.transit.address that isn't loopback or link-local as the controller resolves it."
            }
            Self::TransitUnreachable => {
                "Start the transit server, or mend the name, route or network policy between here and spec.seal.transit.address."
            }
            Self::TransitHangs => {
                "Restart the transit server or the proxy before it: it takes connections and doesn't answer. Sealed servers hang with it and don't start."
            }
            Self::TransitTls => {
                "Put the certificate authority of the transit server into spec.seal.transit.tls.caSecretRef, or mend its certificate; the same file is needed by the sealed server."
            }
            Self::TransitNotVault => {
                "Look at what answers at spec.seal.transit.address, such as the error page of a proxy."
            }
            Self::TransitStandbyOnly => {
                "Point spec.seal.transit.address at the leader of the transit server, or at a Service that only selects it; where nobody leads, bring its servers back."
            }
            Self::TransitSealed => "Unseal the transit server; nothing that it seals starts before.",
            Self::TokenMissing => {
                "Write the token into the Secret and key of spec.token.secretRef, or let it be made: spec.seal.transit.provision: Token."
            }
            Self::TokenMalformed => {
                "Write the token into the Secret without a line break: `kubectl create secret generic NAME --from-file=token=FILE` keeps one, `printf %s` makes none."
            }
            Self::TokenDead => {
                "Make a new periodic, orphan token on the transit server and write it into the Secret, or let it be made: spec.seal.transit.provision: Token. It must be there before the server restarts."
            }
            Self::TokenDenied => {
                "Give the token's policy `update` on the encrypt and decrypt paths of the key, and compare mount and key name with the seal stanza."
            }
            Self::KeyMissing => {
                "Restore the transit key from a backup of the transit server. Don't make a new one of the same name: it would not open what the old one sealed."
            }
            Self::KeyReplaced => {
                "Restore the transit key from a backup that was made before it was replaced, and don't restart the sealed server meanwhile."
            }
            Self::KeyVersionTooOld => "Lower min_decryption_version of the transit key again.",
            Self::TransitRestoredOld => {
                "Restore the transit server from a backup made after the last rotation of the key."
            }
            Self::InitOutcomeUnknown => {
                "The server is initialised, and whether its recovery keys were received isn't known. It holds no user data yet: delete the PersistentVolumeClaims and pods that the message names, and write the attempt into spec.initialization.discardAttempt."
            }
            Self::InitAbandoned => {
                "Nothing is initialised, and nothing was lost: write the attempt (status.initialization.attempt) into spec.initialization.discardAttempt, and it is begun anew. Where the server refused it as its storage has state already, it was stopped in the midst of an earlier one: delete its PersistentVolumeClaim and its pod before."
            }
            Self::ClaimBroken => {
                "Put the Secret holdfast-init-<StatefulSet> back as it was, from a backup. Without one see whether the server is initialised and its shares are stored, as the runbook says, before you delete it; nothing is initialised or stored as long as it can't be read."
            }
            Self::RecoveryKeysNotStored => {
                "The keys are in the memory of the controller's pod alone: don't delete that pod. Let it write the Secret of spec.initialization.keyStore, and they are stored at once."
            }
            Self::AdminNotProven => {
                "Mend spec.initialization.admin until its role logs in; the root token isn't revoked before. Where it is lost, `vault operator generate-root` makes another with the recovery keys, and you delete the Secret holdfast-init-<StatefulSet> once you get in; OpenBao makes none, so delete the volumes first: they hold no user data yet."
            }
            Self::StorageLost => {
                "Bring the old volumes back, or restore a snapshot. It isn't initialised anew as long as the claim Secret of the earlier initialisation is there."
            }
            Self::StorageOlderThanResource => {
                "A volume is older than this resource, so it may hold something. Confirm with the annotation that the message names, or delete the volume."
            }
            Self::NotInitialised => {
                "Initialise it (`vault operator init`, `bao operator init`), or let it be done: spec.mode: Manage and spec.initialization.enabled."
            }
            Self::NotJoined => {
                "Look at retry_join and the network between the pods; one that hasn't joined has no data."
            }
            Self::MigrationPending => {
                "Finish the migration of the seal: `vault operator unseal -migrate` with enough shares. It is left alone meanwhile."
            }
            Self::MigratedStandby => {
                "Go on with the migration: the leader steps down last. It is left alone meanwhile."
            }
            Self::ServerHung => {
                "Delete the pod: it hung at a transit server that answers again. With spec.mode: Manage it is done."
            }
            Self::ServerCrashes => {
                "A pod that only waits in CrashLoopBackOff starts at once when it is deleted; with spec.mode: Manage it is done. One that ends again although the rehearsal passes has another reason: read the last lines of the container's log."
            }
            Self::ServerUnreachable => {
                "Open the way from the controller to the pods (network policy, TLS of the listener, spec.target.tls)."
            }
            Self::SealedByPerson => {
                "If the emergency is over: unseal with recovery keys (`vault operator unseal`), or delete the pod, or set spec.recovery.onApiSeal: Restart."
            }
            Self::SealedUnexplained => {
                "Read the server's log for `failed to unseal core`: `message authentication failed` means that the transit key was made anew before this resource knew it."
            }
            Self::QuorumLost => {
                "Bring back the pods that are missing; with their disks lost, recover the raft cluster from a peers.json or a snapshot."
            }
            Self::LoginRefused => {
                "Mend role, mount or audience in spec.seal.transit.auth (or spec.target.auth, where the message names the server itself), or the role on that server. The sealed server doesn't need this login to start."
            }
            Self::TokenNotWired => {
                "Let the pod template read the token from the Secret of spec.token.secretRef (as VAULT_TOKEN for Vault, VAULT_TRANSIT_SEAL_TOKEN for OpenBao, or a file without subPath), or set spec.token.delivery: External."
            }
            Self::TokenRoleUnsafe => {
                "Use a token of a role with orphan, token_period and renewable, and without `create` on encrypt: a root token would make a lost key anew without a word."
            }
            Self::TokenCapped => {
                "Raise max_lease_ttl of the token mount (or remove token_explicit_max_ttl of the role), or write a new token before this one ends."
            }
            Self::TokenExpiring => {
                "Renew the token, or make a periodic one; after its end the server won't start again."
            }
            Self::KeyUnguarded => {
                "Set deletion_allowed=false on the transit key, and back the transit server up after each rotation."
            }
            Self::PendingTemplateChange => {
                "The pod would come back from another template. Roll the StatefulSet out yourself, or put the template back."
            }
            Self::RestartByHand => "Delete the pod when it suits you; it is not done automatically while it serves.",
        }
    }

    /// Its place in the runbook.
    #[must_use]
    pub fn anchor(self) -> String {
        let mut anchor = String::new();
        for letter in self.as_str().chars() {
            if letter.is_ascii_uppercase() && !anchor.is_empty() {
                anchor.push('-');
            }
            anchor.push(letter.to_ascii_lowercase());
        }
        anchor
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Cause;

    #[test]
    fn every_cause_has_a_name_of_its_own_and_a_remedy() {
        let names: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
        assert!(Cause::ALL.iter().all(|cause| cause.remedy().ends_with('.')));
        assert_eq!(Cause::TransitHangs.anchor(), "transit-hangs");
    }
}
