//! What became of a sync, in words and as JSON.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::output::{Output, print_error};
use crate::ops::sync::{Conflict, MovedBranch, RebaseOutcome, StashOutcome, WorktreeSync, count};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, typed_ref};
use lane_core::report::quote;
use lane_core::text::help_block;

/// Files that are named; of more the number is told.
const NAMED: usize = 10;

fn title(done: &WorktreeSync) -> String {
    let folder = folder(&done.root);
    done.agent.as_ref().map_or(folder.clone(), |agent| format!("{agent} in {folder}"))
}

/// Everything, for programs.
pub fn json(done: &WorktreeSync) -> Value {
    let mut value = json!({
        "worktree": done.root.display().to_string(), "agent": done.agent, "branch": done.branch,
        "pushed": done.pushed,
    });
    let (state, more) = match &done.rebase {
        RebaseOutcome::Nothing => ("current", json!({})),
        RebaseOutcome::Stacked { on, behind, .. } => ("stacked", json!({ "on": on, "behind": behind })),
        RebaseOutcome::Rebased { before, after, behind, landed, along, aside, .. } => {
            let stashed = *aside != StashOutcome::Back;
            let moved =
                |one: &MovedBranch| json!({ "branch": one.branch, "before": one.before, "after": one.after });
            let along: Vec<Value> = along.iter().map(moved).collect();
            (
                "rebased",
                json!({
                    "before": before, "after": after, "commits": behind, "landed": landed, "stashed": stashed,
                    "along": along,
                }),
            )
        }
        RebaseOutcome::Busy { why, help } => ("skipped", json!({ "reason": why, "help": help })),
        RebaseOutcome::Dirty(files) => ("dirty", json!({ "files": files })),
        RebaseOutcome::Stopped { conflicts, said, is_undone } => {
            let file = |conflict: &Conflict| json!({ "path": conflict.path, "cause": conflict.cause });
            let files: Vec<Value> = conflicts.iter().map(file).collect();
            ("conflict", json!({ "files": files, "said": said, "undone": is_undone }))
        }
        RebaseOutcome::Failed { reason, help } => ("failed", json!({ "reason": reason, "help": help })),
    };
    value["state"] = json!(state);
    for (key, item) in more.as_object().into_iter().flatten() {
        value[key.as_str()] = item.clone();
    }
    value
}

/// Says what became of it: what is good on standard output, what is not on standard error.
///
/// # Errors
/// Standard output is closed, or full.
pub fn print_sync(done: &WorktreeSync, base: &str, output: &Output) -> Result<(), Error> {
    let base = typed_ref(done.onto.as_deref().unwrap_or(base));
    let (who, branch) = (title(done), done.branch.clone().unwrap_or_default());
    match &done.rebase {
        RebaseOutcome::Nothing if output.is_quiet() => {}
        RebaseOutcome::Nothing => {
            output.print(&format!("{who}: `{branch}` is already up to date with {base}\n"))?
        }
        RebaseOutcome::Stacked { on, at, behind } => {
            output.print(&stacked(&who, &branch, base, (on, at.as_deref(), *behind)))?;
        }
        RebaseOutcome::Rebased { before, behind, landed, is_newer, along, aside, .. } => {
            if !output.is_quiet() {
                let mut text = rebased(&who, &branch, base, (*before, *behind), (*landed, *is_newer));
                for MovedBranch { branch, before, .. } in along {
                    text.push_str(&format!("  with it: `{branch}`; was {}\n", before.short()));
                }
                output.print(&text)?;
            }
            let help = match aside {
                StashOutcome::Back => return Ok(()),
                StashOutcome::Conflicts => {
                    "resolve the conflicts, then stage each: git add -- FILE\n\
                     your work is still in the stash; when done: git stash drop"
                }
                StashOutcome::Kept => "restore it, and resolve the conflicts: git stash pop",
            };
            output.refuse("your uncommitted work conflicts with the new base; it is safe in the stash", help);
        }
        RebaseOutcome::Busy { why, help } => {
            let help = help.as_ref().map(|help| help_block(help, false)).unwrap_or_default();
            print_error(&format!("note: {who} was skipped: {why}\n{help}"));
        }
        RebaseOutcome::Dirty(files) => {
            let text =
                format!("{who}: {} not committed; nothing was rebased{}", count(files.len()), list(files));
            let help = "commit first, or stash and restore it automatically: git lane sync --autostash";
            output.refuse(&text, help);
        }
        RebaseOutcome::Stopped { conflicts, said, is_undone } => {
            let (text, help) = stopped(done, base, conflicts, said, *is_undone);
            output.refuse(&text, &help);
        }
        RebaseOutcome::Failed { reason, help } => {
            output.refuse(&format!("{who}: {reason}"), help.as_deref().unwrap_or("git status"));
        }
    }
    Ok(())
}

