//! A second name of the program beside the scripts, so that the system starts it for them without a
//! shell between: the scripts' first line names it.
//!
//! It is a hard link and no copy: it costs no room, and whether it still is the installed program shows by
//! one look at each. Where there can be none (another file system, a program of another user, a wrapper
//! written for a shell, a path that no first line holds) the scripts are started by the shell, and
//! do the same.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::os::{bytes_of, is_same, is_same_file, may_run};
use super::places::Places;
use super::scripts::{binary_of, hook_of, is_configured};
use lane_core::error::Error;
use lane_core::facts::Unavailable;

/// What `git-lane-hook --version` says, and `git-lane --version` with the same number.
pub const VERSION: &str = concat!("git-lane-hook ", env!("CARGO_PKG_VERSION"));

/// The program for the hooks alone, beside the one that does everything.
const HOOKS_ALONE: &str = "git-lane-hook";

/// The absolute path of this program: what scripts and harnesses are to start.
///
/// # Errors
/// The system does not tell it.
pub fn own_path() -> Result<PathBuf, Error> {
    let path = std::env::current_exe().map_err(|error| {
        Error::usage(
            format!("the path of git-lane could not be determined: {error}"),
            "run it by its full path",
        )
    })?;
    Ok(kept_path(&path).unwrap_or(path))
}

/// The path that stays at an upgrade by Homebrew, which keeps each version in a folder of its own,
/// `<prefix>/Cellar/<formula>/<version>`, removes the older ones, and has `<prefix>/opt/<formula>` lead to the newest.
fn kept_path(path: &Path) -> Option<PathBuf> {
    let cellar = path.ancestors().find(|folder| folder.ends_with("Cellar"))?;
    let mut below = path.strip_prefix(cellar).ok()?.components();
    let formula = below.next()?;
    below.next()?; // the version
    let kept = cellar.with_file_name("opt").join(formula).join(below.as_path());
    is_same_file(&kept, path).then_some(kept)
}

/// The command that installs git-lane again and renews the hooks, for a program that is gone from a path: that of the
/// package manager that has it there, where the path says so.
pub(crate) fn way_back(path: &Path) -> Option<&'static str> {
    let is_below = |folder: &str| path.components().any(|part| part.as_os_str() == folder);
    let known = [
        ("node_modules", "npx --yes git-lane install"),
        ("uv", "uvx git-lane install"),
        ("pipx", "pipx run git-lane install"),
    ];
    known.into_iter().find_map(|(folder, command)| is_below(folder).then_some(command))
}

/// What is to start the hooks of an installed program: see [`starting`].
pub(crate) fn starter(binary: &Path) -> PathBuf {
    fs::metadata(binary).map_or_else(|_| binary.to_owned(), |data| starting(binary, data).0)
}

/// How much older the program for hooks may be and still have come with the other one: installers of wheels and of npm's
/// packages write the files of a package side by side, in no certain order.
const TOGETHER: Duration = Duration::from_secs(5);

/// The program for hooks alone, if it lies beside the installed one and was put there with it or later, else the
/// installed one itself; and what the system says of it. `data`: of the installed one.
fn starting(binary: &Path, data: Metadata) -> (PathBuf, Metadata) {
    let beside = |path: &Path| {
        let other = path.with_file_name(HOOKS_ALONE);
        let found = fs::metadata(&other).ok()?;
        let is_newer = found.modified().ok()?.checked_add(TOGETHER)? >= data.modified().ok()?;
        (is_newer && may_run(&found)).then_some((other, found))
    };
    let linked =
        || fs::canonicalize(binary).ok().filter(|path| path != binary).and_then(|path| beside(&path));
    beside(binary).or_else(linked).unwrap_or_else(|| (binary.to_owned(), data))
}

/// Whether a program for hooks alone is of this version.
fn is_current(starter: &Path) -> bool {
    let said = Command::new(starter).arg("--version").stdin(Stdio::null()).output();
    said.is_ok_and(|said| said.status.success() && said.stdout.trim_ascii() == VERSION.as_bytes())
}

/// The word before the script's path in its first line.
pub const WORD: &str = "hook-script";

/// The longest first line that every system reads whole (Linux before 5.1: 127 bytes).
const LONGEST: usize = 127;

/// The first line of a script that the program starts; `None` if it cannot be written as one.
pub(crate) fn first_line(program: &Path) -> Option<Vec<u8>> {
    let path = bytes_of(program);
    let line = [b"#!", path.as_slice(), b" ", WORD.as_bytes()].concat();
    let is_one_word = !path.iter().any(u8::is_ascii_whitespace);
    (lane_os::HAS_FIRST_LINES && is_one_word && line.len() <= LONGEST).then_some(line)
}

/// The program that the first line of a script names, if that is no shell.
pub(crate) fn started_by(script: &[u8]) -> Option<PathBuf> {
    let line = script.split(|byte| *byte == b'\n').next()?;
    let path = line.strip_prefix(b"#!")?.strip_suffix(WORD.as_bytes())?.strip_suffix(b" ")?;
    Some(super::os::path_of(path))
}

