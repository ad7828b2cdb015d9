//! The refs of a log on a git remote. The compare-and-swap is `git push --force-with-lease`, which the
//! server decides under the lock of the ref; authentication, proxies and ssh are git's own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::record::LogKind;
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::policy::is_name;
use lane_core::text::plain;
use lane_git::Repository;
use lane_git::command::{self, CommandOutput};

/// How long git may take to read its configuration.
const ASKING: Duration = Duration::from_secs(10);
/// For how long somebody who is turned away asks again.
const INSISTENCE: Duration = Duration::from_secs(2);

/// A remote that holds a log.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// The remote's name, or its address.
    pub name: String,
    /// Where to read from, if that is not where git itself would: the address that is pushed to.
    pub address: Option<String>,
    /// Where the refs lie, without a slash at the end.
    pub prefix: String,
    /// What the log is of.
    pub kind: &'static LogKind,
    /// How long one exchange may take.
    pub limit: Duration,
}

/// What a push came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PushOutcome {
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
    /// The last parts of the names of all its refs that the remote has, and what they hold.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn list(&self, common_dir: &Path) -> Result<BTreeMap<String, Oid>, Error> {
        let ran = self.run_command(|| {
            let mut command = command::command(common_dir);
            command.args(self.as_it_is());
            command.args(["ls-remote", "--", self.source(), &format!("{}/*", self.prefix)]);
            command
        })?;
        let mut found = BTreeMap::new();
        for line in ran.stdout.lines() {
            if let Some((oid, name)) = line.split_once('\t')
                && let Some(last) =
                    name.strip_prefix(self.prefix.as_str()).and_then(|last| last.strip_prefix('/'))
                && !last.contains('/')
                && let Some(oid) = Oid::from_hex(oid)
            {
                found.insert(last.to_owned(), oid);
            }
        }
        Ok(found)
    }

    /// Keeps git from rewriting an address once more that it has rewritten already: the longest match wins.
    fn as_it_is(&self) -> Vec<String> {
        let address = self.address.iter().filter(|address| !address.contains('='));
        address.flat_map(|address| ["-c".to_owned(), format!("url.{address}.insteadOf={address}")]).collect()
    }

    fn source(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }

    /// Brings the objects of some of them here; no ref is written.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn fetch(&self, common_dir: &Path, names: &[String]) -> Result<(), Error> {
        self.run_command(|| {
            let mut command = command::command(common_dir);
            command.args(self.as_it_is());
            command.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
            command.args(["--no-recurse-submodules", "--no-prune", "--refmap=", "--", self.source()]);
            command.args(names.iter().map(|name| format!("{}/{name}", self.prefix)));
            command
        })
        .map(|_| ())
    }

    /// Asks the remote something, a few times if it turns us away at once: a busy server does.
    fn run_command(&self, command: impl Fn() -> Command) -> Result<CommandOutput, Error> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let ran = command::run(command(), None, self.limit)?;
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

    /// Moves a ref on the remote if it still holds `old`; `None`: if it is not there yet.
    pub fn push(&self, common_dir: &Path, name: &str, old: Option<Oid>, new: Oid) -> PushOutcome {
        let mut command = command::command(common_dir);
        // What is configured for pushes of work does not speak of logs.
        command.args(["-c", "push.followTags=false"]);
        command.args(no_mirror(&self.name));
        command.args(["push", "--porcelain", "--no-verify", "--no-signed", "--no-recurse-submodules"]);
        let (lease, refspec) = self.swap_arguments(name, old, new);
        command.args([&lease, "--", &self.name, &refspec]);
        match command::run(command, None, self.limit) {
            Ok(ran) => outcome(&ran),
            Err(error) => PushOutcome::Unknown(error.to_string()),
        }
    }

    /// What makes a `git push` swap a ref: the expectation, and the refspec.
    pub fn swap_arguments(&self, name: &str, old: Option<Oid>, new: Oid) -> (String, String) {
        let old = old.map(|oid| oid.to_string()).unwrap_or_default();
        let target = format!("{}/{name}", self.prefix);
        (format!("--force-with-lease={target}:{old}"), format!("{new}:{target}"))
    }

    /// The address to read from, where it is not the one that git would: what is read and what is swapped
    /// have to lie in one place. git-remote(1), `get-url --push`.
    ///
    /// # Errors
    /// Pushes go to several places, so that none of them decides; or the configuration cannot be read.
    pub fn push_address(repo: &dyn Repository, name: &str) -> Result<Option<String>, Error> {
        let key = |key: &str| repo.config(&format!("remote.{name}.{key}"));
        let is_rewritten = repo.has_config(r"^url\..*\.pushinsteadof$")?;
        if !is_name(name) {
            return match is_rewritten {
                false => Ok(None),
                true => Err(Unavailable::new(
                    "`locks.remote` is an address, so `url.<base>.pushInsteadOf` may send pushes elsewhere",
                    format!("name the remote, and use the name in the policy: git remote add locks {name}"),
                )
                .into()),
            };
        }
        let (urls, mut pushes) = (key("url")?, key("pushurl")?);
        let is_plain = pushes.is_empty() && urls.len() < 2 && !is_rewritten;
        // A remote that is none is named by git itself.
        if is_plain || (urls.is_empty() && pushes.is_empty()) {
            return Ok(None);
        }
        let mut command = command::command(&repo.layout().common_dir);
        command.args(["remote", "get-url", "--push", "--all", "--", name]);
        let ran = command::run(command, None, ASKING)?;
        if ran.ok {
            pushes = ran.stdout.lines().map(str::to_owned).collect();
        }
        match pushes.as_slice() {
            [one] => Ok(Some(one.clone())),
            all => Err(Unavailable::new(
                format!("pushes to `{name}` go to {} urls, but only one can decide who has a lock", all.len()),
                format!(
                    "use a remote with one url in `locks.remote` (see `git remote get-url --push --all {name}`)"
                ),
            )
            .into()),
        }
    }

    fn unreachable(&self, ran: &CommandOutput) -> Error {
        let name = &self.name;
        let LogKind { many, unknown, .. } = self.kind;
        Unavailable::new(
            format!("the {many} of `{name}` cannot be read: {}", ran.error_text()),
            format!("check `git ls-remote {name}`; until it works, {unknown} is unknown"),
        )
        .into()
    }
}

