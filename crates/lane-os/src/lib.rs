//! What git-lane needs of the operating system, where systems differ: the only place that knows Unix from other systems. Each
//! module of `unix` has its like in `other`, of the same names. Whatever reads `/proc` for something to show stays where it
//! is shown, and says "not known" elsewhere.

mod pipes;

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

pub use pipes::Pipes;
pub use system::files::{
    bytes_of, file_id, is_at, is_link_error, is_own, is_plain, is_removed, is_same, link_twice,
    make_executable, may_execute, open_no_follow, os_str, path_of, private_file, private_folder, set_private,
    stamp, symlink, touched,
};
pub use system::machine::{host, is_hidden, uptime};
pub use system::processes::{
    HAS_FIRST_LINES, LIMITS_MEMORY, Replaced, end_tree, limit_child, own_group, parent_id, prepare_limits,
    replace, signal_group, signal_of, terminate,
};
pub use system::signals::{
    Held, INTERRUPT, Interrupts, SignalFlag, hold_interrupt, interrupts, run_and_pass_on,
};

use std::path::Path;
use std::process::ExitStatus;

/// Whether two paths lead to one file or folder. Both have to be there.
pub fn is_same_file(one: &Path, two: &Path) -> bool {
    let look = |path| std::fs::metadata(path);
    matches!((look(one), look(two)), (Ok(a), Ok(b)) if is_same((one, &a), (two, &b)))
}

/// The exit code that a shell gives: 128 more than the signal that ended a process; 1 where there is none.
pub fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| signal_of(status).map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
