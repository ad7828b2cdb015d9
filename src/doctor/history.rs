//! How far the base is ahead, where that makes each commit slower.

use crate::gather::policy_source::Base;
use lane_core::facts::typed_ref;
use lane_git::Repository;

use super::Check;

/// How many commits are read one by one before it is felt: some milliseconds.
const FAR: usize = 1000;

/// Says so where the base is far ahead of this branch and there is no commit graph.
pub(super) fn examine(repo: &dyn Repository, base: Option<&Base>) -> Option<Check> {
    let objects = repo.layout().common_dir.join("objects");
    let graphs = ["info/commit-graph", "info/commit-graphs/commit-graph-chain"];
    // git writes none where history is cut off.
    if repo.is_shallow() || graphs.iter().any(|graph| objects.join(graph).exists()) {
        return None;
    }
    let (base, head) = (base?, repo.head().ok()?.oid?);
    let root = repo.merge_base(base.oid, &[head]).ok()??;
    let ahead = repo.commits(&[base.oid], &[root]).ok()?.len();
    let name = typed_ref(&base.reference);
    (ahead >= FAR).then(|| {
        Check::warning(
            "commit graph",
            format!("none, and {name} is {ahead} commits ahead: each commit here reads all of them"),
            "git commit-graph write --reachable\nor permanently: git maintenance start",
        )
    })
}
