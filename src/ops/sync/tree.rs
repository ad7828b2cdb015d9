//! One worktree that is brought up to date.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::along::{self, Along};
use super::outcome::{Conflict, RebaseOutcome, StashOutcome, WorktreeSync};
use super::{RebaseTarget, SHORT, count, losses};
use crate::gather::change_base;
use crate::stack::{self, StackParent, Step};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_core::locks::record::plain;
use lane_core::policy::Plan;
use lane_core::report::quote;
use lane_git::command::{in_worktree, run as run_git};
use lane_git::in_progress::in_progress;
use lane_git::{GitRepo, Repository};

/// A rebase of many commits, with somebody's hooks.
const LONG: Duration = Duration::from_secs(3_600);
/// Where git puts aside what does not fit back after a rebase.
const STASH: &str = "refs/stash";
/// A branch with more changed files than this is asked for each conflict alone.
const CAUSES: usize = 20;

/// A worktree to rebase.
pub struct Tree {
    /// Its folder.
    pub root: PathBuf,
    /// Its git folder.
    pub git_dir: PathBuf,
}

/// What a branch is rebased on.
struct Target {
    reference: String,
    oid: Oid,
    /// The last of its commits that are there already as others.
    landed: Option<Oid>,
    /// Whether that is a newer version of a branch below, and not what it is to be merged into.
    is_newer: bool,
    /// The branches below it that go along, each with its tip.
    along: Vec<(String, Oid)>,
}

/// A rebase that can be made.
struct Rebase {
    repo: GitRepo,
    before: Oid,
    target: Target,
    autostash: bool,
}

impl Tree {
    /// Rebases it. `gives_up`: a rebase that stops is undone, since nobody is there to go on with it.
    pub fn sync(
        &self,
        onto: &RebaseTarget<'_>,
        autostash: bool,
        gives_up: bool,
    ) -> Result<WorktreeSync, Error> {
        let mut done = WorktreeSync::new(&self.root, RebaseOutcome::Nothing);
        let rebase = match self.prepared(onto, autostash, gives_up, &mut done)? {
            Ok(rebase) => rebase,
            Err(worked) => return Ok(WorktreeSync { rebase: worked, ..done }),
        };
        done.rebase = self.rebased(&rebase, gives_up)?;
        Ok(done)
    }

    /// The rebase that is to be made, or why there is none.
    fn prepared(
        &self,
        onto: &RebaseTarget<'_>,
        autostash: bool,
        gives_up: bool,
        done: &mut WorktreeSync,
    ) -> Result<Result<Rebase, RebaseOutcome>, Error> {
        if !self.root.is_dir() {
            let help = "if it was moved: git worktree repair NEW_PLACE\n\
                if it was deleted: git worktree prune";
            return Ok(Err(RebaseOutcome::busy("its folder is gone", help)));
        }
        if let Some(it) = in_progress(&self.git_dir) {
            return Ok(Err(RebaseOutcome::busy(format!("{} is in progress", it.what), it.help)));
        }
        let repo = GitRepo::open_at(&self.root)?;
        let head = repo.head()?;
        let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let (Some(branch), Some(before)) = (branch, head.oid) else {
            let help = "switch to a branch: git switch BRANCH\nor create one here: git switch -c BRANCH";
            return Ok(Err(RebaseOutcome::busy("HEAD is detached, or on a branch without commits", help)));
        };
        done.branch = Some(branch.to_owned());
        done.agent = repo.config("lane.agent")?.pop();
        if branch == onto.plan().policy.base.value || onto.plan().protected(branch).is_some() {
            let why = format!("`{branch}` is a protected branch: it is not rebased");
            let help = "work on your own branch: git switch -c BRANCH";
            let help = (!gives_up).then(|| help.to_owned());
            return Ok(Err(RebaseOutcome::Busy { why, help }));
        }
        let dirty = self.dirty(gives_up)?;
        if !dirty.is_empty() && gives_up {
            let why = format!("{} not committed", count(dirty.len()));
            return Ok(Err(RebaseOutcome::busy(why, "commit there, then: git lane sync")));
        }
        if !dirty.is_empty() && !autostash {
            return Ok(Err(RebaseOutcome::Dirty(dirty)));
        }
        let target = match self.target(&repo, onto, branch, before)? {
            Ok(target) => target,
            Err((worked, reference)) => {
                done.onto = (reference != onto.reference).then_some(reference);
                return Ok(Err(worked));
            }
        };
        done.onto = (target.reference != onto.reference).then(|| target.reference.clone());
        let by_hand =
            losses::by_hand(&self.root, &target.reference, target.landed, !target.along.is_empty(), gives_up);
        if let Some(busy) = losses::of(&repo, &self.root, target.oid, before, &by_hand)? {
            return Ok(Err(busy));
        }
        Ok(Ok(Rebase { repo, before, target, autostash }))
    }

