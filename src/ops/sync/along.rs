//! Branches of a stack that go along where the one above them is rebased.

use std::path::PathBuf;
use std::process::Command;

use super::outcome::MovedBranch;
use crate::gather::rebasing_branch;
use crate::stack::Step;
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_git::worktrees::{head_of, registered};
use lane_git::{GitRepo, Layout, Repository};

/// Has the full names of the branches that go along with a rebase.
const ALONG: &str = "LANE_ALONG";
/// Keeps of the branches that git would move, in a list of git-rebase(1), those that go along.
const MOVES: &str = r#"lane() {
    while IFS= read -r line; do
        case $line in
            "update-ref "*)
                case " $LANE_ALONG " in
                    *" ${line#update-ref } "*) ;;
                    *) continue ;;
                esac ;;
        esac
        printf '%s\n' "$line"
    done <"$1" >"$1.lane" && mv "$1.lane" "$1"
}
lane"#;

/// What becomes of the branches below one that is rebased.
pub(super) enum Along {
    /// They go along, each with its tip.
    All(Vec<(String, Oid)>),
    /// None of them does, and so the one above stays, too: this one is not here as the remote has it, or is checked out there.
    Blocked { on: String, at: Option<PathBuf> },
}

/// What becomes of the branches below one.
///
/// # Errors
/// Refs or worktrees cannot be read.
pub(super) fn of(repo: &GitRepo, below: &[Step]) -> Result<Along, Error> {
    let mut elsewhere = Vec::new();
    for tree in if below.is_empty() { Vec::new() } else { registered(repo.layout())? } {
        let layout = Layout { git_dir: tree.git_dir.clone(), ..repo.layout().clone() };
        for branch in [head_of(repo, &tree.git_dir)?.branch, rebasing_branch(&layout)?].into_iter().flatten()
        {
            elsewhere.push((branch, tree.root.clone()));
        }
    }
    for step in below.iter().rev() {
        let reference = format!("refs/heads/{}", step.branch);
        let at = elsewhere.iter().find(|(branch, _)| *branch == reference).map(|(_, root)| root.clone());
        if at.is_some() || !step.is_here {
            return Ok(Along::Blocked { on: step.branch.clone(), at });
        }
    }
    Ok(Along::All(below.iter().map(|step| (step.branch.clone(), step.tip)).collect()))
}

/// Those of them that have moved, with their tips before and now.
///
/// # Errors
/// Refs cannot be read.
pub(super) fn moved(repo: &GitRepo, along: &[(String, Oid)]) -> Result<Vec<MovedBranch>, Error> {
    let mut moved = Vec::new();
    for (branch, before) in along {
        if let Some(after) = repo.find_ref(&format!("refs/heads/{branch}"))?.filter(|after| after != before) {
            moved.push(MovedBranch { branch: branch.clone(), before: *before, after });
        }
    }
    Ok(moved)
}

/// Has a rebase move these branches, and no others: git would take along whatever points to a commit of it.
pub(super) fn take_along(command: &mut Command, along: &[(String, Oid)]) {
    if along.is_empty() {
        return;
    }
    let names: Vec<String> = along.iter().map(|(name, _)| format!("refs/heads/{name}")).collect();
    command.env(ALONG, names.join(" ")).env("GIT_SEQUENCE_EDITOR", MOVES);
    // A commit that the base has already is left out once it is empty: its branch is moved all the same.
    command.args([
        "--interactive",
        "--update-refs",
        "--no-autosquash",
        "--reapply-cherry-picks",
        "--empty=drop",
    ]);
}
