//! Both pipes of a process, each read in a thread of its own, so that neither can fill up.

use std::io::Read;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug)]
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
#[derive(Debug)]
pub struct Pipes {
    out: Pipe,
    err: Pipe,
}

impl Pipes {
    /// Those of a child, which has them no more.
    pub fn of(child: &mut Child) -> Self {
        Self { out: Pipe::of(child.stdout.take()), err: Pipe::of(child.stderr.take()) }
    }

    /// Reads until standard output ends; whether it does so in time.
    pub fn read_output(&mut self, limit: Duration) -> bool {
        !matches!(self.out.done.recv_timeout(limit), Err(RecvTimeoutError::Timeout))
    }

    /// Reads what comes on standard error alone for so long at the most.
    pub fn read_errors(&mut self, limit: Duration) {
        std::thread::sleep(limit);
    }

    /// All that was read. Whatever an ended process had to say is there by then, or a moment later.
    pub fn finish(self, moment: Duration) -> (Vec<u8>, Vec<u8>) {
        let _ = self.err.done.recv_timeout(moment);
        (self.out.bytes(), self.err.bytes())
    }
}
