//! Every git that is started: which environment it has, how long it may take, and what it came to.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lane_core::error::Error;
use lane_core::facts::{Cause, Unavailable};
use lane_core::locks::record::plain;
use lane_os::{Pipes, end_tree};

/// Variables that tie a git to the repository, the index or the quarantine of the hook that started us.
/// What `git -c` gave, and all about authentication, stays.
pub const TIES: [&str; 16] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_REFLOG_ACTION",
    "GIT_REPLACE_REF_BASE",
    "GIT_TRACE2_PARENT_SID",
];

/// What a git came to.
#[derive(Debug, Clone)]
pub struct CommandOutput {
    /// Its exit code was 0.
    pub ok: bool,
    /// Standard output.
    pub stdout: String,
    /// The same as bytes: paths need not be UTF-8.
    pub stdout_bytes: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl CommandOutput {
    /// What git said was wrong, on one line.
    pub fn error_text(&self) -> String {
        let noise = ["hint:", "Please make sure you have", "and the repository exists"];
        let is_word = |line: &&str| !line.is_empty() && !noise.iter().any(|word| line.starts_with(word));
        let lines = self.stderr.lines().map(str::trim).filter(is_word);
        let lines = lines.map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: "));
        let text = lines.map(plain).collect::<Vec<_>>().join("; ");
        if text.is_empty() { "git gave no reason".to_owned() } else { text }
    }
}

/// A git that runs as this process does, the one git of all commands below.
pub fn git() -> Command {
    Command::new("git")
}

/// Takes out of a command's environment what ties it to another repository.
pub fn untie(command: &mut Command) -> &mut Command {
    for name in TIES {
        command.env_remove(name);
    }
    command
}

/// There is no git to start.
pub fn cannot_start(error: &std::io::Error) -> Unavailable {
    let help = "install git, or put its folder on the PATH; this has to work: git --version";
    Unavailable::new(format!("git could not be started: {error}"), help).because(Cause::NoGit)
}

/// A git command on the repository that all worktrees share.
pub fn command(common_dir: &Path) -> Command {
    let mut command = git();
    untie(&mut command).arg("--git-dir").arg(common_dir);
    // Messages are looked at; words in another language would not be understood.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    command
}

/// A git command in a worktree.
pub fn in_worktree(root: &Path) -> Command {
    let mut command = git();
    untie(&mut command).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").current_dir(root);
    command
}

/// The files of a worktree that differ from its HEAD, staged or not, those that git does not know among them;
/// from its root. git-status(1), `--porcelain=v1 -z`.
///
/// # Errors
/// git cannot tell.
pub fn changed_files(root: &Path) -> Result<Vec<Vec<u8>>, Unavailable> {
    status_files(root, false)
}

/// The same. `may_refresh`: git notes in the index which files it found to be as they were, so that nobody reads them
/// again. It does so where it gets the index's lock at once, and where `GIT_OPTIONAL_LOCKS` allows it: git-status(1),
/// "Background refresh".
///
/// # Errors
/// git cannot tell.
pub fn status_files(root: &Path, may_refresh: bool) -> Result<Vec<Vec<u8>>, Unavailable> {
    Ok(status(root, may_refresh)?.into_iter().map(|(_, path)| path).collect())
}

/// The files that differ from what is staged, untracked ones among them.
///
/// # Errors
/// git cannot tell.
pub fn unstaged_files(root: &Path) -> Result<Vec<Vec<u8>>, Unavailable> {
    let entries = status(root, false)?.into_iter();
    Ok(entries.filter(|([_, worktree], _)| *worktree != b' ').map(|(_, path)| path).collect())
}

/// What git-status(1) tells of a file: two letters, one for the index and one for the working tree, and the path.
type StatusEntry = ([u8; 2], Vec<u8>);

fn status(root: &Path, may_refresh: bool) -> Result<Vec<StatusEntry>, Unavailable> {
    let mut command = in_worktree(root);
    if may_refresh {
        let allowed = std::env::var_os("GIT_OPTIONAL_LOCKS").unwrap_or_else(|| "1".into());
        command.env("GIT_OPTIONAL_LOCKS", allowed);
    }
    command.args(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]);
    command.args(["--ignore-submodules=none"]);
    let output = command.output().map_err(|error| cannot_start(&error))?;
    if !output.status.success() {
        let said = plain(&String::from_utf8_lossy(&output.stderr));
        return Err(Unavailable::new(
            format!("git status failed in {}: {said}", root.display()),
            "git status",
        ));
    }
    let entries = output.stdout.split(|byte| *byte == 0).filter(|entry| entry.len() > 3);
    Ok(entries.map(|entry| ([entry[0], entry[1]], entry[3..].to_vec())).collect())
}

/// Runs a git to its end, for so long at the most. `input`: what it has as standard input.
///
/// # Errors
/// It cannot be started, or did not end in time.
pub fn run(mut command: Command, input: Option<File>, limit: Duration) -> Result<CommandOutput, Error> {
    let input = input.map_or_else(Stdio::null, Stdio::from);
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
    let mut pipes = Pipes::of(&mut child);
    // An ssh that goes on in the background may keep standard error open for hours, never the output.
    let ended = if pipes.read_output(limit) { pipes.wait(&mut child, limit) } else { None };
    let Some(ok) = ended else {
        end_tree(child.id());
        let _ = child.kill();
        let _ = child.wait();
        return Err(Unavailable::new(
            format!("git did not answer within {} s", limit.as_secs()),
            "check the network and the remote, then try again",
        )
        .into());
    };
    let (raw, errors) = pipes.finish(Duration::from_millis(200));
    Ok(CommandOutput {
        ok,
        stdout: String::from_utf8_lossy(&raw).into_owned(),
        stdout_bytes: raw,
        stderr: String::from_utf8_lossy(&errors).into_owned(),
    })
}
