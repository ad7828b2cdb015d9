//! Where things lie, for formats that want a file and a line for everything.

use super::{Location, Report};
use crate::policy::{FILE, PolicyLine};

/// The policy's path in the repository, as far as its source tells: what stands behind the ref in
/// `refs/remotes/origin/main:policy.yaml`, or the path of a file below the root.
pub(super) fn policy_path(report: &Report) -> &str {
    path_of(&report.policy.source)
}

/// The same for the file of a line.
pub(super) fn line_path<'a>(report: &'a Report, line: &'a PolicyLine) -> &'a str {
    path_of(line.file_or(&report.policy.source))
}

/// The same for the file of a place.
pub(super) fn place_path<'a>(report: &'a Report, place: &'a Location) -> &'a str {
    path_of(place.file.as_deref().unwrap_or(&report.policy.source))
}

fn path_of(source: &str) -> &str {
    let path = match source.split_once(':') {
        Some((reference, path)) if reference.starts_with("refs/") => path,
        _ => source,
    };
    let is_below = !path.is_empty() && !path.starts_with(['/', '.']) && !path.contains([':', '\\']);
    if is_below { path } else { FILE }
}
