//! What became of a sync, in words and as JSON.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::output::{Output, complain};
use super::sync::folder;
use crate::error::Error;
use crate::facts::{Oid, RepoPath};
use crate::report::quote;

/// Files that are named; of more the number is told.
const NAMED: usize = 10;

/// One worktree.
pub struct Synced {
    root: PathBuf,
    /// Whose it is, as far as that is known.
    pub agent: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// What was done.
    pub worked: Worked,
    /// Whether it was pushed; `None`: nobody tried.
    pub pushed: Option<bool>,
}

/// What was done.
pub enum Worked {
    /// It stands on the base already.
    Nothing,
    /// It stands on the base now.
    Rebased {
        /// The tip before.
        before: Oid,
        /// The tip now.
        after: Oid,
        /// How many commits of the base are new in it.
        behind: usize,
        /// What was put aside did not fit any more, and is kept in the stash.
        is_kept: bool,
    },
    /// It was not touched: it is not idle, or not to be rebased.
    Busy(String),
    /// It was not touched: these files are not committed.
    Dirty(Vec<RepoPath>),
    /// The rebase stopped.
    Stopped {
        /// At these files.
        conflicts: Vec<Conflict>,
        /// All is as it was before.
        is_undone: bool,
    },
    /// git did not do it.
    Failed {
        /// Why.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
}

/// A file that a rebase stopped at.
pub struct Conflict {
    /// The file.
    pub path: RepoPath,
    /// The last commit of the base that changed it.
    pub cause: Option<String>,
}

impl Synced {
    /// What was done with a worktree.
    pub fn new(root: &Path, worked: Worked) -> Self {
        Self { root: root.to_owned(), agent: None, branch: None, worked, pushed: None }
    }

    /// The same with something else done.
    pub fn with(self, worked: Worked) -> Self {
        Self { worked, ..self }
    }

    /// Whether it stands on the base.
    pub fn is_good(&self) -> bool {
        matches!(self.worked, Worked::Nothing | Worked::Rebased { is_kept: false, .. })
    }

    fn title(&self) -> String {
        let folder = folder(&self.root);
        self.agent.as_ref().map_or(folder.clone(), |agent| format!("{agent} in {folder}"))
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let mut value = json!({
            "worktree": self.root.display().to_string(), "agent": self.agent, "branch": self.branch,
            "pushed": self.pushed,
        });
        let (state, more) = match &self.worked {
            Worked::Nothing => ("current", json!({})),
            Worked::Rebased { before, after, behind, is_kept } => (
                "rebased",
                json!({ "before": before, "after": after, "commits": behind, "stashed": is_kept }),
            ),
            Worked::Busy(why) => ("skipped", json!({ "reason": why })),
            Worked::Dirty(files) => ("dirty", json!({ "files": files })),
            Worked::Stopped { conflicts, is_undone } => {
                let file = |conflict: &Conflict| json!({ "path": conflict.path, "cause": conflict.cause });
                let files: Vec<Value> = conflicts.iter().map(file).collect();
                ("conflict", json!({ "files": files, "undone": is_undone }))
            }
            Worked::Failed { reason, help } => ("failed", json!({ "reason": reason, "help": help })),
        };
        value["state"] = json!(state);
        for (key, item) in more.as_object().into_iter().flatten() {
            value[key.as_str()] = item.clone();
        }
        value
    }
}

/// Says what became of it: what is good on standard output, what is not on standard error.
///
/// # Errors
/// Standard output is closed, or full.
pub fn say(done: &Synced, base: &str, output: &Output) -> Result<(), Error> {
    let base = base.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/");
    let (who, branch) = (done.title(), done.branch.clone().unwrap_or_default());
    let in_it = quote(done.root.as_os_str().as_encoded_bytes());
    match &done.worked {
        Worked::Nothing if output.is_quiet() => {}
        Worked::Nothing => output.print(&format!("{who}: `{branch}` stands on {base} already\n"))?,
        Worked::Rebased { before, behind, is_kept, .. } => {
            let commits =
                if *behind == 1 { "1 new commit".to_owned() } else { format!("{behind} new commits") };
            if !output.is_quiet() {
                output.print(&format!(
                    "{who}: rebased `{branch}` on {base}, {commits}; it was {} before\n",
                    before.short()
                ))?;
            }
            if *is_kept {
                complain(&output.refusal(
                    "your uncommitted work does not fit on the new base; it is safe in the stash",
                    "git stash pop, and solve what conflicts",
                ));
            }
        }
        Worked::Busy(why) => complain(&format!("git-lane: {who} is left as it is: {why}\n")),
        Worked::Dirty(files) => {
            let text =
                format!("{who}: {} not committed; nothing was rebased{}", count(files.len()), list(files));
            let help = "commit it first, or let it be put aside and back: git lane sync --autostash";
            complain(&output.refusal(&text, help));
        }
        Worked::Stopped { conflicts, is_undone } => {
            let mut text =
                format!("{who}: `{branch}` does not go on {base} by itself: {}", count(conflicts.len()));
            for Conflict { path, cause } in conflicts.iter().take(NAMED) {
                text.push_str(&format!("\n    {}", quote(&path.0)));
                cause.iter().for_each(|cause| text.push_str(&format!("\n        on {base}: {cause}")));
            }
            text.push_str(&more(conflicts.len()));
            let help = if *is_undone {
                format!("all is as it was before; whoever works there: git -C {in_it} lane sync")
            } else {
                "solve them, then: git add <files> && git rebase --continue\n\
                 or have all as it was before: git rebase --abort"
                    .to_owned()
            };
            complain(&output.refusal(&text, &help));
        }
        Worked::Failed { reason, help } => {
            complain(&output.refusal(&format!("{who}: {reason}"), help.as_deref().unwrap_or("git status")));
        }
    }
    Ok(())
}

/// `1 file`, `3 files`.
pub fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

fn list(files: &[RepoPath]) -> String {
    let names: String = files.iter().take(NAMED).map(|path| format!("\n    {}", quote(&path.0))).collect();
    names + &more(files.len())
}

fn more(count: usize) -> String {
    match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("\n    and {more} more"),
    }
}
