//! Other processes, and what this one becomes.

use std::process::{Child, Command, ExitStatus};

/// Whether the first line of a script says what starts it: git's own sh reads it as a comment.
pub const HAS_FIRST_LINES: bool = false;

/// Whether a process can be limited in memory by itself.
pub const LIMITS_MEMORY: bool = false;

/// What became of a process that was to be another program: nothing else comes back.
pub type Replaced = std::io::Error;

/// Runs another program in the place of this one, which ends with it.
pub fn replace(command: &mut Command) -> Replaced {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// The number of the process that started this one, which is not told here: of this one.
pub fn parent_id() -> u32 {
    std::process::id()
}

/// The signal that ended a process: there are none.
pub fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}

/// Starts it in a process group of its own: there are none.
pub fn own_group(_: &mut Command) {}

/// Ends a child; what that one started goes on.
pub fn signal_group(child: &mut Child, _: bool) {
    let _ = child.kill();
}

/// Asks a process to end: nobody can be asked here.
pub fn terminate(_: u32) {}

/// Ends a process and all that it started, as far as the system tells: it does not.
pub fn end_tree(_: u32) {}

/// Limits nothing: there is no such thing here.
///
/// # Errors
/// Never.
pub fn prepare_limits(_: Option<u64>) -> std::io::Result<()> {
    Ok(())
}

/// Limits a child to so many bytes of data: there is no such thing here.
pub fn limit_child(_: &Child, _: u64) {}
