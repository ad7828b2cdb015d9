//! The commands that have to succeed on the merged result: `land.run` of the policy.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tree::{Workspace, cannot_write};
use crate::run::{Bounds, Context, End, Task, run_all_with};
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::landings::record::{Landing, Reason};
use lane_core::policy::model::Land;
use lane_core::text::sanitize;

/// The most characters of a command's output that a record has.
const LONGEST: usize = 4_000;

/// The most bytes that a command may write.
const MOST: u64 = 1 << 30;

/// What is run for.
pub struct Work<'w> {
    /// What the policy says.
    pub land: &'w Land,
    /// What is to land.
    pub landing: &'w Landing,
    /// On which branch.
    pub base: &'w str,
    /// The merged result.
    pub to: Oid,
}

/// How the commands ended.
pub enum CommandsEnd {
    /// All succeeded.
    Passed,
    /// One did not.
    Refused(Reason),
    /// Somebody else goes on for this process.
    Lost,
    /// A signal ended them.
    Interrupted(u8),
}

/// Runs the commands in their order, in the worktree. `keep`: says that this process is still there; false where somebody else
/// goes on.
///
/// # Errors
/// Nothing can be started, or what `keep` says.
pub fn run(
    workspace: &Workspace,
    work: &Work<'_>,
    keep: &mut dyn FnMut() -> Result<bool, Error>,
) -> Result<CommandsEnd, Error> {
    let timeout = Duration::from_secs(work.land.timeout.value.seconds);
    let context = Context { environment: None, limit: None, jobs: 1, timeout };
    for (at, command) in work.land.run.iter().enumerate() {
        let log = workspace.folder().join(format!("log-{at}"));
        let task = task(workspace, work, &command.value, log.clone());
        let mut kept = Ok(true);
        let mut tick = || {
            if matches!(kept, Ok(true)) {
                kept = keep();
            }
            // A remote that does not answer for a moment ends nothing.
            !matches!(kept, Ok(false))
        };
        let (ended, signal) = run_all_with(&[task], &context, &mut |_, _| {}, &mut tick)
            .map_err(|error| cannot_write(&log, &error))?;
        if let Some(signal) = signal {
            return Ok(CommandsEnd::Interrupted(signal));
        }
        if !kept.unwrap_or(true) {
            return Ok(CommandsEnd::Lost);
        }
        let Some(ended) = ended.first() else { continue };
        let how = match &ended.end {
            End::Passed => continue,
            End::Failed(code) => format!("failed with exit code {code}"),
            End::TimedOut => format!("was ended after {}", work.land.timeout.value.text),
            End::TooMuchOutput => "wrote too much".to_owned(),
            End::Interrupted => return Ok(CommandsEnd::Lost),
            End::NotStarted(why) => format!("could not be started: {why}"),
        };
        let output = end_of(&log).unwrap_or_default();
        let reason = format!("`{}` {how} on the merged result", command.value);
        let why = Reason::new(reason, "fix it, push, then land it again");
        return Ok(CommandsEnd::Refused(why.output(tail(&String::from_utf8_lossy(&output)))));
    }
    Ok(CommandsEnd::Passed)
}

fn task(workspace: &Workspace, work: &Work<'_>, command: &str, log: PathBuf) -> Task {
    Task {
        command: command.to_owned(),
        folder: workspace.tree(),
        variables: vec![
            ("LANE_LAND_BRANCH", work.landing.branch.clone()),
            ("LANE_LAND_BASE", work.base.to_owned()),
            ("LANE_LAND_COMMIT", work.to.to_string()),
        ],
        log,
        bounds: Bounds { bytes: Some(MOST), ends_with_it: true, ..Bounds::default() },
        isolation: None,
    }
}

/// What a record can have of the end of a file, and some more.
fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(4 * LONGEST as u64)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The end of an output, whole lines.
fn tail(text: &str) -> String {
    let text = sanitize(text.trim_end());
    if text.len() <= LONGEST {
        return text.into_owned();
    }
    let start = text.len() - LONGEST;
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let rest = &text[start..];
    format!("…\n{}", rest.split_once('\n').map_or(rest, |(_, rest)| rest))
}
