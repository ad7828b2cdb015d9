//! The refs of locks on a git remote. The compare-and-swap is `git push --force-with-lease`, which the
//! server decides under the lock of the ref; authentication, proxies and ssh are git's own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::git::{self, Ran};
use super::record::plain;
use crate::error::Error;
use crate::facts::{Oid, Unavailable};
use crate::policy::is_name;

/// For how long somebody who is turned away asks again.
const INSISTENCE: Duration = Duration::from_secs(2);

/// A remote that holds locks.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    /// The remote's name, or its address.
    pub name: String,
    /// Where the refs lie, without a slash at the end.
    pub prefix: String,
    /// How long one exchange may take.
    pub limit: Duration,
}

/// What a push came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The remote has it.
    Done,
    /// The ref was not what it was taken for.
    Stale,
    /// The remote would not have it, in its words.
    Refused(String),
    /// Nobody knows: no answer came.
    Unknown(String),
}

impl Remote {
    /// The last parts of the names of all lock refs that the remote has, and what they hold.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn list(&self, common_dir: &Path) -> Result<BTreeMap<String, Oid>, Error> {
        let ran = self.ask(|| {
            let mut command = git::command(common_dir);
            command.args(["ls-remote", "--", &self.name, &format!("{}/*", self.prefix)]);
            command
        })?;
        let mut found = BTreeMap::new();
        for line in ran.out.lines() {
            if let Some((oid, name)) = line.split_once('\t')
                && let Some(last) = name.strip_prefix(self.prefix.as_str())
                && let Some(oid) = Oid::from_hex(oid)
            {
                found.insert(last.trim_start_matches('/').to_owned(), oid);
            }
        }
        Ok(found)
    }

    /// Brings the objects of some lock refs here; no ref is written.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn fetch(&self, common_dir: &Path, names: &[String]) -> Result<(), Error> {
        self.ask(|| {
            let mut command = git::command(common_dir);
            command.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
            command.args(["--no-recurse-submodules", "--no-prune", "--refmap=", "--", &self.name]);
            command.args(names.iter().map(|name| format!("{}/{name}", self.prefix)));
            command
        })
        .map(|_| ())
    }

    /// Asks the remote something, a few times if it turns us away at once: a busy server does.
    fn ask(&self, command: impl Fn() -> Command) -> Result<Ran, Error> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let ran = git::run(command(), None, self.limit)?;
            if ran.ok {
                return Ok(ran);
            }
            if started.elapsed() > INSISTENCE || pause > INSISTENCE {
                return Err(self.unreachable(&ran));
            }
            std::thread::sleep(pause);
            pause *= 4;
        }
    }

    /// Moves a lock ref on the remote if it still holds `old`; `None`: if it is not there yet.
    pub fn push(&self, common_dir: &Path, name: &str, old: Option<Oid>, new: Oid) -> Pushed {
        let mut command = git::command(common_dir);
        // What is configured for pushes of work does not speak of locks.
        command.args(["-c", "push.followTags=false"]);
        if is_name(&self.name) {
            command.args(["-c", &format!("remote.{}.mirror=false", self.name)]);
        }
        command.args(["push", "--porcelain", "--no-verify", "--no-signed", "--no-recurse-submodules"]);
        let (lease, refspec) = self.swap_arguments(name, old, new);
        command.args([&lease, "--", &self.name, &refspec]);
        match git::run(command, None, self.limit) {
            Ok(ran) => outcome(&ran),
            Err(error) => Pushed::Unknown(error.to_string()),
        }
    }

    /// What makes a `git push` swap a lock ref: the expectation, and the refspec.
    pub fn swap_arguments(&self, name: &str, old: Option<Oid>, new: Oid) -> (String, String) {
        let old = old.map(|oid| oid.to_string()).unwrap_or_default();
        let target = format!("{}/{name}", self.prefix);
        (format!("--force-with-lease={target}:{old}"), format!("{new}:{target}"))
    }

    fn unreachable(&self, ran: &Ran) -> Error {
        let name = &self.name;
        Unavailable::new(
            format!("the locks of `{name}` cannot be read: {}", ran.complaint()),
            format!("git ls-remote {name} shows the same; until that works nobody can tell who holds what"),
        )
        .into()
    }
}

/// git-push(1), `--porcelain`: `<flag> TAB <from>:<to> TAB <summary> (<reason>)`.
fn outcome(ran: &Ran) -> Pushed {
    let mut lines = ran.out.lines().filter(|line| line.contains('\t'));
    let Some(line) = lines.next() else {
        return Pushed::Unknown(ran.complaint());
    };
    if ran.ok && !line.starts_with('!') {
        return Pushed::Done;
    }
    let summary = line.rsplit('\t').next().unwrap_or_default();
    if summary.starts_with("[rejected]") {
        return Pushed::Stale;
    }
    let hidden = |line: &&str| !line.contains("failed to push some refs");
    let said = ran.err.lines().map(|line| line.trim_start_matches("remote:").trim());
    let said: Vec<&str> = said.filter(hidden).filter(|line| !line.is_empty()).take(4).collect();
    Pushed::Refused(plain(&format!("{summary} {}", said.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(ok: bool, out: &str, err: &str) -> Pushed {
        outcome(&Ran { ok, out: out.into(), err: err.into() })
    }

    #[test]
    fn outcomes() {
        assert_eq!(pushed(true, "To x\n*\ta:b\t[new reference]\nDone\n", ""), Pushed::Done);
        assert_eq!(pushed(true, "To x\n \ta:b\t1..2\nDone\n", ""), Pushed::Done);
        assert_eq!(pushed(false, "To x\n!\ta:b\t[rejected] (stale info)\nDone\n", ""), Pushed::Stale);
        assert_eq!(
            pushed(false, "To x\n!\ta:b\t[remote rejected] (hook declined)\n", "remote: no locks here\n"),
            Pushed::Refused("[remote rejected] (hook declined) no locks here".into())
        );
        assert_eq!(pushed(false, "", "fatal: no route\n"), Pushed::Unknown("no route".into()));
    }
}
