//! `git lane hook agent <harness> [event]`: what the harness of a coding agent asks before a tool has its turn, as a session
//! begins, and before the agent says that it is done.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::Outcome;
use crate::cli::output::print_error;
use crate::gather::Environment;
use crate::ops::briefing;
use crate::ops::edit::{self, Answer, Refusal};
use crate::ops::worktree;
use lane_core::error::Error;
use lane_core::harness::{self, HARNESSES, Harness, Moment, Occasion, ToolAction};

/// The longest payload that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// Answers one event of a harness.
///
/// # Errors
/// It is not said which harness asks, or of one that is not known.
pub fn run(args: &[OsString]) -> Outcome {
    let harness = named(args.first())?;
    let event = args.get(1).and_then(|event| event.to_str());
    let mut payload = Vec::new();
    let read = std::io::stdin().take(LONGEST).read_to_end(&mut payload).map_err(|error| error.to_string());
    let environment = Environment { asking: Some(harness.variables[0]), ..Environment::of_process() };
    let project = harness.project.iter().find_map(std::env::var_os).filter(|folder| !folder.is_empty());
    let tool =
        |occasion: &Occasion| edit::Tool::new(occasion, project.clone().map(PathBuf::from), &environment);
    let occasion = match read.and_then(|_| harness::read(harness, &payload, event)) {
        Ok(occasion) => occasion,
        Err(why) => {
            let nothing = Occasion { folder: None, project: None, moment: Moment::Other };
            let why = format!("what {} says cannot be read: {why}", harness.name);
            return Ok(answer(harness, tool(&nothing).answer(&[ToolAction::Unreadable(why)])));
        }
    };
    match &occasion.moment {
        Moment::Tool(actions) => {
            let tool = tool(&occasion);
            let tool = if harness.note.is_some() { tool } else { tool.without_warnings() };
            Ok(answer(harness, tool.answer(actions)))
        }
        Moment::Done(actions) => {
            if let (Some(note), Answer::Warn(text)) = (harness.note_after, tool(&occasion).answer(actions)) {
                print(&note(&lane_core::text::sanitize(&text)));
            }
            Ok(0)
        }
        Moment::Start => {
            let folder = project.map(PathBuf::from).or_else(|| occasion.folder.as_ref().map(PathBuf::from));
            if let Some(briefing) = briefing::of(folder.as_deref(), &environment) {
                // Told first, and only then noted as read.
                if print(&(harness.context)(&briefing.text)) {
                    briefing.told();
                }
            }
            Ok(0)
        }
        Moment::Stop { is_repeated: false } => {
            let folder = occasion.folder.as_ref().map(PathBuf::from);
            let reason = briefing::unfinished(folder.as_deref(), &environment);
            Ok(reason.map_or(0, |reason| keep_going(harness, &reason)))
        }
        Moment::Worktree { name } => {
            let folder = occasion.folder.as_ref().map_or_else(|| PathBuf::from("."), PathBuf::from);
            let project = project.map(PathBuf::from);
            let root = worktree::create(&folder, project.as_deref(), name, &environment);
            let root = root.map(|root| print(&root.to_string_lossy()));
            Ok(root.map_or_else(|error| refuse(&error), |_| 0))
        }
        Moment::Removal { root } => {
            Ok(worktree::remove(Path::new(root), &environment).map_or_else(|error| refuse(&error), |()| 0))
        }
        Moment::Stop { is_repeated: true } | Moment::Other => Ok(0),
    }
}

/// The harness that asks.
fn named(id: Option<&OsString>) -> Result<&'static Harness, Error> {
    let known = || HARNESSES.map(|harness| harness.id).join(", ");
    let Some(id) = id.and_then(|id| id.to_str()) else {
        return Err(Error::usage("no harness is named", format!("name one of: {}", known())));
    };
    harness::find(id)
        .ok_or_else(|| Error::usage(format!("unknown harness `{id}`"), format!("it is one of: {}", known())))
}

/// Asks the agent to go on; the exit code. Harnesses that have words for this read them with exit 0; Copilot does with no
/// other.
fn keep_going(harness: &Harness, reason: &str) -> u8 {
    match (harness.continue_turn)(reason) {
        Some(output) => {
            print(&output.to_string());
            0
        }
        None => {
            print_error(&format!("{reason}\n"));
            2
        }
    }
}

/// Says yes or no to a tool, in the words of the harness; the exit code. What a harness reads on standard output is one object
/// and nothing else; all of them take exit 2 with the reason on standard error.
fn answer(harness: &Harness, answer: Answer) -> u8 {
    match (answer, harness.note) {
        (Answer::Refuse(Refusal { text: reason, .. }), _) => {
            if let Some(output) = (harness.refuse)(&lane_core::text::sanitize(&reason)) {
                print(&output.to_string());
            }
            print_error(&format!("{}\n", reason.trim_end()));
            2
        }
        (Answer::Warn(text), Some(note)) => {
            print(&note(&lane_core::text::sanitize(&text)));
            0
        }
        (Answer::Warn(_) | Answer::Pass, _) => {
            if let Some(allow) = harness.allow {
                print(&allow().to_string());
            }
            0
        }
    }
}

/// Says why no worktree was made, or removed; the exit code.
fn refuse(error: &Error) -> u8 {
    let help = error.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    print_error(&format!("git-lane: {error}{help}\n"));
    2
}

/// To standard output, which is the harness's; false where that is gone, and reads nothing.
fn print(text: &str) -> bool {
    writeln!(std::io::stdout(), "{text}").is_ok()
}
