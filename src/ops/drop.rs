//! Taking paths out of the commits that a branch adds to its base.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::Session;
use crate::gather::{PushLine, Request, Subject};
use crate::rewrite::{self, RewrittenCommit};
use lane_core::error::Error;
use lane_core::facts::{Change, Event, Message, Oid, RepoPath};
use lane_core::report::quote;
use lane_git::Repository;
use lane_git::command::{CommandOutput, in_worktree, run as run_git};
use lane_git::in_progress::in_progress;
use lane_git::worktrees::{head_of, worktrees};

/// For what only looks, and for moving a branch.
const LIMIT: Duration = Duration::from_secs(600);

/// What became of it.
pub enum Outcome {
    /// No commit of the branch changes such a path.
    Nothing {
        /// The branch.
        branch: String,
        /// What it adds to its base.
        change: Box<Change>,
    },
    /// They are out.
    Done(DropResult),
}

/// What was done.
pub struct DropResult {
    /// The branch, or `HEAD`.
    pub branch: String,
    /// Its tip before.
    pub before: Oid,
    /// Its tip now.
    pub after: Oid,
    /// Whether it is checked out here.
    pub is_here: bool,
    /// What was taken out.
    pub paths: BTreeSet<RepoPath>,
    /// The commits of the branch, parents first, each with its subject.
    pub commits: Vec<(RewrittenCommit, String)>,
    /// What of it could not be done.
    pub restored_branch: Option<String>,
    /// The remote that has the branch as it was before, if it has.
    pub pushed_to: Option<String>,
}

/// Takes paths out of the commits that a branch adds to its base: each stays, with its message, author and dates, and
/// leaves the paths alone. The working tree is not touched. `branch`: one that is checked out nowhere, instead of this one.
///
/// # Errors
/// No such branch, a rebase or a merge under way, commits that are not this branch's own, or something that cannot be
/// read or written.
pub fn drop(session: &Session, paths: &[RepoPath], branch: Option<&str>) -> Result<Outcome, Error> {
    let branch = Branch::find(session, branch)?;
    let (change, commits) = branch.change(session)?;
    let is_at = |path: &RepoPath, dropped: &RepoPath| {
        path == dropped
            || path.0.strip_prefix(dropped.0.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let touched: BTreeSet<RepoPath> = change
        .commits
        .get()?
        .iter()
        .flat_map(|commit| commit.files.iter().map(|file| &file.path))
        .filter(|path| paths.iter().any(|dropped| is_at(path, dropped)))
        .cloned()
        .collect();
    let done = rewrite::without(&session.repo, &commits, paths)?;
    let after = done.last().map_or(branch.tip, |last| last.after);
    if after == branch.tip {
        return Ok(Outcome::Nothing { branch: branch.name, change: Box::new(change) });
    }
    let staged = branch.staged(paths)?;
    branch.move_to(after, touched.len())?;
    let left = branch.unstage(&staged)?;
    let subject = |commit: Oid| {
        let message = session.repo.commit(commit).map(|commit| Message { text: commit.message });
        message.map(|message| message.subject()).unwrap_or_default()
    };
    let commits = done.into_iter().map(|commit| {
        let subject = subject(commit.before);
        (commit, subject)
    });
    let remote = &session.loaded.plan.policy.remote.value;
    Ok(Outcome::Done(DropResult {
        before: branch.tip,
        after,
        is_here: branch.root.is_some(),
        paths: touched,
        commits: commits.collect(),
        restored_branch: left,
        pushed_to: branch.is_pushed(session, after)?.then(|| remote.clone()),
        branch: branch.name,
    }))
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
                return Err(Error::usage("no commit here yet", "git status"));
            };
            let reference = head.branch.unwrap_or_else(|| "HEAD".to_owned());
            if let Some(it) =
                in_progress(&layout.git_dir).filter(|it| it.word != "bisect" || reference == "HEAD")
            {
                return Err(Error::usage(
                    format!("{} is in progress; no commit was changed", it.what),
                    it.help,
                ));
            }
            let name = reference.strip_prefix("refs/heads/").unwrap_or(&reference).to_owned();
            return Ok(Self { name, reference, tip, root: layout.worktree.as_deref(), folder });
        }
        let reference = wanted.unwrap_or_default();
        let name = reference.trim_start_matches("refs/heads/").to_owned();
        let Some(tip) = session.repo.find_ref(&reference)? else {
            return Err(Error::usage(format!("unknown branch `{name}`"), "git branch --list"));
        };
        for tree in worktrees(layout)? {
            if head_of(&session.repo, &tree.git_dir)?.branch.as_ref() == Some(&reference) {
                let root = quote(tree.root.as_os_str().as_encoded_bytes());
                return Err(Error::usage(
                    format!("`{name}` is checked out in {root}; no commit was changed"),
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
                format!("`{}` is based on commits of {base} that are not on {remote}", self.name),
                format!(
                    "they do not belong to this branch; ask a maintainer to push them: git push {remote} {base}"
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

    fn git(&self, arguments: &[&str], paths: &[RepoPath]) -> Result<CommandOutput, Error> {
        let mut git = in_worktree(self.folder);
        // The index is written here.
        git.env_remove("GIT_OPTIONAL_LOCKS").arg("--literal-pathspecs").args(arguments);
        git.args(paths.iter().map(|path| lane_os::path_of(&path.0)));
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
                let said = format!("the staged files could not be listed: {}", ran.error_text());
                return Err(Error::write(said, "nothing was changed; check: git status"));
            }
            let names = ran.stdout_bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
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
        let why = format!("lane drop: {count} {} dropped", if count == 1 { "path" } else { "paths" });
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
            format!("`{}` cannot be moved: {}", self.name, ran.error_text()),
            "nothing was changed; if someone committed meanwhile, rerun the command",
        ))
    }

    /// Lets the index follow the branch. What it cannot: a note.
    fn unstage(&self, paths: &[RepoPath]) -> Result<Option<String>, Error> {
        if paths.is_empty() {
            return Ok(None);
        }
        let ran = self.git(&["reset", "-q", "HEAD", "--"], paths)?;
        Ok((!ran.ok).then(|| format!("the index could not be changed: {}", ran.error_text())))
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
