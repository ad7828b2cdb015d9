//! Which machine this is, and what its clock says.

/// The machine's name.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Milliseconds by a clock that nobody sets, and that goes on while the machine sleeps where the system has such a one.
pub fn uptime() -> u64 {
    let time = rustix::time::clock_gettime(STEADY);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or(0);
    seconds * 1_000 + millis
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// Whether a process runs that the system does not show to us: proc(5), `hidepid`. Another's may well be
/// the one that is meant.
pub fn is_hidden(id: u32) -> bool {
    let id = super::processes::pid(id);
    id.is_some_and(|id| rustix::process::test_kill_process(id) == Err(rustix::io::Errno::PERM))
}
