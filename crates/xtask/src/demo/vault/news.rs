//! What is new in a status, one line for each thing that a person would want to know.

use holdfast_api::VaultTransitUnsealStatus;

/// The conditions that are told.
const TOLD: [&str; 3] = ["Unsealed", "WouldStart", "ColdStart"];

/// What a status says that the one before it didn't.
pub(super) fn news(before: Option<&VaultTransitUnsealStatus>, after: &VaultTransitUnsealStatus) -> Vec<String> {
    let known = before.map(all).unwrap_or_default();
    all(after).into_iter().filter(|line| !known.contains(line)).collect()
}

fn all(status: &VaultTransitUnsealStatus) -> Vec<String> {
    let conditions = TOLD.iter().filter_map(|kind| status.conditions.iter().find(|condition| condition.type_ == *kind));
    let mut lines: Vec<String> =
        conditions.map(|told| format!("{} {} ({}): {}", told.type_, told.status, told.reason, told.message)).collect();
    lines.push(match &status.diagnosis {
        Some(found) => {
            format!("diagnosis {}: {}\n             what to do: {}", found.cause, found.message, found.remedy)
        }
        None => "diagnosis: none".to_owned(),
    });
    lines.extend(status.next_step.as_ref().map(|next| format!("next step {} ({})", next.action, next.reason)));
    lines
}

/// The whole status in one line, for an error.
pub(super) fn summary(status: &VaultTransitUnsealStatus) -> String {
    all(status).join("; ")
}

#[cfg(test)]
mod tests {
    use holdfast_api::vault_transit_unseal::{DiagnosisStatus, NextStepStatus};

    use super::*;

    fn status(cause: Option<&str>, action: &str) -> VaultTransitUnsealStatus {
        let diagnosis = cause.map(|cause| DiagnosisStatus {
            cause: cause.to_owned(),
            message: "seen".to_owned(),
            remedy: "Mend it.".to_owned(),
            since: None,
        });
        let next = NextStepStatus { action: action.to_owned(), reason: "Why".to_owned(), since: None };
        VaultTransitUnsealStatus { diagnosis, next_step: Some(next), ..VaultTransitUnsealStatus::default() }
    }

    #[test]
    fn only_what_is_new_is_told() {
        let (well, dead) = (status(None, "None"), status(Some("TokenDead"), "MintToken"));
        assert_eq!(news(None, &well), ["diagnosis: none", "next step None (Why)"]);
        assert_eq!(
            news(Some(&well), &dead),
            ["diagnosis TokenDead: seen\n             what to do: Mend it.", "next step MintToken (Why)"]
        );
        assert!(news(Some(&dead), &dead).is_empty());
    }
}
