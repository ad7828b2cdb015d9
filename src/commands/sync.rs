//! `git lane sync`

mod fetch;
mod losses;
pub mod stack;
mod text;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::{Output, complain};
use crate::cli::session;
use crate::commands::push;
use crate::commands::sync::fetch::fetch;
use crate::commands::sync::stack::Lower;
use crate::commands::sync::text::{Aside, Conflict, Synced, Worked};
use crate::gather::{Loaded, change_base};
use crate::locks::keeper::Keeper;
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::status::{Lane, lanes};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_core::locks::record::plain;
use lane_core::policy::Plan;
use lane_git::command::{in_worktree, run as run_git};
use lane_git::under_way::under_way;
use lane_git::{Opened, Repository};

/// Rebase this branch on the base as the remote has it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Push afterwards, if nobody else pushed to the branch meanwhile
    #[arg(long)]
    pub push: bool,
    /// All worktrees in which nothing is under way and all is committed
    #[arg(long)]
    pub all: bool,
    /// Put uncommitted work aside, and back afterwards
    #[arg(long, conflicts_with = "all")]
    pub autostash: bool,
}

/// A rebase of many commits, with somebody's hooks.
const LONG: Duration = Duration::from_secs(3_600);
/// Whatever only looks.
pub(in crate::commands) const SHORT: Duration = Duration::from_secs(60);
/// Where git puts aside what does not fit back after a rebase.
const STASH: &str = "refs/stash";
/// A branch with more changed files than this is asked for each conflict alone.
const CAUSES: usize = 20;

/// Fetches, rebases this branch on the base, or all branches whose worktrees are idle. Exit code 1 where one was
/// not rebased, for whatever is to be mended there.
///
/// # Errors
/// No repository, no policy, no base, or a remote that cannot be reached.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    fetch(&session)?;
    // The fetch may have brought another policy, and another base.
    let session = session.reloaded()?;
    let Some(base) = session.loaded.base.clone() else {
        let name = &session.loaded.plan.policy.base.value;
        return Err(Error::usage(
            format!("there is no branch `{name}` to rebase on"),
            "`base` of the policy names it: look at its name, and push it to the remote",
        ));
    };
    let onto = Onto { reference: base.reference, oid: base.oid, loaded: &session.loaded };
    if args.all {
        return all(&session, &onto, args, output);
    }
    let layout = session.repo.layout();
    let Some(root) = layout.worktree.clone() else {
        return Err(Error::usage(
            "a bare repository has no branch to rebase",
            "go into a worktree; all that are idle: git lane sync --all",
        ));
    };
    let tree = Tree { root, git_dir: layout.git_dir.clone() };
    let mut done = tree.sync(&onto, args.autostash, false)?;
    renew(&session, &done);
    if !output.is_json() {
        text::say(&done, &onto.reference, output)?;
    }
    let mut code = u8::from(!done.is_good());
    if args.push && done.is_good() {
        code = push::branch(&session, &push::Args { force_with_lease: true }, output)?.0;
        done.pushed = Some(code == 0);
    }
    if output.is_json() {
        output.print_json(&json!({ "schema": 1, "base": onto.oid, "worktrees": [done.json()] }))?;
    }
    Ok(code)
}

/// What branches are rebased on.
pub(in crate::commands) struct Onto<'a> {
    reference: String,
    oid: Oid,
    loaded: &'a Loaded,
}

impl Onto<'_> {
    fn plan(&self) -> &Plan {
        &self.loaded.plan
    }
}

/// Lets the locks of whoever works here live on: the work under them does.
fn renew(session: &Session, done: &Synced) {
    let agent = session.agent(None);
    let (Ok(agent), true) = (agent, done.is_good()) else { return };
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, &session.loaded.plan, &world);
    match keeper.renew_old(&agent, &session.place()) {
        Ok(Ok(scopes)) => scopes.iter().for_each(|scope| complain(&format!("git-lane: renewed `{scope}`\n"))),
        Ok(Err(scope)) => complain(&format!(
            "git-lane: note: the lock `{scope}` changed hands meanwhile; git lane locks --log shows how\n"
        )),
        Err(error) => complain(&format!("git-lane: note: locks were not renewed: {error}\n")),
    }
}

