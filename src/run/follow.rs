//! Commands whose output is read as it comes, until they end or somebody ends them.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::batch::{End, Running, in_group};
use lane_core::agent_env::AgentEnv;
use lane_os::Interrupts;

/// How often the commands are looked at.
const TICK: Duration = Duration::from_millis(30);
/// How long what a command left running may still write once all commands have ended.
const REST: Duration = Duration::from_millis(300);
/// A line is cut where it is longer.
const LONGEST: u64 = 64 * 1024;
/// Lines that wait to be shown; further ones wait where they are written.
const WAITING: usize = 256;

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Followed<'c> {
    /// For sh.
    pub command: &'c str,
    /// The folder that it runs in.
    pub folder: &'c Path,
    /// The agent's variables, where it is an agent's.
    pub environment: Option<&'c AgentEnv>,
    /// Variables beside those.
    pub variables: &'c [(&'static str, String)],
}

/// Runs all of them at once, and hands on each line that one writes, without its end. `line`: gets the command's place and the
/// line, and says whether to go on. Returns how each ended, and the signal that ended them, if one did.
///
/// # Errors
/// This process cannot be started once more, or signals cannot be caught.
pub fn follow(
    commands: &[Followed<'_>],
    line: &mut dyn FnMut(usize, &[u8]) -> bool,
) -> std::io::Result<(Vec<End>, Option<u8>)> {
    let binary = std::env::current_exe()?;
    let mut interrupts = Interrupts::catch()?;
    let (sender, lines) = sync_channel(WAITING);
    let mut ends: Vec<Option<End>> = vec![None; commands.len()];
    let mut running: Vec<(usize, Running)> = Vec::new();
    for (at, one) in commands.iter().enumerate() {
        let mut command = in_group(&binary, one.command, one.folder, one.variables, one.environment, None);
        match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
            Ok(mut child) => {
                child.stdout.take().into_iter().for_each(|out| read(at, out, sender.clone()));
                child.stderr.take().into_iter().for_each(|err| read(at, err, sender.clone()));
                running.push((at, Running::new(at, child)));
            }
            Err(error) => ends[at] = Some(End::NotStarted(error.to_string())),
        }
    }
    drop(sender);
    let (mut signal, mut ended_at) = (None, None);
    loop {
        let is_closed = match lines.recv_timeout(TICK) {
            Ok((at, text)) => {
                if !line(at, &text) {
                    running.iter_mut().for_each(|(_, one)| one.stop(End::Interrupted));
                }
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(TICK);
                true
            }
        };
        if let Some(caught) = interrupts.pending() {
            signal = signal.or(Some(caught));
            running.iter_mut().for_each(|(_, one)| one.stop(End::Interrupted));
        }
        running.retain_mut(|(at, one)| match one.look(Duration::MAX, || false) {
            Some(ended) => {
                ends[*at] = Some(ended.end);
                false
            }
            None => true,
        });
        if running.is_empty() {
            let since: &mut Instant = ended_at.get_or_insert_with(Instant::now);
            if is_closed || signal.is_some() || since.elapsed() > REST {
                let ends = ends.into_iter().map(|end| end.unwrap_or(End::Interrupted));
                return Ok((ends.collect(), signal));
            }
        }
    }
}

/// Reads lines in a thread of its own, which ends with what it reads, or with whoever listens.
fn read(at: usize, from: impl Read + Send + 'static, lines: SyncSender<(usize, Vec<u8>)>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut text = Vec::new();
            match from.by_ref().take(LONGEST).read_until(b'\n', &mut text) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let end = text.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text).len());
            text.truncate(end.unwrap_or(text.len()));
            if lines.send((at, text)).is_err() {
                return;
            }
        }
    });
}
