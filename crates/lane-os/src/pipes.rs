//! What a process that was started writes to standard output and standard error.

use std::process::Child;
use std::time::{Duration, Instant};

pub use crate::system::pipes::Pipes;

/// The longest pause between two looks at whether a process has ended.
const PAUSE: Duration = Duration::from_millis(1);
/// The first one: what has closed its output mostly ends at once.
const FIRST_PAUSE: Duration = Duration::from_micros(20);

impl Pipes {
    /// Whether a process whose output has ended ends well; `None`: not in time.
    pub fn wait(&mut self, child: &mut Child, limit: Duration) -> Option<bool> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status.success()),
                // What it still says is to keep it from nothing.
                Ok(None) if started.elapsed() < limit => self.read_errors(pause),
                _ => return None,
            }
            pause = PAUSE.min(pause * 2);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn ran(script: &str, limit: Duration) -> (bool, Option<bool>, usize, String) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let mut pipes = Pipes::of(&mut child);
        let is_whole = pipes.read_output(limit);
        let ended = if is_whole { pipes.wait(&mut child, limit) } else { None };
        let _ = child.kill();
        let _ = child.wait();
        let (out, err) = pipes.finish(Duration::from_millis(20));
        (is_whole, ended, out.len(), String::from_utf8_lossy(&err).trim().to_owned())
    }

    #[test]
    fn what_is_written_and_how_it_ends() {
        let long = Duration::from_secs(20);
        assert_eq!(ran("echo a; echo b >&2", long), (true, Some(true), 2, "b".to_owned()));
        assert_eq!(ran("echo b >&2; exit 3", long), (true, Some(false), 0, "b".to_owned()));
        let much = "head -c 300000 /dev/zero; head -c 300000 /dev/zero | tr '\\0' x >&2; exec >&-; head -c 300000 /dev/zero | tr '\\0' x >&2";
        let (is_whole, ended, out, err) = ran(much, long);
        assert_eq!(
            (is_whole, ended, out, err.len()),
            (true, Some(true), 300_000, 600_000),
            "both are read all the while"
        );
    }

    #[test]
    fn what_does_not_end_in_time() {
        let short = Duration::from_millis(200);
        assert!(!ran("echo a; exec sleep 5", short).0, "the output stays open");
        assert_eq!(ran("exec >&-; exec sleep 5", short).1, None, "the process goes on");
        let behind = ran("sleep 5 >/dev/null & echo a", Duration::from_secs(20));
        assert_eq!((behind.0, behind.1), (true, Some(true)), "something behind it keeps standard error open");
    }
}
