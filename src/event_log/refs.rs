//! Refs of this repository, moved by git's own compare-and-swap.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::guard::{Guard, lock_file};
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_git::command;
use lane_git::{RefTarget, Repository};

/// How long a git of this machine may take to move a ref.
const MOVE: Duration = Duration::from_secs(30);
/// How long to try while another git has the ref.
const BUSY: Duration = Duration::from_secs(8);

/// What became of a compare-and-swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SwapOutcome {
    /// The ref holds the new value.
    Done,
    /// It held something else.
    Other,
    /// It is not there any more.
    Gone,
}

/// Moves a ref from one value to another; `None`: from not being there. `what`: the word for what it holds.
///
/// # Errors
/// It cannot be written.
pub(crate) fn swap(
    repo: &dyn Repository,
    name: &str,
    old: Option<Oid>,
    new: Oid,
    guard: Option<&Guard>,
    what: &str,
) -> Result<SwapOutcome, Error> {
    let common_dir = &repo.layout().common_dir;
    let zero = || "0".repeat(new.as_bytes().len() * 2);
    let expected = old.map_or_else(zero, |oid| oid.to_string());
    let started = Instant::now();
    loop {
        let mut command = command::command(common_dir);
        command.args(["update-ref", "--no-deref", name, &new.to_string(), &expected]);
        if let Some(guard) = guard {
            guard.mark(name, new);
        }
        let ran = command::run(command, guard.and_then(Guard::share), MOVE);
        if let (Some(guard), Ok(_)) = (guard, &ran) {
            guard.unmark();
        }
        if ran.as_ref().is_ok_and(|ran| ran.ok) {
            return Ok(SwapOutcome::Done);
        }
        match repo.ref_target(name)? {
            Some(RefTarget::Object(now)) if now == new => return Ok(SwapOutcome::Done),
            Some(RefTarget::Object(now)) if Some(now) != old => return Ok(SwapOutcome::Other),
            None if old.is_some() => return Ok(SwapOutcome::Gone),
            _ => {}
        }
        let ran = ran?;
        let is_locked = ran.stderr.contains("File exists");
        if !is_locked || started.elapsed() > BUSY {
            return Err(write_error(common_dir, name, what, is_locked, &ran));
        }
        sleep(Duration::from_millis(20));
    }
}

fn write_error(
    common_dir: &Path,
    name: &str,
    what: &str,
    is_locked: bool,
    ran: &command::CommandOutput,
) -> Error {
    let lock = lock_file(common_dir, name);
    let help = if is_locked {
        format!("if no git process is running, remove {}", lock.display())
    } else {
        "nothing was changed; fix this, then try again".to_owned()
    };
    Error::write(format!("the {what} cannot be written: {}", ran.error_text()), help)
}

/// Whether one commit is an ancestor of another.
pub(crate) fn descends_from(repo: &dyn Repository, tip: Oid, ancestor: Oid) -> bool {
    repo.merge_base(ancestor, &[tip]).is_ok_and(|base| base == Some(ancestor))
}