fn all(session: &Session, onto: &Onto<'_>, args: &Args, output: &Output) -> Outcome {
    let mut found = Vec::new();
    for lane in lanes(&session.repo, onto.plan())? {
        let Lane { agent, root, git_dir: Some(git_dir) } = lane else { continue };
        let tree = Tree { root, git_dir };
        let mut done = tree.sync(onto, false, true).unwrap_or_else(|error| {
            Synced::new(
                &tree.root,
                Worked::Failed { reason: error.to_string(), help: error.help().map(str::to_owned) },
            )
        });
        done.agent = agent.or(done.agent);
        if !output.is_json() {
            text::say(&done, &onto.reference, output)?;
        }
        if args.push && done.is_good() && tree.has_news(onto)? {
            done.pushed = Some(tree.push(output)?);
        }
        found.push(done);
    }
    if output.is_json() {
        let trees: Vec<_> = found.iter().map(Synced::json).collect();
        output.print_json(&json!({ "schema": 1, "base": onto.oid, "worktrees": trees }))?;
    }
    let is_good = |done: &Synced| {
        (done.is_good() || matches!(done.worked, Worked::Busy { .. })) && done.pushed != Some(false)
    };
    Ok(if found.iter().all(is_good) { 0 } else { 1 })
}

/// A worktree to rebase.
struct Tree {
    root: std::path::PathBuf,
    git_dir: std::path::PathBuf,
}

impl Tree {
    /// Rebases it. `gives_up`: a rebase that stops is undone, since nobody is there to go on with it.
    fn sync(&self, onto: &Onto<'_>, autostash: bool, gives_up: bool) -> Result<Synced, Error> {
        let mut done = Synced::new(&self.root, Worked::Nothing);
        if !self.root.is_dir() {
            let help = "if it was moved: git worktree repair NEW_PLACE\n\
                if it is gone for good: git worktree prune";
            return Ok(done.busy("its folder is gone", help));
        }
        if let Some(it) = under_way(&self.git_dir) {
            return Ok(done.busy(format!("{} is under way", it.what), it.help));
        }
        let repo = Opened::open_at(&self.root)?;
        let head = repo.head()?;
        let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let (Some(branch), Some(before)) = (branch, head.oid) else {
            let help =
                "go to a branch: git switch BRANCH\nor make one of what you have here: git switch -c BRANCH";
            return Ok(done.busy("HEAD is on no branch, or on one without a commit", help));
        };
        done.branch = Some(branch.to_owned());
        done.agent = repo.config("lane.agent")?.pop();
        if branch == onto.plan().policy.base.value || onto.plan().protected(branch).is_some() {
            let why = format!("`{branch}` is everybody's: it is not rebased");
            let help = "work on a branch of your own: git switch -c BRANCH";
            let help = (!gives_up).then(|| help.to_owned());
            return Ok(done.with(Worked::Busy { why, help }));
        }
        let dirty = self.dirty(gives_up)?;
        if !dirty.is_empty() && gives_up {
            let why = format!("{} not committed", text::count(dirty.len()));
            return Ok(done.busy(why, "whoever works there commits it, then: git lane sync"));
        }
        if !dirty.is_empty() && !autostash {
            return Ok(done.with(Worked::Dirty(dirty)));
        }
        let base = change_base::of_branch(&repo, onto.loaded, branch, before)?;
        let (oid, reference) =
            base.map_or_else(|| (onto.oid, onto.reference.clone()), |base| (base.oid, base.reference));
        done.onto = (reference != onto.reference).then_some(reference);
        let onto = &Onto { reference: onto.reference.clone(), oid, loaded: onto.loaded };
        let behind = repo.commits(&[onto.oid], &[before])?.len();
        let mut landed = if behind == 0 { None } else { stack::landed(&repo, onto.oid, before)? };
        let lower =
            stack::lower(&repo, onto.plan(), &self.root, branch, before, landed.unwrap_or(onto.oid), &[])?;
        let mut moved = None;
        match lower {
            Some(Lower::Pushed(_)) | None if behind == 0 => return Ok(done),
            Some(Lower::Pushed(on)) => return Ok(done.with(Worked::Stacked { on, behind })),
            Some(Lower::Rewritten { reference, tip, left }) => {
                landed = Some(left);
                done.onto = Some(reference.clone());
                moved = Some(Onto { reference, oid: tip, loaded: onto.loaded });
            }
            None => {}
        }
        let onto = moved.as_ref().unwrap_or(onto);
        let behind = repo.commits(&[onto.oid], &[before])?.len();
        let from = repo.merge_base(onto.oid, &[before])?;
        let by_hand = losses::by_hand(&self.root, &onto.reference, landed, gives_up);
        if let Some(busy) = losses::of(&repo, &self.root, onto.oid, before, &by_hand)? {
            return Ok(done.with(busy));
        }
        let left_out = match landed {
            Some(landed) => repo.commits(&[landed], &[onto.oid])?.len(),
            None => 0,
        };
        let stash = repo.find_ref(STASH)?;
        let ran = run_git(self.rebase(onto.oid, landed, autostash, gives_up), None, LONG)?;
        if ran.ok {
            let repo = Opened::open_at(&self.root)?;
            let after = repo.head()?.oid.unwrap_or(before);
            // What git says of it is not the same in all of its versions. All worktrees have one stash; a new entry is ours
            // if it was put aside on what we had.
            let aside = match repo.find_ref(STASH)?.filter(|new| Some(*new) != stash) {
                None => Aside::Back,
                Some(new) if repo.commit(new)?.parents.first() != Some(&before) => Aside::Back,
                Some(_) if self.conflicts(onto.oid, from).is_empty() => Aside::Kept,
                Some(_) => Aside::Conflicts,
            };
            return Ok(done.with(Worked::Rebased { before, after, behind, landed: left_out, aside }));
        }
        if under_way(&self.git_dir).map(|it| it.word) != Some("rebase") {
            let reason = format!("git did not rebase it: {}", plain(&ran.complaint()));
            return Ok(done
                .with(Worked::Failed { reason, help: Some("git status; nothing was changed".to_owned()) }));
        }
        let conflicts = self.conflicts(onto.oid, from);
        if gives_up {
            let mut abort = self.git(gives_up);
            abort.args(["rebase", "--abort"]);
            let ran = run_git(abort, None, LONG)?;
            if !ran.ok {
                let reason = format!("the rebase stopped, and could not be undone: {}", ran.complaint());
                let help = format!(
                    "git -C {} rebase --abort",
                    lane_core::report::quote(self.root.as_os_str().as_encoded_bytes())
                );
                return Ok(done.with(Worked::Failed { reason, help: Some(help) }));
            }
        }
        let said = plain(&ran.complaint());
        Ok(done.with(Worked::Stopped { conflicts, said, is_undone: gives_up }))
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

    fn rebase(&self, onto: Oid, landed: Option<Oid>, autostash: bool, is_anothers: bool) -> Command {
        let mut command = self.git(is_anothers);
        // Branches of others that stand on this one are theirs to move.
        command.args(["-c", "rebase.updateRefs=false", "rebase"]);
        command.arg(if autostash { "--autostash" } else { "--no-autostash" });
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
            let reason =
                format!("git cannot tell what is changed in {}: {}", self.root.display(), ran.complaint());
            return Err(Unavailable::new(reason, "git status").into());
        }
        let entries = ran.raw.split(|byte| *byte == 0).filter(|entry| entry.len() > 3);
        Ok(entries.map(|entry| RepoPath(entry[3..].to_vec())).collect())
    }