/// Keeps a remote that is set up as a mirror from taking a push of one ref for all of them.
pub fn no_mirror(name: &str) -> Vec<String> {
    if is_name(name) { vec!["-c".into(), format!("remote.{name}.mirror=false")] } else { Vec::new() }
}

/// git-push(1), `--porcelain`: `<flag> TAB <from>:<to> TAB <summary> (<reason>)`.
fn outcome(ran: &CommandOutput) -> PushOutcome {
    let mut lines = ran.stdout.lines().filter(|line| line.contains('\t'));
    let Some(line) = lines.next() else {
        return PushOutcome::Unknown(ran.error_text());
    };
    if ran.ok && !line.starts_with('!') {
        return PushOutcome::Done;
    }
    let summary = line.rsplit('\t').next().unwrap_or_default();
    if summary.starts_with("[rejected]") {
        return PushOutcome::Stale;
    }
    let hidden = |line: &&str| !line.contains("failed to push some refs");
    let said = ran.stderr.lines().map(|line| line.trim_start_matches("remote:").trim());
    let said: Vec<&str> = said.filter(hidden).filter(|line| !line.is_empty()).take(4).collect();
    PushOutcome::Refused(plain(&format!("{summary} {}", said.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(ok: bool, out: &str, err: &str) -> PushOutcome {
        outcome(&CommandOutput { ok, stdout: out.into(), stdout_bytes: Vec::new(), stderr: err.into() })
    }

    #[test]
    fn outcomes() {
        assert_eq!(pushed(true, "To x\n*\ta:b\t[new reference]\nDone\n", ""), PushOutcome::Done);
        assert_eq!(pushed(true, "To x\n \ta:b\t1..2\nDone\n", ""), PushOutcome::Done);
        assert_eq!(pushed(false, "To x\n!\ta:b\t[rejected] (stale info)\nDone\n", ""), PushOutcome::Stale);
        assert_eq!(
            pushed(false, "To x\n!\ta:b\t[remote rejected] (hook declined)\n", "remote: no locks here\n"),
            PushOutcome::Refused("[remote rejected] (hook declined) no locks here".into())
        );
        assert_eq!(pushed(false, "", "fatal: no route\n"), PushOutcome::Unknown("no route".into()));
    }
}
