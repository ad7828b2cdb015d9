//! Which machine this is, what its clock says, and which processes run on it.

use std::cell::OnceCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;

use lane_core::locks::world::{Machine, Now, Process, World};
use lane_os::{host, is_hidden, uptime};

/// The machine that this process runs on, asked which it is when somebody wants to know: most hooks have no lock to see to.
#[derive(Debug, Clone, Default)]
pub struct ThisMachine {
    machine: OnceCell<Machine>,
}

impl ThisMachine {
    /// Asks nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The process with this number, if it runs.
    pub fn process(&self, id: u32) -> Option<Process> {
        match state_of(id)? {
            ProcessState::Runs(start) => Some(Process { id, start }),
            ProcessState::Ended => None,
        }
    }
}

impl World for ThisMachine {
    fn machine(&self) -> &Machine {
        self.machine.get_or_init(|| Machine { host: host(), boot: boot(), pids: process_space() })
    }

    fn now(&self) -> Now {
        Now { uptime: uptime(), wall: jiff::Timestamp::now().as_second() }
    }

    fn runs(&self, process: Process) -> bool {
        match state_of(process.id) {
            Some(ProcessState::Runs(start)) => start == process.start,
            Some(ProcessState::Ended) => false,
            None => is_hidden(process.id),
        }
    }

    fn nonce(&self) -> String {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.write_u64(self.now().uptime);
        format!("{:016x}", hasher.finish())
    }
}

#[cfg(target_os = "linux")]
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // Containers may have a clock of their own: time_namespaces(7).
    let clock = std::fs::read_link("/proc/self/ns/time").unwrap_or_default();
    let clock = clock.to_string_lossy().into_owned();
    Some(format!("{} {clock}", id.trim()).trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(target_os = "macos")]
fn boot() -> Option<String> {
    let asked = std::process::Command::new("/usr/sbin/sysctl").args(["-n", "kern.bootsessionuuid"]).output();
    let id = String::from_utf8(asked.ok()?.stdout).ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn boot() -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn process_space() -> Option<String> {
    Some(std::fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
}

#[cfg(not(target_os = "linux"))]
fn process_space() -> Option<String> {
    None
}

/// What the system shows of a process.
enum ProcessState {
    /// It runs since so many ticks after the machine was started.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    Runs(u64),
    /// Only its exit code is still to be fetched.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    Ended,
}

/// proc(5), `/proc/pid/stat`; `None` where no process of that number is shown.
#[cfg(target_os = "linux")]
fn state_of(id: u32) -> Option<ProcessState> {
    let stat = std::fs::read(format!("/proc/{id}/stat")).ok()?;
    // The second field is the name in parentheses, which may hold anything.
    let after = &stat[stat.iter().rposition(|byte| *byte == b')')? + 1..];
    let mut fields = std::str::from_utf8(after).ok()?.split_ascii_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X" | "x");
    let start = fields.nth(18)?.parse().ok()?;
    Some(if has_ended { ProcessState::Ended } else { ProcessState::Runs(start) })
}

#[cfg(not(target_os = "linux"))]
fn state_of(_: u32) -> Option<ProcessState> {
    None
}

/// Whether the arguments of any process that runs here are such, and the folder that it works in, where
/// that is shown; `None` where the system does not tell.
pub(crate) fn any_process(is_it: impl Fn(&[&[u8]], Option<&Path>) -> bool) -> Option<bool> {
    let mut processes = processes()?.into_iter();
    Some(processes.any(|id| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).collect();
        is_it(&words, std::fs::read_link(format!("/proc/{id}/cwd")).ok().as_deref())
    }))
}

/// The numbers of all processes.
#[cfg(target_os = "linux")]
fn processes() -> Option<Vec<u32>> {
    let entries = std::fs::read_dir("/proc").ok()?.flatten();
    Some(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

#[cfg(not(target_os = "linux"))]
fn processes() -> Option<Vec<u32>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_a_dead_one_does_not() {
        let here = ThisMachine::new();
        let me = here.process(std::process::id()).expect("this process");
        assert!(here.runs(me));
        assert!(!here.runs(Process { start: me.start + 1, ..me }), "the same number, given out again");
        let mut child = std::process::Command::new("true").spawn().expect("a child");
        let process = here.process(child.id());
        while process.is_some_and(|process| here.runs(process)) {}
        child.wait().expect("an end");
        assert_eq!(here.process(child.id()), None);
    }

    #[test]
    fn nonces_differ() {
        let here = ThisMachine::new();
        assert_ne!(here.nonce(), here.nonce());
        assert!(here.machine().boot.is_some() && here.machine().pids.is_some());
    }
}
