//! `git lane drop`

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::who::in_repository;
use crate::gather::{PushLine, Request, Subject};
use crate::ops::Session;
use crate::rewrite::{self, Rewritten};
use lane_core::error::Error;
use lane_core::facts::{Change, Event, Message, Oid, RepoPath};
use lane_core::report::quote;
use lane_git::Repository;
use lane_git::command::Ran;
use lane_git::command::{in_worktree, run as run_git};
use lane_git::under_way::under_way;
use lane_git::worktrees::{head_of, worktrees};

/// Take paths out of this branch's own commits
///
/// The commits keep their messages, and the edits stay in the working tree.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the commits are to leave as the base has it, as seen from this folder
    #[arg(required = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<OsString>,
    /// A branch that is checked out in no worktree, instead of this one
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub branch: Option<String>,
}

/// For what only looks, and for moving a branch.
const LIMIT: Duration = Duration::from_secs(600);

/// Takes paths out of the commits that a branch adds to its base: each stays, with its message, author and dates, and
/// leaves the paths alone. The working tree is not touched. Exit code 1 where no commit changes them.
///
/// # Errors
/// No such branch, a rebase or a merge under way, commits that are not this branch's own, or something that cannot be
/// read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let branch = Branch::find(&session, args.branch.as_deref())?;
    let mut paths = Vec::new();
    for path in &args.paths {
        paths.push(in_repository(&session, Path::new(path))?.0);
    }
    paths.sort();
    paths.dedup();
    let (change, commits) = branch.change(&session)?;
    let is_at = |path: &RepoPath, dropped: &RepoPath| {
        path == dropped
            || path.0.strip_prefix(dropped.0.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let touched: BTreeSet<&RepoPath> = change
        .commits
        .get()?
        .iter()
        .flat_map(|commit| commit.files.iter().map(|file| &file.path))
        .filter(|path| paths.iter().any(|dropped| is_at(path, dropped)))
        .collect();
    let done = rewrite::without(&session.repo, &commits, &paths)?;
    let after = done.last().map_or(branch.tip, |last| last.after);
    if after == branch.tip {
        return nothing(&branch, &paths, &change, args, output);
    }
    let staged = branch.staged(&paths)?;
    branch.move_to(after, touched.len())?;
    let left = branch.unstage(&staged)?;
    let is_pushed = branch.is_pushed(&session, after)?;
    let report =
        Report { session: &session, branch: &branch, touched: &touched, done: &done, after, left, is_pushed };
    if output.is_json() {
        output.print_json(&report.json())?;
    } else if !output.is_quiet() {
        output.print(&report.text())?;
    }
    Ok(0)
}

/// Says which paths no commit changes, as they were read; below the root, what they would be from there.
fn nothing(
    branch: &Branch<'_>,
    paths: &[RepoPath],
    change: &Change,
    args: &Args,
    output: &Output,
) -> Outcome {
    let named: Vec<String> = paths.iter().map(ToString::to_string).collect();
    let mut text =
        format!("no commit of {} changes {}: nothing to take out\n", branch.name, named.join(", "));
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
        text.push_str(&format!("  help: from the root: git lane drop {on}-- {}\n", meant.join(" ")));
    }
    output.print(&text)?;
    Ok(1)
}

/// What is rewritten.
struct Branch<'a> {
    /// Its short name, or `HEAD`.
    name: String,
    /// Its full name, or `HEAD` where that is on no branch.
    reference: String,
    tip: Oid,
    /// The worktree that it is checked out in: this one.
    root: Option<&'a Path>,
    /// Where git is started for it.
    folder: &'a Path,
}