/// What is said of a branch that stays on another: on which, in which worktree that is, how many commits both lack.
fn stacked(who: &str, branch: &str, base: &str, (on, at, behind): (&str, Option<&Path>, usize)) -> String {
    let why = match behind {
        0 => "a branch below both has changed".to_owned(),
        1 => format!("{base} has 1 commit that both lack"),
        _ => format!("{base} has {behind} commits that both lack"),
    };
    let help = match at {
        Some(at) => {
            let at = quote(at.as_os_str().as_encoded_bytes());
            format!("rebase that one first: git -C {at} lane sync --push\nthen this one: git lane sync")
        }
        None => {
            let (on, branch) = (quote(on.as_bytes()), quote(branch.as_bytes()));
            format!(
                "rebase that one first: git switch {on}\ngit lane sync --push\n\
                 then this one: git switch {branch}\ngit lane sync"
            )
        }
    };
    format!("{who}: `{branch}` stays on `{on}`, which has not landed; {why}\n{}", help_block(&help, false))
}

/// What is said of a rebase. The tip before, and how many commits the base has that the branch had not; how many were left out,
/// and whether they were of an older version of what it was rebased on, and not of what has landed.
fn rebased(
    who: &str,
    branch: &str,
    base: &str,
    (before, behind): (Oid, usize),
    (left_out, is_newer): (usize, bool),
) -> String {
    let commits = if behind == 1 { "1 new commit".to_owned() } else { format!("{behind} new commits") };
    let count = if left_out == 1 { "1 commit".to_owned() } else { format!("{left_out} commits") };
    let left_out = match (left_out, is_newer) {
        (0, _) => String::new(),
        (_, true) => format!(", skipping {count} of its older version"),
        (_, false) => format!(", skipping {count} that already landed"),
    };
    format!("{who}: rebased `{branch}` on {base}, {commits}{left_out}; was {}\n", before.short())
}

/// What is said of a rebase that stopped, and the next step.
fn stopped(
    done: &WorktreeSync,
    base: &str,
    conflicts: &[Conflict],
    said: &str,
    is_undone: bool,
) -> (String, String) {
    let (who, branch) = (title(done), done.branch.as_deref().unwrap_or_default());
    let in_it = quote(done.root.as_os_str().as_encoded_bytes());
    // Not every stop is at a conflict: a file is in the way, a signature cannot be made.
    let at = if conflicts.is_empty() { said.to_owned() } else { count(conflicts.len()) };
    let mut text = format!("{who}: rebase of `{branch}` on {base} stopped: {at}");
    for Conflict { path, cause } in conflicts.iter().take(NAMED) {
        text.push_str(&format!("\n    {}", quote(&path.0)));
        cause.iter().for_each(|cause| text.push_str(&format!("\n        on {base}: {cause}")));
    }
    text.push_str(&more(conflicts.len()));
    let help = if is_undone {
        format!("nothing was changed; resolve it there: git -C {in_it} lane sync")
    } else {
        let solve = match conflicts.len() {
            0 => "fix this, then continue: ".to_owned(),
            1..=NAMED => {
                let names: Vec<String> = conflicts.iter().map(|it| pathspec(&done.root, &it.path)).collect();
                format!("resolve them, then stage them: git add -- {}\nand go on: ", names.join(" "))
            }
            _ => "resolve them, then stage each: git add -- FILE\nand go on: ".to_owned(),
        };
        format!(
            "{solve}git rebase --continue\n\
             or undo the rebase: git rebase --abort"
        )
    };
    (text, help)
}

/// A path as git reads it where the command was typed.
fn pathspec(root: &Path, path: &RepoPath) -> String {
    let is_special = path.0.starts_with(b":") || path.0.iter().any(|byte| b"*?[\\".contains(byte));
    let same = |one: &Path, other: &Path| one.canonicalize().ok() == other.canonicalize().ok();
    let is_root = std::env::current_dir().is_ok_and(|here| same(&here, root));
    let magic: &[u8] = if is_special {
        b":(top,literal)"
    } else if is_root {
        b""
    } else {
        b":/"
    };
    quote(&[magic, &path.0].concat())
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

/// A worktree as people know it.
fn folder(root: &Path) -> String {
    root.file_name().map_or_else(|| root.display().to_string(), |name| name.to_string_lossy().into_owned())
}
