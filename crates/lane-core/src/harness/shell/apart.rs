//! A thread for the parser, which panics at some lines that no shell could run: at numbers that are too large, at here-documents that
//! end inside of a substitution. Such a line is one that cannot be read, and no end of the program.

use std::cell::RefCell;
use std::sync::mpsc::{self, Sender};
use std::thread;

/// The thread's name.
const NAME: &str = "shell line";

/// As much as the program's first thread has, in bytes.
const STACK: usize = 8 * 1024 * 1024;

thread_local! {
    /// What ends the wait for this thread's answer when it is dropped.
    static WAIT: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// What a function gives on a thread of its own. `None` also where it panics.
pub(super) fn run<T: Send + 'static>(read: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    let (answer, answers) = mpsc::channel();
    let (wait, ended) = mpsc::channel::<()>();
    let thread = thread::Builder::new().name(NAME.to_owned()).stack_size(STACK);
    let run = move || {
        WAIT.set(Some(wait));
        let _ = answer.send(read());
        WAIT.take();
    };
    thread.spawn(run).ok()?;
    let _ = ended.recv();
    answers.try_recv().ok().flatten()
}

/// Whether this is such a thread.
pub fn is_here() -> bool {
    thread::current().name() == Some(NAME)
}

/// Ends such a thread for whoever waits for it. For the panic hook of a program in which nothing unwinds: a return from the hook
/// would end the program.
pub fn give_up() -> ! {
    WAIT.take();
    loop {
        thread::park();
    }
}
