//! How git is started.

use std::cell::OnceCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command::cannot_start;
use crate::repository::Read;
use crate::scratch::Scratch;
use lane_core::facts::{Cause, Unavailable};

/// Starts git for one repository.
pub(super) struct Git {
    /// The folder to start in, whatever the environment says; `None`: as this process was started itself.
    folder: Option<PathBuf>,
    /// Where objects go that a question makes, once there are any.
    scratch: OnceCell<Scratch>,
}

/// What a git came to.
pub(super) struct ProcessOutput {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl ProcessOutput {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What git said was wrong, on one line.
    pub fn error_text(&self) -> String {
        first_error(&self.stderr)
    }

    /// Standard output, unless the exit code is not 0.
    pub fn ok(self, what: &str) -> Read<Vec<u8>> {
        if self.code == Some(0) { Ok(self.stdout) } else { Err(command_error(what, &self.stderr)) }
    }
}

/// What git said was wrong, on one line.
pub(super) fn first_error(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    let lines = lines.map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: "));
    let text = lines.collect::<Vec<_>>().join("; ");
    if text.is_empty() { "git gave no reason".to_owned() } else { text }
}

/// Something that git could not read.
pub(super) fn command_error(what: &str, said: &str) -> Unavailable {
    // The words of git itself, LC_ALL=C.
    let cause = if said.contains("promisor remote") { Cause::Promised } else { Cause::Other };
    Unavailable::new(
        format!("{what} cannot be read: {}", first_error(said)),
        "check whether the repository is damaged: git fsck",
    )
    .because(cause)
}

impl Git {
    /// A git that is started in a folder, or where this process was.
    pub fn new(folder: Option<&Path>) -> Self {
        let folder = folder.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        Self { folder, scratch: OnceCell::new() }
    }

    /// The folder of objects that this process was told to use.
    pub fn inherited_objects(&self) -> Option<PathBuf> {
        let told = std::env::var_os("GIT_OBJECT_DIRECTORY").filter(|_| self.folder.is_none())?;
        std::path::absolute(told).ok()
    }

    /// The folder for what a question makes. From here on every git writes there and nowhere else.
    pub fn scratch(&self, objects_here: &Path) -> Read<&Scratch> {
        match self.scratch.get() {
            Some(scratch) => Ok(scratch),
            None => {
                let objects = self.inherited_objects();
                // Not in memory: a whole working tree may have to go in there.
                let scratch =
                    Scratch::new(objects.as_deref().unwrap_or(objects_here), &std::env::temp_dir())?;
                Ok(self.scratch.get_or_init(|| scratch))
            }
        }
    }

    pub fn has_scratch(&self) -> bool {
        self.scratch.get().is_some()
    }

    /// A git that reads: it replaces, grafts and fetches nothing, asks no daemon, and takes no lock.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = crate::command::git();
        if let Some(folder) = &self.folder {
            crate::command::untie(&mut command).arg("-C").arg(folder);
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            // For a git that does not know the variable above (before 2.45): no way to fetch is allowed.
            .env("GIT_ALLOW_PROTOCOL", "none")
            // A path that is none: grafts hide parents from whoever reads history.
            .env("GIT_GRAFT_FILE", "/dev/null/none")
            .env_remove("GIT_SHALLOW_FILE")
            .env_remove("GIT_REPLACE_REF_BASE")
            .args(["--no-replace-objects", "--literal-pathspecs"])
            .args(["-c", "core.fsmonitor=false", "-c", "core.splitIndex=false", "-c", "core.quotePath=false"])
            // `post-index-change` would run for the copy of an index.
            .args(["-c", "core.hooksPath=/dev/null", "-c", "advice.graftFileDeprecated=false"]);
        if let Some(scratch) = self.scratch.get() {
            command.env("GIT_OBJECT_DIRECTORY", scratch.path());
        }
        command.args(args);
        command
    }

    /// Runs a git to its end.
    ///
    /// # Errors
    /// There is no git on the PATH.
    pub fn run(&self, args: &[&str]) -> Read<ProcessOutput> {
        run(self.command(args), b"")
    }
}

/// Runs a git to its end, with something on standard input.
///
/// # Errors
/// There is no git on the PATH.
pub(super) fn run(mut command: Command, input: &[u8]) -> Read<ProcessOutput> {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A git that ends before it has read all says why; that it did not read is no news then.
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
        child.wait_with_output()
    });
    let output = output.map_err(|error| {
        Unavailable::new(format!("git's answer cannot be read: {error}"), "try again; git --version")
    })?;
    Ok(ProcessOutput {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
