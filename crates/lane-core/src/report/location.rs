//! Where things lie, for formats that want a file and a line for everything.

use super::Report;
use crate::policy::FILE;

/// The policy's path in the repository, as far as its source tells: what stands behind the ref in
/// `refs/remotes/origin/main:policy.yaml`, or the path of a file below the root.
pub(super) fn policy_path(report: &Report) -> &str {
    let source = report.policy.source.as_str();
    let path = match source.split_once(':') {
        Some((reference, path)) if reference.starts_with("refs/") => path,
        _ => source,
    };
    let is_below = !path.is_empty() && !path.starts_with(['/', '.']) && !path.contains([':', '\\']);
    if is_below { path } else { FILE }
}