    /// What a branch is to be rebased on: its own base, or the rewritten branch that it is based on. Else what is so already, and
    /// the base by which that was found.
    fn target(
        &self,
        repo: &GitRepo,
        onto: &RebaseTarget<'_>,
        branch: &str,
        before: Oid,
    ) -> Result<Result<Target, (RebaseOutcome, String)>, Error> {
        let base = change_base::of_branch(repo, onto.loaded, branch, before)?;
        let (oid, reference) =
            base.map_or_else(|| (onto.oid, onto.reference.clone()), |base| (base.oid, base.reference));
        let behind = repo.commits(&[oid], &[before])?.len();
        let landed = if behind == 0 { None } else { stack::landed(repo, oid, before)? };
        let above = landed.unwrap_or(oid);
        let below = stack::below(repo, onto.plan(), branch, before, Some(above))?;
        let lower = self.parent(repo, onto.plan(), (branch, before), above, &below)?;
        if behind == 0 && !matches!(lower, Some(StackParent::Rewritten { .. })) {
            return Ok(Err((RebaseOutcome::Nothing, reference)));
        }
        let (below, behind) = match &lower {
            Some(StackParent::Rewritten { left, .. }) => {
                (stack::below(repo, onto.plan(), branch, before, Some(*left))?, 0)
            }
            _ => (below, behind),
        };
        let along = match along::of(repo, &below)? {
            Along::All(along) => along,
            Along::Blocked { on, at } => {
                return Ok(Err((RebaseOutcome::Stacked { on, at, behind }, reference)));
            }
        };
        match lower {
            Some(StackParent::Pushed(on)) if !along.iter().any(|(name, _)| *name == on) => {
                Ok(Err((RebaseOutcome::Stacked { on, at: None, behind }, reference)))
            }
            Some(StackParent::Rewritten { reference, tip, left }) => {
                Ok(Ok(Target { reference, oid: tip, landed: Some(left), is_newer: true, along }))
            }
            _ => Ok(Ok(Target { reference, oid, landed, is_newer: false, along })),
        }
    }

    /// What a branch is based on: where a branch anywhere below it has changed, that one.
    fn parent(
        &self,
        repo: &GitRepo,
        plan: &Plan,
        (branch, tip): (&str, Oid),
        above: Oid,
        below: &[Step],
    ) -> Result<Option<StackParent>, Error> {
        let lower = |branch: &str, tip: Oid| stack::lower(repo, plan, &self.root, branch, tip, above, &[]);
        for step in below {
            if let Some(found @ StackParent::Rewritten { .. }) = lower(&step.branch, step.tip)? {
                return Ok(Some(found));
            }
        }
        lower(branch, tip)
    }

    fn rebased(&self, rebase: &Rebase, gives_up: bool) -> Result<RebaseOutcome, Error> {
        let Rebase { repo, before, target, autostash } = rebase;
        let Target { oid: onto, landed, along, is_newer, .. } = target;
        let (before, onto) = (*before, *onto);
        let behind = repo.commits(&[onto], &[before])?.len();
        let from = repo.merge_base(onto, &[before])?;
        let left_out = match landed {
            Some(landed) => repo.commits(&[*landed], &[onto])?.len(),
            None => 0,
        };
        let stash = repo.find_ref(STASH)?;
        let ran = run_git(self.rebase(target, *autostash, gives_up), None, LONG)?;
        if ran.ok {
            let repo = GitRepo::open_at(&self.root)?;
            let after = repo.head()?.oid.unwrap_or(before);
            // What git says of it is not the same in all of its versions. All worktrees have one stash; a new entry is ours
            // if it was put aside on what we had.
            let aside = match repo.find_ref(STASH)?.filter(|new| Some(*new) != stash) {
                None => StashOutcome::Back,
                Some(new) if repo.commit(new)?.parents.first() != Some(&before) => StashOutcome::Back,
                Some(_) if self.conflicts(onto, from).is_empty() => StashOutcome::Kept,
                Some(_) => StashOutcome::Conflicts,
            };
            let along = along::moved(&repo, along)?;
            return Ok(RebaseOutcome::Rebased {
                before,
                after,
                behind,
                landed: left_out,
                is_newer: *is_newer,
                along,
                aside,
            });
        }
        if in_progress(&self.git_dir).map(|it| it.word) != Some("rebase") {
            let reason = format!("the rebase failed: {}", plain(&ran.error_text()));
            return Ok(RebaseOutcome::Failed {
                reason,
                help: Some("nothing was changed; check: git status".to_owned()),
            });
        }
        let conflicts = self.conflicts(onto, from);
        if gives_up {
            let mut abort = self.git(gives_up);
            abort.args(["rebase", "--abort"]);
            let ran = run_git(abort, None, LONG)?;
            if !ran.ok {
                let reason = format!("the rebase stopped, and could not be undone: {}", ran.error_text());
                let root = quote(self.root.as_os_str().as_encoded_bytes());
                return Ok(RebaseOutcome::Failed {
                    reason,
                    help: Some(format!("git -C {root} rebase --abort")),
                });
            }
        }
        Ok(RebaseOutcome::Stopped { conflicts, said: plain(&ran.error_text()), is_undone: gives_up })
    }

