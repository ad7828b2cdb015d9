//! How large a change may be: as a whole, and in each area that has a limit of its own.

use super::model::Area;
use super::{Plan, Spanned};
use crate::facts::{AreaLines, Lines};

impl Plan {
    /// Whether the size of a change matters.
    pub fn limits_size(&self) -> bool {
        self.policy.change.is_limited() || self.limits_areas()
    }

    /// Whether an area has a limit of its own.
    pub fn limits_areas(&self) -> bool {
        self.policy.areas.iter().any(Area::is_limited)
    }

    /// The names of the areas with a limit of their own that a path is in: one at most, unless the file is another one
    /// elsewhere.
    pub fn limited_areas(&self, path: &[u8], is_folder: bool) -> Vec<&str> {
        let (exact, other) = self.decide_both(path, is_folder);
        let mut names = Vec::new();
        for decision in [Some(exact), other].into_iter().flatten() {
            if let Some(super::Owner::Area(area)) = decision.owner
                && area.is_limited()
                && !names.contains(&area.name.value.as_str())
            {
                names.push(area.name.value.as_str());
            }
        }
        names
    }

    /// Whether a change keeps to all limits.
    pub fn keeps_limits(&self, lines: &Lines) -> bool {
        !is_over(&self.policy.change.max_lines, lines.counted) && self.areas_over(lines).next().is_none()
    }

    /// The areas that a change has too much in.
    pub fn areas_over<'a>(&'a self, lines: &'a Lines) -> impl Iterator<Item = (&'a Area, &'a AreaLines)> {
        let areas = self.policy.areas.iter().filter(|area| area.is_limited());
        areas.filter_map(|area| {
            let there = lines.areas.iter().find(|there| there.area == area.name.value)?;
            let over = is_over(&area.max_lines, there.lines) || is_over(&area.max_files, there.files);
            over.then_some((area, there))
        })
    }

    /// Whether a change has reached a limit, or so many lines that there is a warning.
    pub fn reaches_limits(&self, lines: &Lines) -> bool {
        let change = &self.policy.change;
        let is_at = |limit: &Option<Spanned<u64>>| limit.as_ref().is_some_and(|it| lines.counted >= it.value);
        is_at(&change.warn_at) || is_at(&change.max_lines) || self.areas_over(lines).next().is_some()
    }
}

fn is_over(limit: &Option<Spanned<u64>>, count: u64) -> bool {
    limit.as_ref().is_some_and(|limit| count > limit.value)
}
