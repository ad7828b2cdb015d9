//! News of locks: what is decided about them is in [`lane_core::inbox::locks`].

use std::cell::OnceCell;

use super::{Cache, Source, View};
use crate::locks::markers;
use lane_core::error::Error;
use lane_core::facts::LockClaim;
use lane_core::inbox::locks::Area;
use lane_core::inbox::{LOCK_EXPIRING, LOCK_FREE, LOCK_LOST, LOCK_TAKEN, Notice};

pub(super) const SOURCE: Source =
    Source { kinds: &[&LOCK_FREE, &LOCK_TAKEN, &LOCK_EXPIRING, &LOCK_LOST], read };

fn read(view: &mut View<'_>, cache: &mut Cache) -> Result<Vec<Notice>, Error> {
    let policy = &view.loaded.plan.policy;
    let judge = view.locks.judge();
    let (now, ttl) = (view.options.now, policy.locks.ttl.value.seconds);
    // Read only where a lock would be free otherwise.
    let claims: OnceCell<Vec<LockClaim>> = OnceCell::new();
    let mut found = Vec::new();
    for chain in &view.chains {
        let Some(tip) = chain.first() else { continue };
        let is_claimed = |agent: &str| {
            let claims =
                claims.get_or_init(|| markers::by_hand(view.repo.layout(), policy).unwrap_or_default());
            LockClaim::holding(claims, &tip.area, now, ttl).is_some_and(|claim| claim.agent != agent)
        };
        let area = Area { chain, judge: &judge, is_claimed: &is_claimed };
        found.extend(view.audience.agents.iter().flat_map(|agent| area.notices(agent)));
        cache.next_change = cache.next_change.into_iter().chain(area.next_change()).min();
    }
    Ok(found)
}
