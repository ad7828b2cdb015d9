//! The summary of a step of a GitHub job: Markdown at the end of the file that GitHub names.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::output::note;
use lane_core::error::Error;
use lane_core::report::{Report, summary};

/// The variable that names the file.
const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// Adds a report to the step's summary, if there is one to add to. That it cannot be written is told, and
/// changes no verdict.
pub(crate) fn append(report: &Report) {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
        return;
    };
    if let Err(error) = write(Path::new(&path), report) {
        note(&format!(
            "the summary was not written: {error} ({VARIABLE} is {}); the verdict is unaffected",
            path.display()
        ));
    }
}

/// Adds Markdown to the step's summary; what was done, in words.
///
/// # Errors
/// This is no step of a workflow, or its summary is full or cannot be written.
pub(crate) fn append_text(text: &str) -> Result<String, Error> {
    let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).ok_or_else(|| {
        let help =
            "in a job of GitHub the runner sets it; to see the same text: git lane report --format markdown";
        Error::usage(format!("there is no summary to add to: {VARIABLE} is not set"), help)
    })?;
    let path = Path::new(&path);
    let text = |room: usize| if text.len() <= room { text.to_owned() } else { String::new() };
    add(path, text).map_err(|error| {
        Error::write(
            format!("the summary of this step was not written: {error}"),
            format!("check that {} can be written", path.display()),
        )
    })?;
    Ok("added the report to the summary of this step".to_owned())
}

fn write(path: &Path, report: &Report) -> io::Result<()> {
    add(path, |room| summary::markdown(report, room))
}

/// Adds what `text` says within so many bytes.
fn add(path: &Path, text: impl FnOnce(usize) -> String) -> io::Result<()> {
    let mut file: File = OpenOptions::new().append(true).create(true).open(path)?;
    // GitHub drops the whole summary of a step if it is too long, with what others wrote into it.
    let taken = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let text = text(summary::STEP.saturating_sub(taken).saturating_sub(1));
    if text.is_empty() {
        return Err(io::Error::other("the summary of this step is full"));
    }
    let gap = if taken > 0 { "\n" } else { "" };
    file.write_all(format!("{gap}{text}").as_bytes())
}