impl<'a> Branch<'a> {
    fn find(session: &'a Session, named: Option<&str>) -> Result<Self, Error> {
        let layout = session.repo.layout();
        let folder = layout.worktree.as_deref().unwrap_or(&layout.common_dir);
        let head = session.repo.head()?;
        let wanted =
            named.map(|name| format!("refs/heads/{}", name.strip_prefix("refs/heads/").unwrap_or(name)));
        if wanted.is_none() || wanted == head.branch {
            let Some(tip) = head.oid else {
                return Err(Error::usage("there is no commit here yet", "git status"));
            };
            let reference = head.branch.unwrap_or_else(|| "HEAD".to_owned());
            if let Some(it) =
                under_way(&layout.git_dir).filter(|it| it.word != "bisect" || reference == "HEAD")
            {
                return Err(Error::usage(
                    format!("{} is under way, and no commit was changed", it.what),
                    it.help,
                ));
            }
            let name = reference.strip_prefix("refs/heads/").unwrap_or(&reference).to_owned();
            return Ok(Self { name, reference, tip, root: layout.worktree.as_deref(), folder });
        }
        let reference = wanted.unwrap_or_default();
        let name = reference.trim_start_matches("refs/heads/").to_owned();
        let Some(tip) = session.repo.find_ref(&reference)? else {
            return Err(Error::usage(format!("there is no branch `{name}` here"), "git branch --list"));
        };
        for tree in worktrees(layout)? {
            if head_of(&session.repo, &tree.git_dir)?.branch.as_ref() == Some(&reference) {
                let root = quote(tree.root.as_os_str().as_encoded_bytes());
                return Err(Error::usage(
                    format!("`{name}` is checked out in {root}, and no commit was changed"),
                    format!("run it there: git -C {root} lane drop …"),
                ));
            }
        }
        Ok(Self { name, reference, tip, root: None, folder })
    }

    /// What the branch adds to its base, as a push would be judged, and its commits, parents first.
    fn change(&self, session: &Session) -> Result<(Change, Vec<Oid>), Error> {
        let remote = &session.loaded.plan.policy.remote.value;
        let name = if self.reference == "HEAD" { "refs/heads/HEAD" } else { &self.reference };
        let lines = vec![PushLine {
            local_ref: self.reference.clone(),
            local: Some(self.tip),
            remote_ref: name.to_owned(),
            remote: None,
        }];
        let subject = Subject::Push { remote: remote.clone(), lines };
        let mut facts =
            session.facts(&Request { event: Event::Status, agent: None, branch: None, subject })?;
        if let Some(base) = &facts.unpushed_base {
            return Err(Error::usage(
                format!("`{}` stands on commits of {base} that {remote} does not have", self.name),
                format!(
                    "they are not this branch's own: have a maintainer push them: git push {remote} {base}"
                ),
            ));
        }
        let Some(change) = facts.changes.pop() else {
            return Err(Error::usage(
                format!("`{}` adds no commit to its base", self.name),
                "git lane check",
            ));
        };
        let commits = change.commits.get()?.iter().map(|commit| commit.oid).collect();
        Ok((change, commits))
    }

    fn git(&self, arguments: &[&str], paths: &[RepoPath]) -> Result<Ran, Error> {
        let mut git = in_worktree(self.folder);
        // The index is written here.
        git.env_remove("GIT_OPTIONAL_LOCKS").arg("--literal-pathspecs").args(arguments);
        git.args(paths.iter().map(|path| lane_git::path_of(&path.0)));
        run_git(git, None, LIMIT)
    }

