//! Whether the ports of this worktree's agent are its own.

use super::Check;
use super::lane::named_here;
use crate::ports::{PortConflict, probe};
use lane_core::policy::Plan;
use lane_git::Repository;

const PORTS: &str = "ports";

/// Nothing where the policy gives this worktree to nobody, or no ports to its agent.
pub(super) fn examine(repo: &dyn Repository, plan: &Plan) -> Option<Check> {
    let id = named_here(repo, plan)?;
    let range = plan.policy.agent(&id)?.ports.as_ref()?.value;
    let root = repo.layout().worktree.clone()?;
    let root = std::fs::canonicalize(&root).unwrap_or(root);
    let (own, strange): (Vec<PortConflict>, Vec<PortConflict>) =
        probe(range).into_iter().partition(|taken| taken.is_of(&root));
    if strange.is_empty() {
        let used = if own.is_empty() {
            "none in use".to_owned()
        } else {
            format!(
                "in use from here: {}",
                own.iter().map(|one| one.port.to_string()).collect::<Vec<_>>().join(", ")
            )
        };
        return Some(Check::ok(PORTS, format!("{range} of {id}: {used}")));
    }
    let words: Vec<String> = strange.iter().map(PortConflict::words).collect();
    let id_of = strange.iter().find_map(|taken| taken.process.as_ref()).map(|process| process.id);
    let help = match id_of {
        Some(process) => format!("stop it (kill {process}), or give {id} another range in the policy"),
        None => format!("stop what listens there, or give {id} another range in the policy"),
    };
    Some(Check::warning(PORTS, format!("{range} of {id}: {}", words.join(", ")), help))
}
