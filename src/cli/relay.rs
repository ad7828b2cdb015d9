//! A command of git's whose words go straight on to whoever waits for it: how far it is, what the remote says. They are
//! written as [`lane_core::text::visible`] makes them: a remote and its branches are others'.

use std::io::{self, IsTerminal, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::output::write_error;
use lane_core::text::visible;

/// How long something that came in parts may be waited for before it is shown.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs it to its end.
///
/// # Errors
/// It cannot be started.
pub(crate) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let (sender, chunks) = channel();
    if let Some(stderr) = child.stderr.take() {
        std::thread::Builder::new().spawn(move || read(stderr, &sender))?;
    }
    show(&chunks, &mut child);
    child.wait()
}

fn read(mut stderr: impl Read, chunks: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = stderr.read(&mut buffer)
        && chunks.send(buffer[..len].to_vec()).is_ok()
    {}
}

/// Until it has ended and said all: what it leaves running in the background may hold its standard error for hours.
fn show(chunks: &Receiver<Vec<u8>>, child: &mut Child) {
    let is_terminal = io::stderr().is_terminal();
    let mut pending = Vec::new();
    loop {
        let has_ended = matches!(child.try_wait(), Ok(Some(_)) | Err(_));
        match chunks.recv_timeout(PAUSE) {
            Ok(chunk) => {
                pending.extend(chunk);
                let whole =
                    pending.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
                write_error(&lines(&pending[..whole], is_terminal));
                pending.drain(..whole);
            }
            Err(RecvTimeoutError::Timeout) if !has_ended => {}
            Err(_) => break,
        }
    }
    write_error(&lines(&pending, is_terminal));
}

/// Git begins a line of its progress again with a carriage return, which is for terminals alone.
fn lines(bytes: &[u8], is_terminal: bool) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        match line.strip_suffix('\r') {
            Some(line) => {
                out.push_str(&visible(line));
                out.push(if is_terminal { '\r' } else { '\n' });
            }
            None => out.push_str(&visible(line)),
        }
    }
    out
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn lines_as_they_are_shown() {
        assert_eq!(lines(b"a 1%\ra 2%\rb\x1b[8m\r\nc", true), "a 1%\ra 2%\rb\\x1b[8m\nc");
        assert_eq!(lines(b"a 1%\rb \xe2\x80\xae\n", false), "a 1%\nb \\u{202e}\n");
    }

    #[test]
    fn what_runs_on_in_the_background_is_not_waited_for() {
        let begun = Instant::now();
        let status = run(Command::new("sh").args(["-c", "sleep 30 & exit 3"])).expect("sh");
        assert_eq!(status.code(), Some(3));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
