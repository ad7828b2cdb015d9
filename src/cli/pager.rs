//! A pager for what is longer than the terminal, as git has it: `GIT_PAGER`, `core.pager`, `pager.lane`, `PAGER`, or
//! less with `LESS=FRX`. Started by git (`git lane`), it finds `--no-pager` and `pager.lane` obeyed already.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::gather::Environment;

/// What a shell says where a command is not to be found, or cannot be run.
const NOT_RUN: [i32; 2] = [126, 127];

/// Shows a text in the pager. `false` if there is none to be used, or it could not be started: nothing was shown then.
pub fn show(text: &str) -> bool {
    // A coding agent on a terminal has nobody to press a key.
    if Environment::is_of_agent() {
        return false;
    }
    let rows = ratatui::crossterm::terminal::size().map_or(0, |(_, rows)| usize::from(rows));
    if text.lines().count() < rows {
        return false;
    }
    command().is_some_and(|pager| run(&pager, text))
}

/// Whether git has started a pager already (`git -p lane`, `pager.lane`): standard output leads to a terminal after all.
pub fn is_in_use() -> bool {
    std::env::var_os("GIT_PAGER_IN_USE").is_some_and(|value| value == "true" || value == "1")
}

/// The pager that git would use here, if it would use one.
fn command() -> Option<String> {
    let own = git(&["config", "--get", "pager.lane"]);
    let pager = match own.as_deref() {
        // `git --no-pager lane` says it so; that goes before what is configured.
        _ if std::env::var_os("GIT_PAGER").is_some_and(|pager| is_none(&pager.to_string_lossy())) => {
            return None;
        }
        Some("false" | "no" | "off" | "0" | "") => return None,
        Some("true" | "yes" | "on" | "1") | None => git(&["var", "GIT_PAGER"])?,
        Some(own) => own.to_owned(),
    };
    (!is_none(&pager)).then_some(pager)
}

fn is_none(pager: &str) -> bool {
    matches!(pager.trim(), "" | "cat")
}

fn git(args: &[&str]) -> Option<String> {
    let ran = lane_git::command::git().args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(ran.stdout).ok().filter(|_| ran.status.success())?;
    Some(said.trim_end().to_owned())
}

fn run(pager: &str, text: &str) -> bool {
    let mut command = Command::new("sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped()).env("GIT_PAGER_IN_USE", "true");
    for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    // Ctrl-C is the pager's while it runs: it goes on, and the terminal stays as the pager wants it.
    let _held = lane_os::hold_interrupt();
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has read enough closes it.
        let _ = stdin.write_all(text.as_bytes());
    }
    let code = child.wait().ok().and_then(|status| status.code());
    !code.is_some_and(|code| NOT_RUN.contains(&code))
}
