//! Names that a policy does not have: what is said of them, and which name was probably meant.

use super::model::Agent;
use super::{Plan, Policy};
use crate::error::Error;

/// What a message says of an agent that is not in the policy called `policy`.
pub fn unknown_agent(id: &str, policy: &str) -> String {
    format!("unknown agent `{id}` in {policy}")
}

/// The known name nearest to `name`, where one is near enough to be what was meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|candidate| {
            let other = candidate.to_lowercase().replace('_', "-");
            (strsim::damerau_levenshtein(&folded, &other), candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint for a name that is not known: the nearest one that is.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

/// The same, and after it what helps in any case.
pub fn did_you_mean_or<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, rest: &str) -> String {
    match did_you_mean(name, known) {
        Some(hint) => format!("{hint} {rest}"),
        None => rest.to_owned(),
    }
}

impl Policy {
    /// The hint for an unknown name of an agent.
    pub fn agent_hint(&self, id: &str) -> String {
        did_you_mean_or(id, self.agent_ids(), &self.agents_in_words())
    }
}

impl Plan {
    /// An agent that somebody names.
    ///
    /// # Errors
    /// The policy does not have it.
    pub fn agent(&self, id: &str) -> Result<&Agent, Error> {
        self.policy
            .agent(id)
            .ok_or_else(|| Error::usage(unknown_agent(id, &self.source.name), self.policy.agent_hint(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name() {
        let known = ["services", "agents", "max_lines", "a1"];
        assert_eq!(nearest("servces", known), Some("services"));
        assert_eq!(nearest("max-lines", known), Some("max_lines"));
        assert_eq!(nearest("A1", known), Some("a1"));
        assert_eq!(nearest("kubernetes", known), None);
        assert_eq!(did_you_mean_or("A1", known, "or another"), "did you mean `a1`? or another");
        assert_eq!(did_you_mean_or("kubernetes", known, "or another"), "or another");
    }
}
