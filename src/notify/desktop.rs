//! A notice on the desktop, by the system's own program for it: no library speaks to all desktops, and none of those that do
//! is small.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Channel, Failure, IsEnding, child};
use lane_core::inbox::Notice;
use lane_core::text::plain;

/// How long the program may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The desktop of whoever watches.
#[derive(Debug)]
pub struct Desktop {
    program: PathBuf,
    place: String,
}

/// What shows a notice: its name, and what has it.
const PROGRAM: (&str, &str) = if cfg!(target_os = "macos") {
    ("osascript", "it is part of macOS")
} else {
    ("notify-send", "on Debian and Ubuntu: apt install libnotify-bin")
};

/// What `osascript` runs; texts are arguments and never part of it.
const SCRIPT: [&str; 3] =
    ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];

impl Desktop {
    /// `place`: which repository.
    ///
    /// # Errors
    /// Why there is none: a sentence, and what to do.
    pub fn find(place: &str) -> Result<Self, (String, String)> {
        let (name, help) = PROGRAM;
        if cfg!(not(unix)) {
            let help = "use --exec with a program that shows it".to_owned();
            return Err(("no desktop notices on this system".to_owned(), help));
        }
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let program =
            std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| is_program(path));
        match program {
            Some(program) => Ok(Self { program, place: place.to_owned() }),
            None => Err((format!("no desktop notices: {name} is not on the PATH"), help.to_owned())),
        }
    }

    fn command(&self, notice: &Notice) -> Command {
        let agent = notice.agent.as_deref().map(|agent| format!("{agent}, ")).unwrap_or_default();
        let title = format!("git-lane: {agent}{}", self.place);
        let body = format!("{}\n{}", notice.text, notice.next);
        let mut command = Command::new(&self.program);
        if PROGRAM.0 == "osascript" {
            SCRIPT.iter().for_each(|line| {
                command.args(["-e", line]);
            });
            // What begins with a dash is no option of it.
            command.arg("--").args([title, body]);
        } else {
            command.args(["--app-name=git-lane", "--", &title, &markup(&body)]);
        }
        command
    }
}

/// notify-send reads escapes of C, and desktops may read markup: neither is meant by a text of others.
fn markup(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && lane_os::may_execute(&data))
}

impl Channel for Desktop {
    fn name(&self) -> &'static str {
        "desktop"
    }

    fn deliver(&mut self, notices: &[Notice], is_ending: IsEnding<'_>) -> Result<(), Failure> {
        let Some(notice) = notices.first() else { return Ok(()) };
        let mut command = self.command(notice);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let (status, said) = match child::run(&mut command, b"", LIMIT, is_ending) {
            Err(Failure::Never(why)) => return Err(Failure::Unusable(format!("{} {why}", PROGRAM.0))),
            ran => ran?,
        };
        if status.success() {
            return Ok(());
        }
        // Without a session bus there is no desktop, and there will be none for this process.
        let said = plain(&said);
        let why = if said.is_empty() { "gave no reason".to_owned() } else { said };
        Err(Failure::Unusable(format!("{}: {why}", PROGRAM.0)))
    }
}
