//! The hooks that were there before, run after ours as git would have run them.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::os::is_executable;
use super::places::previous_folder;
use super::scripts::is_ours;
use lane_core::error::Error;
use lane_core::hooks;
use lane_git::Layout;

/// The hook that git would run if ours were not there. `hooks_paths`: all values of
/// `core.hooksPath`, lowest scope first.
pub fn previous_hook(hooks_paths: &[String], layout: &Layout, name: &str) -> Option<PathBuf> {
    let path = previous_folder(hooks_paths, layout).join(name);
    // Ours may have been copied there by hand: running it would never end.
    (is_executable(&path) && !is_ours(&path)).then_some(path)
}

/// All hooks to run after ours: the previous one, then one that another program wrote over ours.
pub fn previous_hooks(hooks_paths: &[String], layout: &Layout, name: &str) -> Vec<PathBuf> {
    let kept = layout.common_dir.join("lane/kept").join(name);
    let kept = is_executable(&kept).then_some(kept);
    previous_hook(hooks_paths, layout, name).into_iter().chain(kept).collect()
}

/// Tells a hook that runs after ours that it does: one that asks git-lane itself would be started by that again, without end.
const AFTER: &str = "LANE_AFTER";

/// One hook of one repository, for the hooks that are run after it.
#[derive(Debug)]
pub struct Turn(OsString);

impl Turn {
    /// The turn of a hook; `None` where it is asked by a hook that is run after it already.
    pub fn begin(layout: &Layout, name: &str) -> Option<Self> {
        let mut turn = OsString::from(format!("{name} "));
        turn.push(&layout.common_dir);
        (std::env::var_os(AFTER).as_ref() != Some(&turn)).then_some(Self(turn))
    }
}

/// Whether git gives this hook something on standard input.
fn reads_input(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(hooks::find).is_some_and(|hook| hook.reads_input)
}

/// Runs hooks one after another until one refuses. The last of them takes this process's place
/// where it can.
///
/// # Errors
/// A hook cannot be started.
pub fn run_all(hooks: &[PathBuf], args: &[OsString], stdin: Option<&[u8]>, turn: &Turn) -> Result<u8, Error> {
    let mut input = Vec::new();
    let mut stdin = stdin;
    if stdin.is_none() && hooks.len() > 1 && hooks.first().is_some_and(|hook| reads_input(hook)) {
        let read = std::io::Read::read_to_end(&mut std::io::stdin(), &mut input);
        read.map_err(|error| super::os::unreadable(Path::new("standard input"), &error))?;
        stdin = Some(&input);
    }
    for (at, hook) in hooks.iter().enumerate() {
        let is_last = at + 1 == hooks.len();
        let code = match stdin {
            None if !is_last => {
                with_shell(hook, args, Some(turn), |command| command.status()).map(lane_os::code_of)
            }
            _ => run_previous(hook, args, stdin, Some(turn)),
        }?;
        if code != 0 || is_last {
            return Ok(code);
        }
    }
    Ok(0)
}

/// Runs a hook with the environment that git gave. With nothing to replay it takes this process's
/// place and its standard input; or else it is fed what was read, and its exit code is passed on.
///
/// # Errors
/// It cannot be started.
pub fn run_previous(
    path: &Path,
    args: &[OsString],
    stdin: Option<&[u8]>,
    turn: Option<&Turn>,
) -> Result<u8, Error> {
    match stdin {
        None => replace(path, args, turn),
        Some(bytes) => with_shell(path, args, turn, |command| feed(command, bytes)).map(lane_os::code_of),
    }
}

fn replace(path: &Path, args: &[OsString], turn: Option<&Turn>) -> Result<u8, Error> {
    with_shell(path, args, turn, |command| Err(lane_os::replace(command)))
}

/// What the system says of a script without a first line that names its interpreter.
const NO_EXEC: i32 = 8;

/// Starts a hook, or the shell with it if the system does not know how: git does the same.
fn with_shell<T>(
    path: &Path,
    args: &[OsString],
    turn: Option<&Turn>,
    start: impl Fn(&mut Command) -> std::io::Result<T>,
) -> Result<T, Error> {
    let after = || turn.map(|Turn(turn)| (AFTER, turn));
    let result = match start(Command::new(path).args(args).envs(after())) {
        Err(error) if error.raw_os_error() == Some(NO_EXEC) => {
            start(Command::new("sh").arg(path).args(args).envs(after()))
        }
        result => result,
    };
    result.map_err(|error| {
        let shown = path.display();
        let help = if error.kind() == ErrorKind::NotFound {
            format!("the program named in its first line does not exist: head -n 1 {shown}")
        } else {
            format!("fix it, or make git ignore it: chmod -x {shown}")
        };
        lane_core::facts::Unavailable::new(format!("the hook {shown} could not be run: {error}"), help).into()
    })
}

fn feed(command: &mut Command, bytes: &[u8]) -> std::io::Result<ExitStatus> {
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook need not read what it is given: then the pipe breaks, and that is all right.
        let _ = stdin.write_all(bytes);
    }
    child.wait()
}