    /// The paths whose entries in the index are to follow the branch. What is staged and stands nowhere else stays
    /// staged.
    fn staged(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, Error> {
        if self.root.is_none() {
            return Ok(Vec::new());
        }
        let tip = self.tip.to_string();
        let list = |arguments: &[&str]| -> Result<BTreeSet<RepoPath>, Error> {
            let ran = self.git(arguments, paths)?;
            if !ran.ok {
                let said = format!("git cannot tell what is staged: {}", ran.complaint());
                return Err(Error::write(said, "nothing was changed; git status"));
            }
            let names = ran.raw.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            Ok(names.map(|name| RepoPath(name.to_vec())).collect())
        };
        let known = list(&["ls-files", "-z", "--"])?;
        let committed = list(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", &tip, "--"])?;
        let staged = list(&["diff", "--cached", "--name-only", "--no-renames", "-z", &tip, "--"])?;
        let edited = list(&["diff", "--name-only", "--no-renames", "-z", "--"])?;
        let own = |path: &RepoPath| staged.contains(path) && edited.contains(path);
        let mut all: BTreeSet<RepoPath> = known.into_iter().chain(committed).collect();
        all.extend(paths.iter().cloned());
        Ok(all.into_iter().filter(|path| !own(path)).collect())
    }

    fn move_to(&self, after: Oid, count: usize) -> Result<(), Error> {
        let (old, new) = (self.tip.to_string(), after.to_string());
        let why = format!("lane drop: {count} {} taken out", if count == 1 { "path" } else { "paths" });
        if self.root.is_some() {
            self.git(&["update-ref", "ORIG_HEAD", &old], &[])?;
        }
        let arguments =
            ["update-ref", "--no-deref", "--create-reflog", "-m", &why, &self.reference, &new, &old];
        let ran = self.git(&arguments, &[])?;
        if ran.ok {
            return Ok(());
        }
        Err(Error::write(
            format!("`{}` cannot be moved: {}", self.name, ran.complaint()),
            "nothing was changed; if somebody committed meanwhile, rerun the command",
        ))
    }

    /// Lets the index follow the branch. What it cannot: a note.
    fn unstage(&self, paths: &[RepoPath]) -> Result<Option<String>, Error> {
        if paths.is_empty() {
            return Ok(None);
        }
        let ran = self.git(&["reset", "-q", "HEAD", "--"], paths)?;
        Ok((!ran.ok).then(|| format!("the index could not be changed: {}", ran.complaint())))
    }

    /// Whether the remote has the branch as it was before.
    fn is_pushed(&self, session: &Session, after: Oid) -> Result<bool, Error> {
        let remote = &session.loaded.plan.policy.remote.value;
        let there = session.repo.find_ref(&format!("refs/remotes/{remote}/{}", self.name))?;
        Ok(match there {
            Some(there) => session.repo.merge_base(there, &[after])? != Some(there),
            None => false,
        })
    }
}

/// What was done.
struct Report<'a> {
    session: &'a Session,
    branch: &'a Branch<'a>,
    touched: &'a BTreeSet<&'a RepoPath>,
    done: &'a [Rewritten],
    after: Oid,
    left: Option<String>,
    is_pushed: bool,
}

impl Report<'_> {
    fn subject(&self, commit: Oid) -> String {
        let message = self.session.repo.commit(commit).map(|commit| Message { text: commit.message });
        message.map(|message| message.subject()).unwrap_or_default()
    }

    fn text(&self) -> String {
        let Self { branch, touched, .. } = self;
        let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let rewritten = self.done.iter().filter(|commit| commit.before != commit.after);
        let mut text = format!(
            "took {} out of {}, in {}:\n",
            many(touched.len(), "file"),
            branch.name,
            many(rewritten.count(), "rewritten commit")
        );
        for path in touched.iter() {
            text.push_str(&format!("    {path}\n"));
        }
        if branch.root.is_some() {
            text.push_str("the working tree is as it was; what was taken out is not staged any more\n");
        }
        let tip = branch.tip.short();
        text.push_str(&format!(
            "the branch was at {tip} before, where all of it still is: git show {tip}:PATH\n"
        ));
        for commit in self.done.iter().filter(|commit| commit.is_emptied) {
            let subject = self.subject(commit.before);
            text.push_str(&format!(
                "{} is empty now, and keeps its message: {subject}\n",
                commit.after.short()
            ));
        }
        let signed = self.done.iter().filter(|commit| commit.is_signed).count();
        if signed > 0 {
            text.push_str(&format!("{} signed anew\n", many(signed, "commit")));
        }
        if let Some(left) = &self.left {
            text.push_str(&format!("note: {left}\n"));
        }
        if self.is_pushed {
            let remote = &self.session.loaded.plan.policy.remote.value;
            text.push_str(&format!(
                "{remote} has the branch as it was before; replace it: git lane push --force-with-lease\n"
            ));
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let commit = |commit: &Rewritten| {
            json!({
                "before": commit.before,
                "after": commit.after,
                "subject": self.subject(commit.before),
                "empty": commit.is_emptied,
                "signed": commit.is_signed,
            })
        };
        json!({
            "schema": 1,
            "branch": self.branch.name,
            "before": self.branch.tip,
            "after": self.after,
            "paths": self.touched,
            "commits": self.done.iter().map(commit).collect::<Vec<_>>(),
            "needs_force": self.is_pushed,
            "note": self.left,
        })
    }
}
