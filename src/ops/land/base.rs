//! The base of a landing: where it lies, what it is now, and how it is moved.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::tree::cannot_write;
use crate::event_log::{LogRecord as _, no_mirror};
use crate::gather::rebasing_branch;
use crate::landings::log::{LandingHead, LandingLog};
use crate::ops::Session;
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::landings::record::LandingRecord;
use lane_git::command::{CommandOutput, command, in_worktree, run};
use lane_git::worktrees::{Worktree, registered};
use lane_git::{GitRepo, Repository};

/// How long an exchange with a remote may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How often something is tried that another git is at in that moment.
const TRIES: u32 = 8;

/// The branch that others land on.
pub struct BasePlace<'s> {
    session: &'s Session,
    /// Its short name.
    pub name: String,
    /// The remote that has it; `None`: it is a branch of this repository.
    pub remote: Option<String>,
}

/// What the base and a branch are now.
#[derive(Debug, Clone, Copy)]
pub struct Tips {
    /// The base.
    pub base: Oid,
    /// The branch; `None` where it is gone.
    pub branch: Option<Oid>,
}

/// What became of moving the base.
#[derive(Debug, PartialEq, Eq)]
pub enum Move {
    /// It is at the new commit, and the record says so.
    Done,
    /// It, or the record, is not what it was taken for.
    Stale,
    /// It could not be moved: why.
    Refused(String),
}

impl<'s> BasePlace<'s> {
    /// Where a base lies.
    pub fn new(session: &'s Session, name: &str) -> Self {
        let remote = LandingRecord::remote(&session.repo, &session.loaded.plan);
        Self { session, name: name.to_owned(), remote }
    }

