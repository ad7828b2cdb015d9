//! What is to be written, before anything is.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::commands::policy::codeowners::HostName;
use crate::commands::policy::counted;
use crate::gather::codeowners::{self, Found};
use crate::init::{self, Proposal, Survey, sanitize_name};
use lane_core::error::Error;
use lane_core::policy::model::Access;
use lane_core::policy::{self, FILE, Plan, Source};
use lane_git::GitRepo;

/// How many folders of a lane are listed.
const LISTED: usize = 4;
/// What a policy that refuses nothing yet says.
const OBSERVE: &str =
    "\nmode: observe                     # judges and notes, refuses nothing; later: enforce\n";

/// What is to be written.
pub(super) struct Draft {
    pub text: String,
    pub notes: Vec<String>,
    /// The lanes, for programs.
    pub lanes: serde_json::Value,
    /// What there is of each, for people.
    pub lines: String,
    pub is_of_worktrees: bool,
}

impl Draft {
    /// The same, as a policy that refuses nothing yet.
    pub fn observing(mut self) -> Self {
        self.text.push_str(OBSERVE);
        self
    }

    /// The same, with paths that no agent may change: the job that judges it is not its own to edit.
    ///
    /// # Errors
    /// The policy has mistakes.
    pub fn guarding(mut self, paths: &[&str]) -> Result<Self, Error> {
        let plan = self.plan()?;
        let is_open = |path: &&&str| {
            let inside = format!("{}x", path.trim_start_matches('/'));
            let file = if path.ends_with('/') { inside.as_str() } else { path.trim_start_matches('/') };
            plan.decide(file.as_bytes(), false)
                .area()
                .is_none_or(|area| area.access.value != Access::Maintainer)
        };
        let open: Vec<&str> = paths.iter().filter(is_open).copied().collect();
        if let Some(at) = self.text.find("\nunowned: ").filter(|_| !open.is_empty()) {
            let area = format!(
                "  # What judges each change: maintainers only.\n  - {{ name: job, paths: [{}], access: maintainer }}\n",
                open.join(", ")
            );
            self.text = self.text.replacen("areas:\n  []\n", "areas:\n", 1);
            let at = self.text.find("\nunowned: ").unwrap_or(at);
            self.text.insert_str(at + 1, &area);
        }
        Ok(self)
    }

    /// Takes a harness out of those whose hooks `git lane setup` writes.
    pub fn without_harness(&mut self, id: &str) {
        let is_list = |line: &str| line.starts_with("harness: [");
        let lines = self.text.split_inclusive('\n').map(|line| {
            if !is_list(line) {
                return line.to_owned();
            }
            let (list, rest) = line.trim_start_matches("harness: [").split_once(']').unwrap_or((line, ""));
            let kept: Vec<&str> = list.split(", ").filter(|word| *word != id).collect();
            if kept.is_empty() { String::new() } else { format!("harness: [{}]{rest}", kept.join(", ")) }
        });
        self.text = lines.collect();
    }

    /// As a policy.
    ///
    /// # Errors
    /// It has mistakes.
    pub fn plan(&self) -> Result<Plan, Error> {
        Ok(policy::load(Source::new(FILE, self.text.clone()), false)?)
    }
}

/// The folders of the repository, divided among agents.
pub(super) fn divided(survey: &Survey, count: Option<u16>) -> Draft {
    let proposal = init::propose(survey, count);
    Draft {
        text: proposal.policy_text(),
        lanes: json!(proposal.lanes),
        lines: lane_lines(&proposal),
        is_of_worktrees: proposal.is_of_worktrees,
        notes: proposal.notes,
    }
}

/// What a CODEOWNERS file says.
///
/// # Errors
/// It cannot be read, or gives nobody anything.
pub(super) fn from(
    repo: &GitRepo,
    survey: &Survey,
    path: &Path,
    host: Option<HostName>,
) -> Result<Draft, Error> {
    let Found { place, read } = codeowners::named(repo, path, host.map(Into::into))?;
    let made = init::from_codeowners(survey, &place, &read);
    if made.agents == 0 {
        return Err(Error::usage(
            format!("{place} gives nobody anything, as {} reads it", read.host.name()),
            "name another file, or divide the repository by its folders: git lane init",
        ));
    }
    let lines =
        format!("  {} of {} have owners in {place}\n", made.owned, counted(survey.files.len(), "file"));
    Ok(Draft { text: made.text, notes: made.notes, lanes: json!([]), lines, is_of_worktrees: false })
}

fn lane_lines(proposal: &Proposal) -> String {
    let mut out = String::new();
    for lane in &proposal.lanes {
        let folders = lane.folders.iter().map(|folder| match sanitize_name(&folder.path) {
            path if path.is_empty() => "everything".to_owned(),
            path => path,
        });
        let (first, more) =
            (folders.take(LISTED).collect::<Vec<_>>().join(", "), lane.folders.len().saturating_sub(LISTED));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "  {} ({}): {first}{more}", lane.agent(), lane.size());
    }
    out
}
