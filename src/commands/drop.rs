//! `git lane drop`

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::who::in_repository;
use crate::ops::drop::{self, DropResult};
use crate::rewrite::RewrittenCommit;
use lane_core::error::Error;
use lane_core::facts::{Change, RepoPath};
use lane_core::report::quote;
use lane_core::text::help_block;

/// Remove paths from this branch's own commits
///
/// The commits keep their messages, and the edits stay in the working tree.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The paths to drop, relative to this folder
    #[arg(required = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<OsString>,
    /// Change this branch instead, which must not be checked out anywhere
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub branch: Option<String>,
}

/// Takes paths out of the commits that a branch adds to its base. Exit code 1 where no commit changes them.
///
/// # Errors
/// No such branch, a rebase or a merge under way, commits that are not this branch's own, or something that cannot be
/// read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let paths = args.paths.iter().map(|path| Ok(in_repository(&session, Path::new(path))?.0));
    let mut paths = paths.collect::<Result<Vec<RepoPath>, Error>>()?;
    paths.sort();
    paths.dedup();
    match drop::drop(&session, &paths, args.branch.as_deref())? {
        drop::Outcome::Nothing { branch, change } => nothing(&branch, &paths, &change, args, output),
        drop::Outcome::Done(done) if output.is_json() => {
            output.print_json(&json(&done))?;
            Ok(0)
        }
        drop::Outcome::Done(done) => {
            if !output.is_quiet() {
                output.print(&text(&done))?;
            }
            Ok(0)
        }
    }
}

/// Says which paths no commit changes, as they were read; below the root, what they would be from there.
fn nothing(branch: &str, paths: &[RepoPath], change: &Change, args: &Args, output: &Output) -> Outcome {
    let named: Vec<String> = paths.iter().map(ToString::to_string).collect();
    let mut text = format!("no commit of {} changes {}: nothing to drop\n", branch, named.join(", "));
    let is_changed = |path: &str| {
        let commits = change.commits.known().into_iter().flatten();
        let mut files = commits.flat_map(|commit| &commit.files);
        files.any(|file| {
            file.path.0 == path.as_bytes() || file.path.0.starts_with(format!("{path}/").as_bytes())
        })
    };
    let is_meant = |path: &&str| {
        let path = path.trim_end_matches('/');
        !paths.iter().any(|read| read.0 == path.as_bytes()) && is_changed(path)
    };
    let typed = args.paths.iter().filter_map(|path| path.to_str());
    let meant: Vec<String> =
        typed.filter(is_meant).map(|path| quote(format!(":/{path}").as_bytes())).collect();
    if !meant.is_empty() {
        let on = args
            .branch
            .as_ref()
            .map(|name| format!("--branch {} ", quote(name.as_bytes())))
            .unwrap_or_default();
        let help = format!("from the root: git lane drop {on}-- {}", meant.join(" "));
        text.push_str(&help_block(&help, false));
    }
    output.print(&text)?;
    Ok(1)
}

fn text(done: &DropResult) -> String {
    let DropResult { branch, paths: touched, .. } = done;
    let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let rewritten = done.commits.iter().filter(|(commit, _)| commit.before != commit.after);
    let mut text = format!(
        "dropped {} from {}, in {}:\n",
        many(touched.len(), "file"),
        branch,
        many(rewritten.count(), "rewritten commit")
    );
    for path in touched {
        text.push_str(&format!("    {path}\n"));
    }
    if done.is_here {
        text.push_str("the working tree is unchanged; the dropped paths are no longer staged\n");
    }
    let tip = done.before.short();
    text.push_str(&format!(
        "the branch was at {tip} before; its files are still there: git show {tip}:PATH\n"
    ));
    for (commit, subject) in done.commits.iter().filter(|(commit, _)| commit.is_emptied) {
        text.push_str(&format!("{} is now empty and keeps its message: {subject}\n", commit.after.short()));
    }
    let signed = done.commits.iter().filter(|(commit, _)| commit.is_signed).count();
    if signed > 0 {
        text.push_str(&format!("{} signed again\n", many(signed, "commit")));
    }
    if let Some(left) = &done.restored_branch {
        text.push_str(&format!("note: {left}\n"));
    }
    if let Some(remote) = &done.pushed_to {
        text.push_str(&format!(
            "{remote} has the old branch; replace it: git lane push --force-with-lease\n"
        ));
    }
    text
}

fn json(done: &DropResult) -> serde_json::Value {
    let commit = |(commit, subject): &(RewrittenCommit, String)| {
        json!({
            "before": commit.before,
            "after": commit.after,
            "subject": subject,
            "empty": commit.is_emptied,
            "signed": commit.is_signed,
        })
    };
    json!({
        "schema": 1,
        "branch": done.branch,
        "before": done.before,
        "after": done.after,
        "paths": done.paths,
        "commits": done.commits.iter().map(commit).collect::<Vec<_>>(),
        "needs_force": done.pushed_to.is_some(),
        "note": done.restored_branch,
    })
}
