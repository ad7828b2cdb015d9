//! A call of a tool: the command, run in its folder, and what it said.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::schema::Typed;

/// What a command came to.
pub struct Said {
    /// Its exit code: 0, 1 or 2.
    pub exit_code: i32,
    /// What it wrote to standard output, byte for byte.
    pub output: String,
    /// What it wrote to standard error.
    pub messages: String,
}

impl Said {
    /// It was not run.
    pub fn refused(why: impl Into<String>) -> Self {
        Self { exit_code: 2, output: String::new(), messages: why.into() }
    }

    /// All of it for programs.
    pub fn json(&self) -> Value {
        let result: Value = serde_json::from_str(&self.output).unwrap_or_default();
        json!({ "exit_code": self.exit_code, "result": result, "messages": self.messages.trim_end() })
    }

    /// What the JSON of the command does not say, in words.
    pub fn rest(&self) -> String {
        format!("exit code {}\n{}", self.exit_code, self.messages).trim_end().to_owned()
    }
}

/// Runs a command of this program to its end. Dropped before, it ends the command as Ctrl-C does.
pub async fn run(program: &Path, typed: &Typed) -> Said {
    if let Some(folder) = typed.folder.as_deref().filter(|folder| !folder.is_dir()) {
        return Said::refused(format!("error: `cwd` is not a folder: {}", folder.display()));
    }
    let mut command = Command::new(program);
    command.args(["--format=json", "--color=never"]).args(&typed.line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if cfg!(not(unix)) {
        command.kill_on_drop(true);
    }
    // The folder says which worktree it is about.
    lane_git::command::TIES.iter().for_each(|name| {
        command.env_remove(name);
    });
    if let Some(folder) = &typed.folder {
        command.current_dir(folder);
    }
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Said::refused(format!("error: git-lane could not be started: {error}")),
    };
    let ends = Ends::of(child.id());
    let output = child.wait_with_output().await;
    ends.ended();
    match output {
        Ok(output) => Said {
            // A signal ended it: nothing was decided.
            exit_code: output.status.code().unwrap_or(2),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            messages: String::from_utf8_lossy(&output.stderr).into_owned(),
        },
        Err(error) => Said::refused(format!("error: git-lane could not be waited for: {error}")),
    }
}

/// A process that is asked to end when nobody waits for it any more.
struct Ends(Option<u32>);

impl Ends {
    fn of(id: Option<u32>) -> Self {
        Self(id)
    }

    /// It has ended by itself: its number may be another's by now.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.into_iter().for_each(lane_os::terminate);
    }
}
