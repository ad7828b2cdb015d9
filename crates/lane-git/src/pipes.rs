//! What a process that was started writes to standard output and standard error.

use std::process::Child;
use std::time::{Duration, Instant};

pub(crate) use reader::Pipes;

/// The longest pause between two looks at whether a process has ended.
const PAUSE: Duration = Duration::from_millis(1);
/// The first one: what has closed its output mostly ends at once.
const FIRST_PAUSE: Duration = Duration::from_micros(20);

impl Pipes {
    /// Whether a process whose output has ended ends well; `None`: not in time.
    pub(crate) fn wait(&mut self, child: &mut Child, limit: Duration) -> Option<bool> {
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

/// In this thread: threads cost more than a short command does.
#[cfg(unix)]
mod reader {
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::process::{Child, ChildStderr, ChildStdout};
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// One pipe, until it has ended.
    struct Pipe<P> {
        pipe: Option<P>,
        bytes: Vec<u8>,
    }

    impl<P: Read + AsFd> Pipe<P> {
        fn of(pipe: Option<P>) -> Self {
            Self { pipe, bytes: Vec::new() }
        }

        fn poll_fd(&self) -> Option<PollFd<'_>> {
            self.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN))
        }

        /// Reads what is there.
        fn read(&mut self) {
            let mut chunk = [0; 4096];
            match self.pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) {
                Some(Ok(len @ 1..)) => self.bytes.extend_from_slice(&chunk[..len]),
                Some(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
                _ => self.pipe = None,
            }
        }
    }

    /// Both pipes of a process.
    pub(crate) struct Pipes {
        out: Pipe<ChildStdout>,
        err: Pipe<ChildStderr>,
    }

    impl Pipes {
        pub(crate) fn of(child: &mut Child) -> Self {
            Self { out: Pipe::of(child.stdout.take()), err: Pipe::of(child.stderr.take()) }
        }

        /// Reads until standard output ends; whether it does so in time.
        pub(crate) fn read_output(&mut self, limit: Duration) -> bool {
            self.read(limit, |pipes| pipes.out.pipe.is_none())
        }

        /// Reads what comes on standard error alone for so long at the most.
        pub(crate) fn read_errors(&mut self, limit: Duration) {
            if self.err.pipe.is_none() {
                std::thread::sleep(limit);
            } else {
                self.read(limit, |pipes| pipes.err.pipe.is_none());
            }
        }

        /// All that was read. Whatever an ended process had to say is there by then, or a moment later.
        pub(crate) fn finish(mut self, moment: Duration) -> (Vec<u8>, Vec<u8>) {
            self.read(moment, |pipes| pipes.err.pipe.is_none());
            (self.out.bytes, self.err.bytes)
        }

        fn read(&mut self, limit: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
            let started = Instant::now();
            while !is_done(self) {
                let Some(left) = limit.checked_sub(started.elapsed()) else { return false };
                let Ok(timeout) = Timespec::try_from(left) else { return false };
                let (is_out, is_err) = {
                    let (out, err) = (self.out.poll_fd(), self.err.poll_fd());
                    let has_out = out.is_some();
                    let mut all: Vec<PollFd<'_>> = out.into_iter().chain(err).collect();
                    match poll(&mut all, Some(&timeout)) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => {}
                        Err(_) => return false,
                    }
                    let mut ready = all.iter().map(|fd| !fd.revents().is_empty());
                    (has_out && ready.next().unwrap_or(false), ready.next().unwrap_or(false))
                };
                if is_out {
                    self.out.read();
                }
                if is_err {
                    self.err.read();
                }
            }
            true
        }
    }
}

/// Each in a thread of its own, so that neither can fill up.
#[cfg(not(unix))]
mod reader {
    use std::io::Read;
    use std::process::Child;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    struct Pipe {
        bytes: Arc<Mutex<Vec<u8>>>,
        done: Receiver<()>,
    }

    impl Pipe {
        fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
            let (sender, done) = channel();
            let bytes = Arc::new(Mutex::new(Vec::new()));
            let kept = Arc::clone(&bytes);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                if let Some(mut pipe) = pipe {
                    while let Ok(len @ 1..) = pipe.read(&mut chunk) {
                        kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..len]);
                    }
                }
                let _ = sender.send(());
            });
            Self { bytes, done }
        }

        fn bytes(&self) -> Vec<u8> {
            self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    /// Both pipes of a process.
    pub(crate) struct Pipes {
        out: Pipe,
        err: Pipe,
    }

    impl Pipes {
        pub(crate) fn of(child: &mut Child) -> Self {
            Self { out: Pipe::of(child.stdout.take()), err: Pipe::of(child.stderr.take()) }
        }

        pub(crate) fn read_output(&mut self, limit: Duration) -> bool {
            !matches!(self.out.done.recv_timeout(limit), Err(RecvTimeoutError::Timeout))
        }

        pub(crate) fn read_errors(&mut self, limit: Duration) {
            std::thread::sleep(limit);
        }

        pub(crate) fn finish(self, moment: Duration) -> (Vec<u8>, Vec<u8>) {
            let _ = self.err.done.recv_timeout(moment);
            (self.out.bytes(), self.err.bytes())
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
