//! Whose keys and accounts prove what.

use super::Plan;
use super::model::{Policy, Presence, Required};
use super::source::Span;
use crate::signature::Key;

/// A key that the policy lists, and for whom.
#[derive(Debug)]
pub struct Signer {
    /// The key.
    pub key: Key,
    /// The agent's id.
    pub agent: String,
    /// Where the policy lists it.
    pub span: Option<Span>,
}

/// The keys of a policy. What is no key is left out here, and is a mistake of the policy.
pub(super) fn of_policy(policy: &Policy) -> Vec<Signer> {
    let mut signers = Vec::new();
    for agent in &policy.agents.0 {
        for text in agent.identity.iter().flat_map(|identity| &identity.signing_keys) {
            if let Ok(key) = Key::parse(&text.value) {
                signers.push(Signer { key, agent: agent.id.value.clone(), span: text.span });
            }
        }
    }
    signers
}

impl Plan {
    /// Whether it says of any agent which accounts on GitHub it has.
    pub fn has_accounts(&self) -> bool {
        let identities = self.policy.agents.0.iter().filter_map(|agent| agent.identity.as_ref());
        identities.into_iter().any(|identity| !identity.github.is_empty())
    }

    /// Whether the policy lists any signing key.
    pub fn has_signers(&self) -> bool {
        !self.signers.is_empty()
    }

    /// Whether signatures of commits are looked at: to be held against keys, or because each commit has to have one.
    pub fn reads_signatures(&self) -> bool {
        self.has_signers() || self.policy.history.signatures.value == Presence::Required
    }

    /// Whose key it is, if it is anybody's.
    pub fn signer(&self, key: &Key) -> Option<&Signer> {
        self.signers.iter().find(|signer| signer.key == *key)
    }

    /// Whether an agent has signing keys.
    pub fn signs(&self, agent: &str) -> bool {
        self.signers.iter().any(|signer| signer.agent == agent)
    }

    /// The agent whose account on GitHub this is; GitHub knows no case in names.
    pub fn agent_of_account(&self, login: &str) -> Option<&str> {
        let is_its = |agent: &&super::model::Agent| {
            let mut accounts = agent.identity.iter().flat_map(|identity| &identity.github);
            accounts.any(|name| name.value.eq_ignore_ascii_case(login))
        };
        self.policy.agents.0.iter().find(is_its).map(|agent| agent.id.value.as_str())
    }

    /// Whether a claimed identity is not enough.
    pub fn wants_proof(&self) -> bool {
        self.policy.identity.require.value == Required::Proven
    }
}
