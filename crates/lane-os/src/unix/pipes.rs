//! Both pipes of a process, read in this thread: threads cost more than a short command does.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdout};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// One pipe, until it has ended.
#[derive(Debug)]
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
#[derive(Debug)]
pub struct Pipes {
    out: Pipe<ChildStdout>,
    err: Pipe<ChildStderr>,
}

impl Pipes {
    /// Those of a child, which has them no more.
    pub fn of(child: &mut Child) -> Self {
        Self { out: Pipe::of(child.stdout.take()), err: Pipe::of(child.stderr.take()) }
    }

    /// Reads until standard output ends; whether it does so in time.
    pub fn read_output(&mut self, limit: Duration) -> bool {
        self.read(limit, |pipes| pipes.out.pipe.is_none())
    }

    /// Reads what comes on standard error alone for so long at the most.
    pub fn read_errors(&mut self, limit: Duration) {
        if self.err.pipe.is_none() {
            std::thread::sleep(limit);
        } else {
            self.read(limit, |pipes| pipes.err.pipe.is_none());
        }
    }

    /// All that was read. Whatever an ended process had to say is there by then, or a moment later.
    pub fn finish(mut self, moment: Duration) -> (Vec<u8>, Vec<u8>) {
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
