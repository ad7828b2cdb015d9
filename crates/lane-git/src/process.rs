//! Processes that this one started.

/// Ends a process and all that it started, as far as the system tells: a git that waits for its ssh leaves
/// that one behind.
#[cfg(unix)]
pub fn end_tree(id: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    let mut tree = vec![id];
    let mut at = 0;
    while let Some(parent) = tree.get(at).copied() {
        tree.extend(children(parent));
        at += 1;
    }
    for id in tree {
        if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
pub fn end_tree(_: u32) {}

/// proc(5), `/proc/pid/task/tid/children`.
#[cfg(unix)]
fn children(id: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
}
