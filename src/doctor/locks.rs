//! Whether everybody can tell who holds which lock.

use super::Check;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::policy::Plan;
use lane_core::policy::model::Access;
use lane_git::Repository;

const LOCKS: &str = "locks";

/// Looks at the refs of locks; asks the remote that has them, if one does.
pub(super) fn examine(repo: &dyn Repository, plan: &Plan) -> Vec<Check> {
    if !plan.has_area(Access::Lock) {
        return Vec::new();
    }
    let world = ThisMachine::new();
    let mut manager = LockManager::new(repo, plan, &world);
    if let Err(error) = manager.refresh(0) {
        return vec![Check::error(LOCKS, &error)];
    }
    let areas = match manager.areas() {
        Ok(areas) => areas,
        Err(error) => return vec![Check::error(LOCKS, &error)],
    };
    let broken: Vec<&Error> = areas.iter().filter_map(|area| area.tip.as_ref().err()).collect();
    if !broken.is_empty() {
        return broken.into_iter().map(|error| Check::error(LOCKS, error)).collect();
    }
    let place = match manager.log().remote_name() {
        Some(remote) => format!("of {remote}"),
        None => "of this repository, shared by its worktrees only".to_owned(),
    };
    vec![Check::ok(
        LOCKS,
        format!(
            "{}, in the refs {place}",
            if areas.len() == 1 {
                "one area with locks".to_owned()
            } else {
                format!("{} areas with locks", areas.len())
            }
        ),
    )]
}
