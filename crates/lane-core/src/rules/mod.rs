//! The rules: one file each, one table of them all.
//!
//! A rule is a static that describes it and a pure function over plain facts. It never opens,
//! spawns, prints or reads a clock.

mod advice;
mod append_only;
mod author_pattern;
mod branch_name;
mod case_conflict;
mod committer_pattern;
mod conflict_marker;
mod context;
pub(crate) mod custom;
pub mod docs;
mod executable_bit;
mod exposed_secret;
mod forbidden_content;
mod forbidden_file;
mod foreign_path;
mod foreign_worktree;
mod git_path;
mod hits;
mod identity;
mod large_file;
mod line_ending;
mod local_file;
mod long_path;
mod merge_commit;
mod message_format;
mod message_length;
mod message_pattern;
mod messages;
mod missing_approval;
mod missing_body;
mod missing_sign_off;
mod outside_link;
mod oversized_change;
mod people;
mod policy_mistake;
mod protected_branch;
mod protected_path;
mod protected_tag;
mod pull_request_label;
mod pull_request_title;
mod signatures;
mod stale_base;
#[cfg(test)]
pub(crate) mod testing;
mod uncoordinated_path;
mod unlocked_path;
mod unowned_path;
mod unsigned_commit;
mod untagged_message;

pub use context::{Context, Draft, Findings, TouchedPath, Words};
pub use identity::how_to_join;

use crate::facts::{Stage, Unavailable};
use crate::policy::Plan;
use crate::policy::model::Level;

/// A rule: what it is, what it needs, how it decides.
pub struct Rule {
    /// Its name, which reads well after "allow": `allow foreign-path`.
    pub id: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its documentation, in Markdown: what it finds, why that is bad, an example, how to get on.
    pub docs: &'static str,
    /// Its level where the policy does not say.
    pub level: Level,
    /// Where it applies.
    pub at: &'static [Stage],
    /// Whether it binds maintainers too, or agents alone.
    pub binds_maintainers: bool,
    /// The facts that it asks for.
    pub needs: &'static [Need],
    /// Whether the policy gives it anything to do.
    pub is_wanted: fn(&Plan) -> bool,
    /// Finds its breaches in one change.
    pub check: Check,
}

/// A rule's function.
///
/// # Errors
/// Why it cannot decide.
pub type Check = fn(&Context<'_>, &mut Findings) -> Result<(), Unavailable>;

/// A fact that costs something to gather.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Files of the whole change, and of each commit where commits are judged.
    Files,
    /// Lines of the whole change.
    Lines,
    /// Messages of the change's commits, or of the one being made.
    Messages,
    /// All of those messages, and not subjects and trailers alone.
    Prose,
    /// Who made the change's commits, or makes the one being made.
    People,
    /// Locks, if a path under a lock is touched.
    Locks,
    /// Others' words on a change, if an area is touched that wants one.
    Approvals,
    /// How many parents each commit has.
    Parents,
    /// Signatures of the change's commits, if the policy lists keys.
    Signatures,
    /// What the tags are that are pushed.
    Tags,
    /// How large the new files of a change are.
    Sizes,
    /// Which of them are another file of the tree where case and Unicode form make no other name.
    Twins,
    /// What stands in their new lines.
    Content,
}

/// All rules, sorted by id.
pub static RULES: &[&Rule] = &[
    &append_only::RULE,
    &author_pattern::RULE,
    &branch_name::RULE,
    &case_conflict::RULE,
    &committer_pattern::RULE,
    &conflict_marker::RULE,
    &executable_bit::RULE,
    &exposed_secret::RULE,
    &forbidden_content::RULE,
    &forbidden_file::RULE,
    &foreign_path::RULE,
    &foreign_worktree::RULE,
    &git_path::RULE,
    &identity::RULE,
    &large_file::RULE,
    &line_ending::RULE,
    &local_file::RULE,
    &long_path::RULE,
    &merge_commit::RULE,
    &message_format::RULE,
    &message_length::RULE,
    &message_pattern::RULE,
    &missing_approval::RULE,
    &missing_body::RULE,
    &missing_sign_off::RULE,
    &outside_link::RULE,
    &oversized_change::RULE,
    &policy_mistake::RULE,
    &protected_branch::RULE,
    &protected_path::RULE,
    &protected_tag::RULE,
    &pull_request_label::RULE,
    &pull_request_title::RULE,
    &stale_base::RULE,
    &uncoordinated_path::RULE,
    &unlocked_path::RULE,
    &unowned_path::RULE,
    &unsigned_commit::RULE,
    &untagged_message::RULE,
];

/// The ids of all rules, sorted.
pub fn ids() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.id)
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

impl Rule {
    /// Its level under a policy.
    pub fn level_in(&self, plan: &Plan) -> Level {
        let levels = &plan.policy.rules.0;
        levels.get(self.id).map_or(self.level, |level| level.value)
    }

    /// Whether it has anything to say at these stages under a policy.
    pub fn applies(&self, plan: &Plan, stages: &[Stage]) -> bool {
        self.at.iter().any(|stage| stages.contains(stage))
            && self.level_in(plan) != Level::Off
            && (self.is_wanted)(plan)
    }
}

/// What the rules that apply ask for.
pub fn needs(plan: &Plan, stages: &[Stage]) -> Vec<Need> {
    let applying = RULES.iter().filter(|rule| rule.applies(plan, stages));
    let own = plan.policy.custom.iter().filter(|rule| rule.applies(stages)).map(|_| Need::Files);
    applying.flat_map(|rule| rule.needs.iter().copied()).chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_unique() {
        let ids: Vec<_> = ids().collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "looks at the files of this crate")]
    fn the_table_has_every_file() {
        let helpers = [
            "advice",
            "context",
            "custom",
            "docs",
            "hits",
            "messages",
            "mod",
            "people",
            "signatures",
            "testing",
        ];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file()) // parts of a rule lie in a folder beside it
            .filter_map(|path| Some(path.file_stem()?.to_str()?.replace('_', "-")))
            .filter(|name| !helpers.contains(&name.as_str()))
            .collect();
        files.sort();
        assert_eq!(files, ids().collect::<Vec<_>>());
    }

    #[test]
    fn every_rule_is_documented() {
        for rule in RULES {
            for heading in ["## What it finds", "## Why", "## Example", "## How to get on"] {
                assert!(rule.docs.contains(heading), "{} has no `{heading}`", rule.id);
            }
            assert!(!rule.at.is_empty() && !rule.summary.ends_with('.'), "{}", rule.id);
        }
    }
}
