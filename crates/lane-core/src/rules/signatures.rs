//! What is wrong with a signature, where one has to be there.

use super::context::Context;
use crate::signature::Signature;

impl Context<'_> {
    /// Why a signature will not do, as words that go on from what should have it: `is not signed`. One by an SSH key is verified; where the
    /// policy lists keys of the agent whose change it is, it has to be by one of these. Of any other kind it is known only
    /// that it is there.
    pub fn wrong_signature(&self, signature: &Signature) -> Option<String> {
        let agent = self.agent().filter(|agent| self.plan.signs(agent));
        match (signature, agent) {
            (Signature::None, _) => Some("is not signed".to_owned()),
            (Signature::Invalid { reason, .. }, _) => Some(format!("has a signature that {reason}")),
            (Signature::OtherKind(kind), Some(agent)) => {
                Some(format!("has a {} signature, and not one by a key of {agent}", kind.name()))
            }
            (Signature::Valid { key }, Some(agent))
                if self.plan.signer(key).is_none_or(|signer| signer.agent != agent) =>
            {
                Some(format!("is signed with a key that is not one of {agent}"))
            }
            _ => None,
        }
    }
}
