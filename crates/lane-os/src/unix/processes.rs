//! Other processes, and what this one becomes.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Whether the first line of a script says what starts it.
pub const HAS_FIRST_LINES: bool = true;

/// Whether a process can be limited in memory by itself.
pub const LIMITS_MEMORY: bool = true;

/// What became of a process that was to be another program: nothing else comes back.
pub type Replaced = std::io::Error;

/// Becomes another program.
pub fn replace(command: &mut Command) -> Replaced {
    command.exec()
}

/// The number of the process that started this one.
pub fn parent_id() -> u32 {
    std::os::unix::process::parent_id()
}

/// The signal that ended a process.
pub fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// Starts it in a process group of its own, so that [`signal_group`] reaches all that it starts.
pub fn own_group(command: &mut Command) {
    command.process_group(0);
}

/// Asks a child and all of its group to end, or ends them.
pub fn signal_group(child: &mut Child, is_kill: bool) {
    if let Some(group) = pid(child.id()) {
        let _ = kill_process_group(group, if is_kill { Signal::KILL } else { Signal::TERM });
    }
}

/// Asks a process to end.
pub fn terminate(id: u32) {
    if let Some(id) = pid(id) {
        let _ = kill_process(id, Signal::TERM);
    }
}

/// Ends a process and all that it started, as far as the system tells: a git that waits for its ssh leaves
/// that one behind.
pub fn end_tree(id: u32) {
    let mut tree = vec![id];
    let mut at = 0;
    while let Some(parent) = tree.get(at).copied() {
        tree.extend(children(parent));
        at += 1;
    }
    for id in tree.into_iter().filter_map(pid) {
        let _ = kill_process(id, Signal::KILL);
    }
}

/// proc(5), `/proc/pid/task/tid/children`.
fn children(id: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Limits this process and what it becomes to so many bytes of address space: setrlimit(2), `RLIMIT_AS`. Where whoever started it
/// ends, it ends as well.
///
/// # Errors
/// The system refuses the limit.
pub fn prepare_limits(memory: Option<u64>) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Whoever started us passes signals on; where it is killed, nobody could end this one any more.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    let Some(bytes) = memory else { return Ok(()) };
    let maximum = getrlimit(Resource::As).maximum;
    let bytes = maximum.map_or(bytes, |maximum| maximum.min(bytes));
    Ok(setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// Limits a child to so many bytes of data, where the system can limit another process: prlimit(2), `RLIMIT_DATA`.
pub fn limit_child(child: &Child, bytes: u64) {
    #[cfg(target_os = "linux")]
    if let Some(id) = pid(child.id()) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let _ = prlimit(Some(id), Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (child, bytes);
}

/// The number as the system takes it.
pub(super) fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}
