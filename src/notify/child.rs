//! A child that ends within a time, or when this process is to.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use super::{Failure, IsEnding};

/// How often it is looked at.
const TICK: Duration = Duration::from_millis(10);
/// How long a child that is to end may take for that.
const GRACE: Duration = Duration::from_secs(2);
/// The most bytes that are kept of what it says.
const MOST: u64 = 4_096;

/// Runs a command to its end. Its standard input is `input`, what it writes to a standard error that is piped is returned.
pub(super) fn run(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
    is_ending: IsEnding<'_>,
) -> Result<(ExitStatus, String), Failure> {
    lane_os::own_group(command);
    let mut child =
        command.spawn().map_err(|error| Failure::Unusable(format!("cannot be started: {error}")))?;
    // Another thread: neither a command that reads nothing nor one that says much stands still with us.
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
    }
    let said = child.stderr.take().map(|mut stderr| {
        let (sender, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.by_ref().take(MOST).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        });
        said
    });
    let status = wait(&mut child, limit, is_ending)?;
    // Whatever it left running may hold the pipe for as long as it likes.
    let bytes = said.and_then(|said| said.recv_timeout(Duration::from_millis(200)).ok()).unwrap_or_default();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

fn wait(child: &mut Child, limit: Duration, is_ending: IsEnding<'_>) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => {}
            Err(error) => return Err(Failure::Never(format!("cannot be waited for: {error}"))),
        }
        if is_ending() {
            end(child);
            return Err(Failure::Interrupted);
        }
        if started.elapsed() >= limit {
            end(child);
            return Err(Failure::Never(format!("did not end within {} s", limit.as_secs_f32())));
        }
        std::thread::sleep(TICK);
    }
}

/// Ends it and all that it started.
fn end(child: &mut Child) {
    let started = Instant::now();
    lane_os::signal_group(child, false);
    while started.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(TICK);
    }
    lane_os::signal_group(child, true);
    let _ = child.wait();
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn sh(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    #[test]
    fn one_that_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("late");
        let text = format!("trap '' TERM; (sleep 4; touch {0}) & sleep 4; touch {0}", file.display());
        let started = Instant::now();
        let ended = run(&mut sh(&text), b"", Duration::from_millis(200), &mut || false);
        assert_eq!(ended, Err(Failure::Never("did not end within 0.2 s".into())));
        assert!(started.elapsed() < Duration::from_secs(4));
        std::thread::sleep(
            Duration::from_secs(4).saturating_sub(started.elapsed()) + Duration::from_millis(300),
        );
        assert!(!file.exists());
    }

    #[test]
    fn one_that_reads_nothing_and_says_much_stands_still_with_nobody() {
        let input = vec![b'x'; 1 << 20];
        let text = "head -c 300000 /dev/zero | tr '\\0' y >&2; sleep 30 & exit 3";
        let started = Instant::now();
        let (status, said) = run(&mut sh(text), &input, Duration::from_secs(20), &mut || false).unwrap();
        assert_eq!((status.code(), said.len()), (Some(3), 4_096));
        assert!(started.elapsed() < Duration::from_secs(10));
        let ended = run(&mut sh("sleep 30"), b"", Duration::from_secs(20), &mut || true);
        assert_eq!(ended, Err(Failure::Interrupted));
    }
}
