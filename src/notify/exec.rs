//! A command of the user's, run for each notice.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Channel, Failure, IsEnding, child};
use lane_core::inbox::{Notice, time};

/// A command for sh.
#[derive(Debug)]
pub struct Exec {
    /// The command.
    pub command: String,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// How long it may take for one notice.
    pub timeout: Duration,
}

/// The variables in which a command has a notice.
pub(super) fn variables(notice: &Notice) -> [(&'static str, String); 8] {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        ("LANE_EVENT", notice.kind.word.to_owned()),
        ("LANE_EVENT_ID", notice.id.clone()),
        ("LANE_EVENT_TIME", time(notice.time)),
        ("LANE_EVENT_AGENT", or_none(&notice.agent)),
        ("LANE_EVENT_BY", or_none(&notice.by)),
        ("LANE_EVENT_SUBJECT", notice.subject.clone()),
        ("LANE_EVENT_TEXT", notice.text.clone()),
        ("LANE_EVENT_NEXT", notice.next.clone()),
    ]
}

impl Channel for Exec {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn deliver(&mut self, notices: &[Notice], is_ending: IsEnding<'_>) -> Result<(), Failure> {
        let Some(notice) = notices.first() else { return Ok(()) };
        let json = serde_json::to_vec(notice).map_err(|error| Failure::Never(error.to_string()))?;
        let mut command = Command::new("sh");
        // Standard output is the watcher's own.
        command.arg("-c").arg(format!("exec 1>&2\n{}", self.command)).current_dir(&self.folder);
        lane_git::command::untie(&mut command);
        // A text of others has no such byte, which no variable can hold.
        command.envs(variables(notice).map(|(name, value)| (name, value.replace('\0', ""))));
        command.stdin(Stdio::piped());
        let (status, _) =
            child::run(&mut command, &[json, b"\n".to_vec()].concat(), self.timeout, is_ending)?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => Err(Failure::Never(format!("exit code {code}"))),
            None => Err(Failure::Never("ended by a signal".to_owned())),
        }
    }
}