    /// The files that the rebase stopped at, and who changed each on the base.
    fn conflicts(&self, base: Oid, from: Option<Oid>) -> Vec<Conflict> {
        let mut command = in_worktree(&self.root);
        command.args(["diff", "--name-only", "--diff-filter=U", "-z"]);
        let raw = run_git(command, None, SHORT).map(|ran| ran.raw).unwrap_or_default();
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
        Some(plain(ran.out.trim())).filter(|text| ran.ok && !text.is_empty())
    }

    /// Whether its branch has commits that the base has not, and the remote's branch is another.
    fn has_news(&self, onto: &Onto<'_>) -> Result<bool, Error> {
        let repo = Opened::open_at(&self.root)?;
        let head = repo.head()?;
        let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let (Some(branch), Some(tip)) = (branch, head.oid) else { return Ok(false) };
        let remote = format!("refs/remotes/{}/{branch}", onto.plan().policy.remote.value);
        let there = repo.find_ref(&remote)?;
        Ok(there != Some(tip) && (there.is_some() || !repo.commits(&[tip], &[onto.oid])?.is_empty()))
    }

    /// Pushes it as whoever works there would.
    fn push(&self, output: &Output) -> Result<bool, Error> {
        let lane = std::env::current_exe().map_err(|error| {
            Error::write(
                format!("git-lane does not find itself: {error}"),
                "push in each worktree: git lane push -f",
            )
        })?;
        let mut command = Command::new(lane);
        for (name, _) in self.git(true).get_envs().filter(|(_, value)| value.is_none()) {
            command.env_remove(name);
        }
        command.args(["push", "--force-with-lease"]).current_dir(&self.root).stdout(Stdio::null());
        if output.is_quiet() {
            command.arg("--quiet");
        }
        Ok(command.status().is_ok_and(|status| status.success()))
    }
}

/// A worktree as people know it.
pub(in crate::commands) fn folder(root: &Path) -> String {
    root.file_name().map_or_else(|| root.display().to_string(), |name| name.to_string_lossy().into_owned())
}
