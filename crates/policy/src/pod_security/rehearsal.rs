//! What the API server's warnings about a rehearsed label change mean (`pod-security-admission/admission/admission.go`).

/// What came of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No pod is in the way.
    Silent,
    /// The namespace is exempt by configuration: its labels mean nothing.
    Exempt,
    /// Pods are in the way: which, and why.
    Objects(String),
}

impl Answer {
    /// Reads the warnings. That only the first of very many pods were looked at is no objection: we have judged them all.
    #[must_use]
    pub fn of(warnings: &[String]) -> Self {
        if warnings.iter().any(|warning| warning.contains("is exempt from Pod Security")) {
            return Self::Exempt;
        }
        let objects = |warning: &&String| {
            warning.starts_with("existing pods in namespace") || warning.starts_with("failed to list pods")
        };
        match warnings.iter().position(|warning| objects(&warning)) {
            None => Self::Silent,
            Some(first) => Self::Objects(warnings[first..].join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing(&[], Answer::Silent)]
    #[case::not_all(&["new PodSecurity enforce level only checked against the first 3000 of 4000 existing pods"], Answer::Silent)]
    #[case::somebody_elses(&["unknown field \"x\""], Answer::Silent)]
    #[case::exempt(&["namespace \"kube-system\" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored"], Answer::Exempt)]
    #[case::pods(
        &["existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:v1.35\"", "web-1: host namespaces"],
        Answer::Objects("existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:v1.35\"; web-1: host namespaces".into())
    )]
    fn is_read(#[case] warnings: &[&str], #[case] expected: Answer) {
        let warnings: Vec<String> = warnings.iter().map(|warning| (*warning).to_owned()).collect();
        assert_eq!(Answer::of(&warnings), expected);
    }
}