    /// A git that sees this worktree. In another agent's nothing of ours may speak for it.
    fn git(&self, is_anothers: bool) -> Command {
        let mut command = in_worktree(&self.root);
        // Index and working tree are written here.
        command.env_remove("GIT_OPTIONAL_LOCKS");
        // Nobody edits anything in a plain rebase; a hook that tries to is not left to wait.
        command.env("GIT_EDITOR", "true").env("GIT_SEQUENCE_EDITOR", "true");
        if is_anothers {
            command.env_remove("AGENT_ID");
        }
        command
    }

    fn rebase(&self, target: &Target, autostash: bool, is_anothers: bool) -> Command {
        let Target { oid: onto, landed, along, .. } = target;
        let mut command = self.git(is_anothers);
        // Branches of others that are based on this one are theirs to move.
        command.args(["-c", "rebase.updateRefs=false", "-c", "rebase.abbreviateCommands=false"]);
        if !along.is_empty() {
            // The list is read as it was written.
            command.args(["-c", "core.commentChar=#"]);
        }
        command.arg("rebase");
        command.arg(if autostash { "--autostash" } else { "--no-autostash" });
        along::take_along(&mut command, along);
        // What the base has already, as other commits, would only be in the way.
        if let Some(landed) = landed {
            command.arg("--onto").arg(onto.to_string()).arg(landed.to_string());
        } else {
            command.arg(onto.to_string());
        }
        command
    }

    /// Files with work that is not committed; those that git does not know of only where nobody else's worktree
    /// is to be touched while they work: a rebase never touches them.
    fn dirty(&self, untracked: bool) -> Result<Vec<RepoPath>, Error> {
        let mut command = in_worktree(&self.root);
        command.args(["status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=none"]);
        command.arg(if untracked { "--untracked-files=all" } else { "--untracked-files=no" });
        let ran = run_git(command, None, SHORT)?;
        if !ran.ok {
            let reason = format!("git status failed in {}: {}", self.root.display(), ran.error_text());
            return Err(Unavailable::new(reason, "git status").into());
        }
        let entries = ran.stdout_bytes.split(|byte| *byte == 0).filter(|entry| entry.len() > 3);
        Ok(entries.map(|entry| RepoPath(entry[3..].to_vec())).collect())
    }

    /// The files that the rebase stopped at, and who changed each on the base.
    fn conflicts(&self, base: Oid, from: Option<Oid>) -> Vec<Conflict> {
        let mut command = in_worktree(&self.root);
        command.args(["diff", "--name-only", "--diff-filter=U", "-z"]);
        let raw = run_git(command, None, SHORT).map(|ran| ran.stdout_bytes).unwrap_or_default();
        let paths = raw.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let conflict = |(at, path): (usize, &[u8])| {
            let path = RepoPath(path.to_vec());
            let cause = if at < CAUSES { self.cause(&path, base, from) } else { None };
            Conflict { path, cause }
        };
        paths.enumerate().map(conflict).collect()
    }

    /// The last commit of the base that changed a file: `3f2a1b0 (Ada, 2 days ago) Widen the pool`.
    fn cause(&self, path: &RepoPath, base: Oid, from: Option<Oid>) -> Option<String> {
        let range = from.map_or(base.to_string(), |from| format!("{from}..{base}"));
        let mut command = in_worktree(&self.root);
        command.args([
            "--literal-pathspecs",
            "log",
            "-1",
            "--format=%h (%an, %cr) %s",
            &range,
            "--",
            path.as_text()?,
        ]);
        let ran = run_git(command, None, SHORT).ok()?;
        Some(plain(ran.stdout.trim())).filter(|text| ran.ok && !text.is_empty())
    }

    /// Whether its branch has commits that the base has not, and the remote's branch is another.
    pub fn has_news(&self, onto: &RebaseTarget<'_>) -> Result<bool, Error> {
        let repo = GitRepo::open_at(&self.root)?;
        let head = repo.head()?;
        let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let (Some(branch), Some(tip)) = (branch, head.oid) else { return Ok(false) };
        let remote = format!("refs/remotes/{}/{branch}", onto.plan().policy.remote.value);
        let there = repo.find_ref(&remote)?;
        Ok(there != Some(tip) && (there.is_some() || !repo.commits(&[tip], &[onto.oid])?.is_empty()))
    }

    /// Pushes it as whoever works there would, with the branches below it if those went along.
    pub fn push(&self, is_quiet: bool, with_stack: bool) -> Result<bool, Error> {
        let lane = std::env::current_exe().map_err(|error| {
            Error::write(
                format!("the path of git-lane could not be determined: {error}"),
                "push in each worktree: git lane push -f",
            )
        })?;
        let mut command = Command::new(lane);
        for (name, _) in self.git(true).get_envs().filter(|(_, value)| value.is_none()) {
            command.env_remove(name);
        }
        command.args(["push", "--force-with-lease"]).current_dir(&self.root).stdout(Stdio::null());
        if with_stack {
            command.arg("--stack");
        }
        if is_quiet {
            command.arg("--quiet");
        }
        Ok(command.status().is_ok_and(|status| status.success()))
    }
}
