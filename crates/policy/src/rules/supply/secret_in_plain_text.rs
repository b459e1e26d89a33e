//! `secret-in-plain-text`: a value that looks like a secret, in a file that is not encrypted. One finding for each object.
//!
//! Never says a value, not even a part of one. What stands for a value (variables, references, placeholders) is none. Looks at
//! every file, also at what no Flux root reaches: whoever clones the checkout can read it.

use holdfast_model::Repository;
use holdfast_model::repository::{Exposed, Looks};

use crate::rules::named;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SecretInPlainText,
    domain: Domain::Supply,
    severity: Severity::High,
    summary: "a secret lies in Git in plain text",
    prose: include_str!("secret_in_plain_text.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    for vessel in &repository.supply.vessels {
        let Some(worst) = vessel.exposed.iter().min_by_key(|exposed| exposed.looks) else {
            answers.holds();
            continue;
        };
        let kind = vessel.identity.subject.kind;
        let keys = named(vessel.exposed.iter().map(|exposed| exposed.key.as_str()));
        let verb = if vessel.exposed.len() == 1 { "is" } else { "are" };
        let why = because(worst);
        let message = format!("{keys} {verb} readable by whoever can read the repository ({why})");
        let remedy = match kind {
            "Secret" | "ConfigMap" => {
                "encrypt it with SOPS or fetch it with an ExternalSecret, and rotate it: history keeps what was pushed"
            }
            "HelmRelease" => {
                "take it from a Secret (valuesFrom, or what the chart offers), and rotate it: history keeps what was pushed"
            }
            _ => "encrypt the file with SOPS, and rotate what is in it: history keeps what was pushed",
        };
        let problem = Problem::at("", message, remedy).severe(severity(worst, kind));
        answers.fails_where(&vessel.identity, Some(&worst.at), problem);
    }
}

/// What a cluster is made of opens all of it; a word that is called a password may open nothing.
fn severity(worst: &Exposed, kind: &str) -> Severity {
    match (worst.looks, kind) {
        (Looks::PrivateKey, "File") => Severity::Critical,
        (Looks::PrivateKey | Looks::Token(_) | Looks::NamedAndRandom, _) | (Looks::Named, "Secret" | "File") => {
            Severity::High
        }
        (Looks::Named | Looks::Random, _) => Severity::Medium,
    }
}

fn because(exposed: &Exposed) -> String {
    match exposed.looks {
        Looks::PrivateKey => "key material".to_owned(),
        Looks::Token(issuer) => format!("the form of a token of {issuer}"),
        Looks::NamedAndRandom => "by its name, and it looks random".to_owned(),
        Looks::Named => "by its name".to_owned(),
        Looks::Random => "it looks random".to_owned(),
    }
}
