//! What became of a sync, in words and as JSON.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::output::{Output, complain};
use crate::ops::sync::{Aside, Conflict, Synced, Worked, count};
use lane_core::error::Error;
use lane_core::facts::{RepoPath, typed_ref};
use lane_core::report::quote;

/// Files that are named; of more the number is told.
const NAMED: usize = 10;

fn title(done: &Synced) -> String {
    let folder = folder(&done.root);
    done.agent.as_ref().map_or(folder.clone(), |agent| format!("{agent} in {folder}"))
}

/// Everything, for programs.
pub fn json(done: &Synced) -> Value {
    let mut value = json!({
        "worktree": done.root.display().to_string(), "agent": done.agent, "branch": done.branch,
        "pushed": done.pushed,
    });
    let (state, more) = match &done.worked {
        Worked::Nothing => ("current", json!({})),
        Worked::Stacked { on, behind } => ("stacked", json!({ "on": on, "behind": behind })),
        Worked::Rebased { before, after, behind, landed, aside } => {
            let stashed = *aside != Aside::Back;
            (
                "rebased",
                json!({ "before": before, "after": after, "commits": behind, "landed": landed, "stashed": stashed }),
            )
        }
        Worked::Busy { why, help } => ("skipped", json!({ "reason": why, "help": help })),
        Worked::Dirty(files) => ("dirty", json!({ "files": files })),
        Worked::Stopped { conflicts, said, is_undone } => {
            let file = |conflict: &Conflict| json!({ "path": conflict.path, "cause": conflict.cause });
            let files: Vec<Value> = conflicts.iter().map(file).collect();
            ("conflict", json!({ "files": files, "said": said, "undone": is_undone }))
        }
        Worked::Failed { reason, help } => ("failed", json!({ "reason": reason, "help": help })),
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
pub fn say(done: &Synced, base: &str, output: &Output) -> Result<(), Error> {
    let base = typed_ref(done.onto.as_deref().unwrap_or(base));
    let (who, branch) = (title(done), done.branch.clone().unwrap_or_default());
    let in_it = quote(done.root.as_os_str().as_encoded_bytes());
    match &done.worked {
        Worked::Nothing if output.is_quiet() => {}
        Worked::Nothing => output.print(&format!("{who}: `{branch}` stands on {base} already\n"))?,
        Worked::Stacked { on, behind } => {
            let commits = if *behind == 1 { "1 commit".to_owned() } else { format!("{behind} commits") };
            output.print(&format!(
                "{who}: `{branch}` stays on `{on}`, which has not landed; {base} has {commits} that both lack\n\
                 \x20 help: rebase that one first: git switch {on}\n\
                 \x20       git lane sync --push\n\
                 \x20       then this one: git switch {branch}\n\
                 \x20       git lane sync\n"
            ))?;
        }
        Worked::Rebased { before, behind, landed, aside, .. } => {
            let commits =
                if *behind == 1 { "1 new commit".to_owned() } else { format!("{behind} new commits") };
            if !output.is_quiet() {
                let left_out = match landed {
                    0 => String::new(),
                    1 => ", without 1 commit that is there already as another".to_owned(),
                    count => format!(", without {count} commits that are there already as others"),
                };
                output.print(&format!(
                    "{who}: rebased `{branch}` on {base}, {commits}{left_out}; it was {} before\n",
                    before.short()
                ))?;
            }
            let help = match aside {
                Aside::Back => return Ok(()),
                Aside::Conflicts => {
                    "solve the conflicts, then stage each: git add -- FILE\n\
                     what you had is in the stash as well, until: git stash drop"
                }
                Aside::Kept => "have it back, and solve what conflicts: git stash pop",
            };
            complain(&output.refusal(
                "your uncommitted work does not fit on the new base; it is safe in the stash",
                help,
            ));
        }
        Worked::Busy { why, help } => {
            let help = help
                .as_ref()
                .map(|help| format!("  help: {}\n", help.replace('\n', "\n        ")))
                .unwrap_or_default();
            complain(&format!("git-lane: {who} is left as it is: {why}\n{help}"));
        }
        Worked::Dirty(files) => {
            let text =
                format!("{who}: {} not committed; nothing was rebased{}", count(files.len()), list(files));
            let help = "commit it first, or let it be put aside and back: git lane sync --autostash";
            complain(&output.refusal(&text, help));
        }
        Worked::Stopped { conflicts, said, is_undone } => {
            // Not every stop is at a conflict: a file is in the way, a signature cannot be made.
            let at = if conflicts.is_empty() { said.clone() } else { count(conflicts.len()) };
            let mut text = format!("{who}: `{branch}` does not go on {base} by itself: {at}");
            for Conflict { path, cause } in conflicts.iter().take(NAMED) {
                text.push_str(&format!("\n    {}", quote(&path.0)));
                cause.iter().for_each(|cause| text.push_str(&format!("\n        on {base}: {cause}")));
            }
            text.push_str(&more(conflicts.len()));
            let help = if *is_undone {
                format!("all is as it was before; whoever works there: git -C {in_it} lane sync")
            } else {
                let solve = match conflicts.len() {
                    0 => "put that right, then go on: ".to_owned(),
                    1..=NAMED => {
                        let names: Vec<String> =
                            conflicts.iter().map(|it| pathspec(&done.root, &it.path)).collect();
                        format!("solve them, then stage them: git add -- {}\nand go on: ", names.join(" "))
                    }
                    _ => "solve them, then stage each: git add -- FILE\nand go on: ".to_owned(),
                };
                format!(
                    "{solve}git rebase --continue\n\
                     or have all as it was before: git rebase --abort"
                )
            };
            complain(&output.refusal(&text, &help));
        }
        Worked::Failed { reason, help } => {
            complain(&output.refusal(&format!("{who}: {reason}"), help.as_deref().unwrap_or("git status")));
        }
    }
    Ok(())
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