/// Gives the program its second name, or sees that it has it. `None` where it cannot have one.
pub(crate) fn link_starter(places: &Places, binary: &Path) -> Option<PathBuf> {
    let program = places.program.clone();
    first_line(&program)?;
    let starter = Some(starter(binary)).filter(|starter| starter != binary && is_current(starter));
    let starter = starter.as_deref().unwrap_or(binary);
    if is_same_file(&program, starter) {
        return Some(program);
    }
    // Not every system starts a script by a script.
    let mut start = [0; 2];
    File::open(starter).and_then(|mut file| file.read_exact(&mut start)).ok()?;
    if start == *b"#!" {
        return None;
    }
    let folder = program.parent()?;
    let beside = folder.join(format!(".git-lane.{}", std::process::id()));
    let linked = || {
        fs::create_dir_all(folder)?;
        fs::hard_link(fs::canonicalize(starter)?, &beside)?;
        fs::rename(&beside, &program)
    };
    let is_linked = linked().is_ok() && is_same_file(&program, starter);
    let _ = fs::remove_file(&beside); // there only if it was not renamed
    is_linked.then_some(program)
}

/// Takes the second name away. Scripts that are left are started by nothing then: they go first.
pub(crate) fn remove(places: &Places) {
    let _ = fs::remove_file(&places.program);
    if let Some(folder) = places.program.parent() {
        let _ = fs::remove_dir(folder);
    }
}

/// Who does what a script asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum RunningProgram {
    /// This process.
    This,
    /// The program that is installed now; this one is of an earlier installation.
    Other(PathBuf),
}

/// What a script of ours asks for.
#[derive(Debug)]
pub struct Script {
    /// The hook, as git has it.
    pub name: &'static str,
    /// git's configuration names this script, and no folder of hooks.
    pub is_configured: bool,
    /// Who does it.
    pub starts: RunningProgram,
    /// The program that the script names, if that is not there: then its second name does its work.
    pub gone: Option<PathBuf>,
}

/// What a script, started by its first line, is to do.
///
/// # Errors
/// The script cannot be read, or is none of ours.
pub fn resolve(script: &OsStr) -> Result<Script, Error> {
    let path = Path::new(script);
    let blocked =
        |reason: String| Unavailable::new(reason, "Install git-lane again, then run: git lane install");
    let text =
        fs::read(path).map_err(|error| blocked(format!("{} cannot be read: {error}", path.display())))?;
    let (Some(name), Some(binary)) = (hook_of(&text), binary_of(&text)) else {
        return Err(blocked(format!("{} is not a script of git-lane", path.display())).into());
    };
    let is_configured = is_configured(&text);
    let Some(installed) = fs::metadata(&binary).ok().filter(may_run) else {
        // This is the program that was installed, by its second name.
        return Ok(Script { name, is_configured, starts: RunningProgram::This, gone: Some(binary) });
    };
    let look = |path: PathBuf| fs::metadata(&path).map(|data| (path, data));
    let is_this = std::env::current_exe().and_then(look).is_ok_and(|(this, data)| {
        let is = |other: &Path, of: &Metadata| is_same((&this, &data), (other, of));
        is(&binary, &installed) || {
            let (starter, data) = starting(&binary, installed);
            is(&starter, &data)
        }
    });
    let starts = if is_this { RunningProgram::This } else { RunningProgram::Other(binary) };
    Ok(Script { name, is_configured, starts, gone: None })
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, first_line, kept_path, started_by, way_back};
    use std::path::{Path, PathBuf};

    #[test]
    #[cfg(unix)]
    fn a_first_line_holds_one_word_of_a_length() {
        let program = Path::new("/r/.git/lane/bin/git-lane");
        let line = first_line(program).expect("fits");
        assert_eq!(line, b"#!/r/.git/lane/bin/git-lane hook-script");
        assert_eq!(started_by(&[&line, &b"\n# x\n"[..]].concat()).as_deref(), Some(program));
        assert_eq!(first_line(Path::new("/a b/git-lane")), None);
        assert_eq!(first_line(Path::new("/a\nb/git-lane")), None);
        let room = LONGEST - "#!/ hook-script".len();
        assert!(first_line(&PathBuf::from(format!("/{}", "x".repeat(room)))).is_some());
        assert!(first_line(&PathBuf::from(format!("/{}", "x".repeat(room + 1)))).is_none());
    }

    #[test]
    #[cfg(unix)]
    fn homebrew_has_a_path_that_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (version, opt) = (folder.path().join("Cellar/git-lane/0.1.0"), folder.path().join("opt"));
        let program = version.join("bin/git-lane");
        std::fs::create_dir_all(version.join("bin")).expect("written");
        std::fs::create_dir(&opt).expect("written");
        std::fs::write(&program, "").expect("written");
        assert_eq!(kept_path(&program), None, "where it leads nowhere");
        std::os::unix::fs::symlink(&version, opt.join("git-lane")).expect("written");
        assert_eq!(kept_path(&program), Some(opt.join("git-lane/bin/git-lane")));
        assert_eq!(kept_path(&folder.path().join("bin/git-lane")), None);
    }

    #[test]
    fn the_way_back_is_that_of_the_package_manager() {
        for (path, command) in [
            ("/p/node_modules/@git-lane/linux-x64/bin/git-lane", Some("npx --yes git-lane install")),
            ("/h/.cache/uv/archive-v0/x/bin/git-lane", Some("uvx git-lane install")),
            ("/h/.local/share/pipx/venvs/git-lane/bin/git-lane", Some("pipx run git-lane install")),
            ("/usr/bin/git-lane", None),
        ] {
            assert_eq!(way_back(Path::new(path)), command, "{path}");
        }
    }

    #[test]
    fn a_shell_is_no_program_of_ours() {
        assert_eq!(started_by(b"#!/bin/sh\n# git-lane hook x\n"), None);
        assert_eq!(started_by(b""), None);
    }
}