    fn repo(&self) -> &'s GitRepo {
        &self.session.repo
    }

    fn common_dir(&self) -> &'s Path {
        &self.session.repo.layout().common_dir
    }

    /// The full name of a branch as it is known here.
    pub fn reference(&self, branch: &str) -> String {
        match &self.remote {
            Some(remote) => format!("refs/remotes/{remote}/{branch}"),
            None => format!("refs/heads/{branch}"),
        }
    }

    /// What the base and a branch are now, with their objects here.
    ///
    /// # Errors
    /// The remote cannot be reached, or has no such base.
    pub fn tips(&self, branch: &str) -> Result<Tips, Error> {
        let Some(remote) = &self.remote else {
            let base = self.repo().find_ref(&self.reference(&self.name))?.ok_or_else(|| self.missing())?;
            return Ok(Tips { base, branch: self.repo().find_ref(&self.reference(branch))? });
        };
        let heads = [format!("refs/heads/{}", self.name), format!("refs/heads/{branch}")];
        let listed = self.remote_command(&["ls-remote", "--", remote, &heads[0], &heads[1]])?;
        let of = |name: &str| {
            let lines = listed.stdout.lines().filter_map(|line| line.split_once('\t'));
            lines.into_iter().find(|(_, found)| *found == name).and_then(|(oid, _)| Oid::from_hex(oid))
        };
        let base = of(&heads[0]).ok_or_else(|| self.missing())?;
        let found = of(&heads[1]);
        if !self.has_all(&self.name, base)? || !found.map_or(Ok(true), |oid| self.has_all(branch, oid))? {
            let mut words = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="];
            words.extend(["--no-auto-maintenance", "--no-recurse-submodules", "--", remote, &heads[0]]);
            words.extend(found.map(|_| heads[1].as_str()));
            self.remote_command(&words)?;
        }
        Ok(Tips { base, branch: found })
    }

    /// Whether a branch of the remote is here with all of its history. A commit may be here while another git still writes its
    /// parents; a ref has them.
    fn has_all(&self, branch: &str, tip: Oid) -> Result<bool, Error> {
        let refs = [self.reference(branch), format!("refs/heads/{branch}")];
        for reference in refs {
            if self.repo().find_ref(&reference)? == Some(tip) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks the remote something, again where it turns us away at once.
    fn remote_command(&self, words: &[&str]) -> Result<CommandOutput, Error> {
        let mut tries = 0;
        loop {
            let mut git = command(self.common_dir());
            git.args(words);
            let ran = run(git, None, LIMIT)?;
            if ran.ok {
                return Ok(ran);
            }
            tries += 1;
            if tries >= TRIES / 2 {
                let remote = self.remote.as_deref().unwrap_or_default();
                let reason = format!("`{remote}` could not be reached: {}", ran.error_text());
                return Err(Unavailable::new(reason, format!("git ls-remote {remote}")).into());
            }
            sleep(Duration::from_millis(100 << tries));
        }
    }

    fn missing(&self) -> Error {
        let place = self.remote.as_ref().map_or("here".to_owned(), |remote| format!("on `{remote}`"));
        Unavailable::new(
            format!("there is no branch `{}` {place} to land on", self.name),
            "list the branches: git branch --all",
        )
        .into()
    }

    /// The worktree that has the base checked out, where the base is a branch of this repository.
    ///
    /// # Errors
    /// The worktrees cannot be listed.
    pub fn checkout(&self) -> Result<Option<PathBuf>, Error> {
        if self.remote.is_some() {
            return Ok(None);
        }
        let reference = self.reference(&self.name);
        let bare = lane_git::config_bool(self.repo(), "core.bare")?;
        let mut found = None;
        for tree in registered(self.repo().layout())? {
            if bare && tree.git_dir == self.common_dir() {
                continue;
            }
            if !tree.root.is_dir() {
                self.check_absent(&tree, &reference)?;
                continue;
            }
            let there = GitRepo::open_at(&tree.root)?;
            // Its end, or its abort, would set the base to what it is for that rebase.
            if rebasing_branch(there.layout())?.as_ref() == Some(&reference) {
                let root = tree.root.display();
                return Err(Unavailable::new(
                    format!("`{}` is being rebased in {root}", self.name),
                    format!("finish that first; see how it stands: git -C {root} status"),
                )
                .into());
            }
            if found.is_none() && there.head()?.branch.as_ref() == Some(&reference) {
                found = Some(tree.root);
            }
        }
        Ok(found)
    }

    /// A worktree that is not there does not count, unless it is locked: then it comes back, with files of the old base.
    fn check_absent(&self, tree: &Worktree, reference: &str) -> Result<(), Error> {
        let head = std::fs::read_to_string(tree.git_dir.join("HEAD")).unwrap_or_default();
        if !tree.git_dir.join("locked").exists() || head.trim().strip_prefix("ref: ") != Some(reference) {
            return Ok(());
        }
        let root = tree.root.display();
        let reason = format!("`{}` is checked out in {root}, which is locked and not there", self.name);
        Err(Unavailable::new(reason, "bring it back, or see what is known of it: git worktree list").into())
    }

    /// Moves the base and the record together, and on the remote the branch as well where that is asked for: all of them, or
    /// none. `branch`: its name, what it is and what it becomes; `scratch`: a folder for files of this process.
    ///
    /// # Errors
    /// git cannot be started, or gives no answer.
    pub fn advance(
        &self,
        log: &LandingLog<'_>,
        (from, to): (Oid, Oid),
        (old, new): (&LandingHead, &LandingHead),
        branch: Option<(&str, Oid, Oid)>,
        scratch: &Path,
    ) -> Result<Move, Error> {
        match &self.remote {
            Some(remote) => self.push(log, remote, (from, to), (old, new), branch),
            None => self.update(log, (from, to), (old, new), &scratch.join("transaction")),
        }
    }

    fn push(
        &self,
        log: &LandingLog<'_>,
        remote: &str,
        (from, to): (Oid, Oid),
        (old, new): (&LandingHead, &LandingHead),
        branch: Option<(&str, Oid, Oid)>,
    ) -> Result<Move, Error> {
        let mut tries = 0;
        loop {
            let mut git = command(self.common_dir());
            git.args(["-c", "push.followTags=false"]).args(no_mirror(remote));
            // The verdict is ours, on what is pushed; what else hooks of a push do was done when the branch was pushed.
            git.args([
                "push",
                "--porcelain",
                "--atomic",
                "--no-verify",
                "--no-signed",
                "--no-recurse-submodules",
            ]);
            let (lease, refspec) = log.swap_arguments(new, Some(old.oid))?;
            git.arg(format!("--force-with-lease=refs/heads/{}:{from}", self.name)).arg(lease);
            git.args(
                branch.iter().map(|(name, was, _)| format!("--force-with-lease=refs/heads/{name}:{was}")),
            );
            git.args(["--", remote]).arg(format!("{to}:refs/heads/{}", self.name)).arg(refspec);
            git.args(branch.iter().map(|(name, _, is)| format!("{is}:refs/heads/{name}")));
            let ran = run(git, None, LIMIT)?;
            if ran.ok {
                return Ok(Move::Done);
            }
            tries += 1;
            let is_met = ran.stdout.contains("cannot lock ref") || ran.stderr.contains("cannot lock ref");
            if ran.stdout.contains("(stale info)") || ran.stdout.contains("(fetch first)") {
                return Ok(Move::Stale);
            }
            if !is_met || tries >= TRIES {
                return Ok(if is_met { Move::Stale } else { Move::Refused(rejection(&ran)) });
            }
            sleep(Duration::from_millis(30 << tries.min(4)));
        }
    }

    /// One transaction of git's for both refs: git-update-ref(1), `--stdin`.
    fn update(
        &self,
        log: &LandingLog<'_>,
        (from, to): (Oid, Oid),
        (old, new): (&LandingHead, &LandingHead),
        file: &Path,
    ) -> Result<Move, Error> {
        let record = log.reference(&self.name)?;
        let guard = log.guard()?;
        let text = format!(
            "start\nupdate {} {to} {from}\nupdate {record} {} {}\nprepare\ncommit\n",
            self.reference(&self.name),
            new.oid,
            old.oid
        );
        std::fs::write(file, text).map_err(|error| cannot_write(file, &error))?;
        let mut tries = 0;
        loop {
            let mut git = command(self.common_dir());
            git.args(["update-ref", "-m", "git lane land", "--stdin"]);
            let input = std::fs::File::open(file).map_err(|error| cannot_write(file, &error))?;
            let ran = run(git, Some(input), LIMIT)?;
            if ran.ok {
                log.keep_last(new)?;
                drop(guard);
                return Ok(Move::Done);
            }
            tries += 1;
            let is_met = ran.stderr.contains("File exists");
            if !is_met || tries >= TRIES {
                let is_stale = ran.stderr.contains("but expected") || ran.stderr.contains("is at");
                return Ok(if is_stale { Move::Stale } else { Move::Refused(ran.error_text()) });
            }
            sleep(Duration::from_millis(30 << tries.min(4)));
        }
    }

    /// Moves the base where it is checked out, together with the files there: a fast-forward, which git refuses where it would
    /// overwrite something.
    ///
    /// # Errors
    /// git cannot be started, or gives no answer.
    pub fn fast_forward(&self, root: &Path, to: Oid) -> Result<Move, Error> {
        let mut git = in_worktree(root);
        git.env_remove("GIT_OPTIONAL_LOCKS").env_remove("AGENT_ID");
        git.args(["merge", "--quiet", "--ff-only", "--no-autostash", &to.to_string()]);
        let ran = run(git, None, LIMIT)?;
        if ran.ok {
            return Ok(Move::Done);
        }
        Ok(match ran.stderr.contains("Not possible to fast-forward") {
            true => Move::Stale,
            false => Move::Refused(format!("{}: {}", root.display(), ran.error_text())),
        })
    }

    /// Notes here where the remote's base is by now, as a fetch would.
    pub fn note(&self, to: Oid) {
        if self.remote.is_some() {
            let mut git = command(self.common_dir());
            git.args(["update-ref", "-m", "git lane land", &self.reference(&self.name), &to.to_string()]);
            let _ = run(git, None, LIMIT);
        }
    }
}

/// What a remote said to a push that it did not take.
fn rejection(ran: &CommandOutput) -> String {
    let refs = ran.stdout.lines().filter(|line| line.starts_with('!'));
    let refs = refs.filter_map(|line| line.rsplit('\t').next()).filter(|text| !text.contains("atomic"));
    let said = ran.stderr.lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim);
    let said = said.filter(|line| !line.is_empty()).take(12);
    let words: Vec<&str> = refs.chain(said).collect();
    if words.is_empty() { ran.error_text() } else { words.join("\n") }
}
