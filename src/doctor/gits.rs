//! The gits that a shell, an editor and a script may each find.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Check;
use crate::install::os::is_executable;

const NAME: &str = "git";

/// Whether all gits on the path have one version.
pub(super) fn versions(path_var: Option<&OsStr>) -> Check {
    let mut gits: Vec<(PathBuf, PathBuf)> = Vec::new();
    for folder in path_var.map(std::env::split_paths).into_iter().flatten() {
        let git = folder.join(if cfg!(windows) { "git.exe" } else { "git" });
        if !folder.is_absolute() || !is_executable(&git) {
            continue;
        }
        let target = std::fs::canonicalize(&git).unwrap_or_else(|_| git.clone());
        if gits.iter().all(|(_, known)| *known != target) {
            gits.push((git, target));
        }
    }
    let mut found: Vec<(PathBuf, Option<String>)> = Vec::new();
    for (git, _) in gits {
        let version = version(&git);
        if found.iter().all(|(_, known)| *known != version) {
            found.push((git, version));
        }
    }
    let shown = |(path, version): &(PathBuf, Option<String>)| {
        let version = version.as_deref().unwrap_or("does not say its version");
        format!("{} ({version})", path.display())
    };
    match found.as_slice() {
        [] => Check::problem(NAME, "no git on PATH", "install git, or add its folder to PATH"),
        [one] => Check::ok(NAME, shown(one)),
        [first, ..] => Check::warning(
            NAME,
            format!(
                "several git versions are on PATH, so programs may use different ones: {}",
                found.iter().map(shown).collect::<Vec<_>>().join(", ")
            ),
            format!(
                "keep one, or put its folder first: export PATH=\"{}:$PATH\"",
                first.0.parent().unwrap_or(Path::new("")).display()
            ),
        ),
    }
}

fn version(git: &Path) -> Option<String> {
    let mut command = Command::new(git);
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null());
    // A hook's variables speak of another repository.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next()?.trim().trim_start_matches("git version ").to_owned())
}
