//! The scripts: what they say, which there are, and putting them in place.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::os::{
    bytes_of, is_absent, is_executable, make_executable, may_run, path_of, read, unreadable, unwritable,
};
use super::places::Places;
use super::program::{first_line, way_back};
use lane_core::error::Error;
use lane_core::hooks::{self, HOOKS};

const TEMPLATE: &str = include_str!("../../hooks/hook.sh");
const PORTABLE: &str = include_str!("../../hooks/portable-hook.sh");
const SERVER: &str = include_str!("../../hooks/server-hook.sh");

/// The first line of a script that the shell starts.
const SHELL: &[u8] = b"#!/bin/sh";

/// What every script of ours has in its second line.
const MARKER: &[u8] = b"# git-lane hook ";

/// What finds a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `core.hooksPath`.
    Folder,
    /// The same where the repository lies elsewhere than at the installation.
    Portable,
    /// git's configuration: git 2.54 and newer.
    Configured,
}

/// The script of one hook. `program`: the second name of the binary, if the script can be started by it.
pub(crate) fn render(kind: Kind, name: &str, binary: &Path, program: Option<&Path>) -> Vec<u8> {
    let (template, words, part) = match kind {
        Kind::Folder => (TEMPLATE, "", ""),
        Kind::Configured => (TEMPLATE, "configured ", "--configured"),
        Kind::Portable => return with_binary(&PORTABLE.replace("@NAME@", name), binary),
    };
    let text = template.replace("@NAME@", name).replace("@KIND@", words).replace("@PART@", part);
    let again = way_back(binary).map_or_else(
        || "Install git-lane again, then run: git lane install".to_owned(),
        |command| format!("Install git-lane again and renew the hooks: {command}"),
    );
    let text = text.replace("@AGAIN@", &again);
    let script = with_binary(&text, binary);
    match program.and_then(first_line) {
        Some(line) => [line.as_slice(), script.strip_prefix(SHELL).unwrap_or(&script)].concat(),
        None => script,
    }
}

/// The script of one hook of a server. `flags`: nothing, or ` --pass` or ` --alone`.
pub(crate) fn render_server(name: &str, binary: &Path, flags: &str) -> Vec<u8> {
    with_binary(&SERVER.replace("@NAME@", name).replace("@FLAGS@", flags), binary)
}

fn with_binary(text: &str, binary: &Path) -> Vec<u8> {
    let (head, tail) = text.split_once("@BINARY@").unwrap_or((text, ""));
    [head.as_bytes(), &quote(&bytes_of(binary)), tail.as_bytes()].concat()
}

/// One word of a shell, whatever bytes it has.
fn quote(bytes: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend(br"'\''"),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// The program that a script of ours starts.
pub(crate) fn binary_of(script: &[u8]) -> Option<PathBuf> {
    let at = find(script, b"\nlane='")? + b"\nlane='".len();
    let end = at + find(&script[at..], b"'\nif ")?;
    let mut bytes = Vec::new();
    let mut rest = &script[at..end];
    while let Some(quote) = find(rest, br"'\''") {
        bytes.extend(&rest[..quote]);
        bytes.push(b'\'');
        rest = &rest[quote + 4..];
    }
    bytes.extend(rest);
    Some(path_of(&bytes))
}

fn find(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}

/// So many bytes hold a first line of any length, and the marker.
const START: usize = 192;

/// Whether a file is a script of ours, of any form.
pub(crate) fn is_ours(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|file| has_marker(&file))
}

/// Whether a script is ours and git would run it, told by one look.
pub(super) fn is_ours_to_run(path: &Path) -> bool {
    fs::File::open(path)
        .is_ok_and(|file| file.metadata().is_ok_and(|data| may_run(&data)) && has_marker(&file))
}

fn has_marker(file: &fs::File) -> bool {
    // The marker stands in the second line, behind a path that the system takes for a first one.
    let mut start = Vec::with_capacity(START);
    file.take(START as u64).read_to_end(&mut start).is_ok() && bears_marker(&start)
}

/// Whether a text is a script of ours, of any form.
pub(crate) fn bears_marker(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').nth(1).is_some_and(|line| line.starts_with(MARKER))
}

/// The hook that a script of ours is for. It says so itself: hook managers keep it under other names, such as
/// `pre-commit.legacy`, and run it by those.
pub(crate) fn hook_of(script: &[u8]) -> Option<&'static str> {
    let line = script.split(|byte| *byte == b'\n').nth(1)?.strip_prefix(MARKER)?;
    let name = line.split(|byte| *byte == b' ').next()?;
    HOOKS.iter().map(|hook| hook.name).find(|known| known.as_bytes() == name)
}

/// Whether a script of ours is one that the configuration names.
pub(crate) fn is_configured(script: &[u8]) -> bool {
    let line = script.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    find(line, b" (configured ").is_some()
}

/// The names of the hooks in a folder that git would run.
pub(crate) fn hooks_in(folder: &Path) -> Vec<&'static str> {
    hooks::names(|hook| is_executable(&folder.join(hook.name)))
}

/// The scripts of ours that are in a folder, by name, and their texts.
pub(crate) fn present(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(text) = path.is_file().then(|| read(&path)).transpose()?.flatten()
            && bears_marker(&text)
        {
            found.push((name, text));
        }
    }
    found.sort();
    Ok(found)
}

/// A file written beside its place.
pub(crate) struct StagedScript {
    temporary: PathBuf,
    target: PathBuf,
    kept: Option<PathBuf>,
}

/// Writes the scripts that are missing or differ, each beside its place in a folder of ours.
pub(crate) fn stage(
    places: &Places,
    folder: &Path,
    texts: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<StagedScript>, Error> {
    let mut staged = Vec::new();
    for (name, text) in texts {
        let target = folder.join(name);
        let present = read(&target)?;
        if present.as_ref() == Some(text) && is_executable(&target) {
            continue;
        }
        let is_foreign = present.is_some_and(|present| !bears_marker(&present));
        let kept = is_foreign.then(|| places.backup.join(name));
        staged.push(StagedScript::write(target, text, kept, make_executable)?);
    }
    Ok(staged)
}

/// Writes a file that is missing or differs beside its place.
pub(crate) fn stage_file(target: &Path, text: &[u8]) -> Result<Option<StagedScript>, Error> {
    if read(target)?.as_deref() == Some(text) {
        return Ok(None);
    }
    StagedScript::write(target.to_owned(), text, None, |_| Ok(())).map(Some)
}

impl StagedScript {
    fn write(
        target: PathBuf,
        text: &[u8],
        kept: Option<PathBuf>,
        set_mode: impl Fn(&fs::File) -> std::io::Result<()>,
    ) -> Result<Self, Error> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let temporary = target.with_file_name(format!(".{name}.{}", std::process::id()));
        let staged = Self { temporary, target, kept };
        let write = || {
            staged.target.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).open(&staged.temporary)?;
            file.write_all(text)?;
            set_mode(&file)?;
            file.sync_all()
        };
        write().map_err(|error| unwritable(&staged.temporary, &error))?;
        Ok(staged)
    }

    /// Puts the file in its place; gives the place where a stranger's file went.
    pub fn commit(self) -> Result<Option<PathBuf>, Error> {
        if let Some(kept) = &self.kept {
            self.keep(kept).map_err(|error| unwritable(kept, &error))?;
        }
        fs::rename(&self.temporary, &self.target).map_err(|error| unwritable(&self.target, &error))?;
        Ok(self.kept.clone())
    }

    /// Gives the stranger's file a second name, so that at no instant neither of the two is there.
    fn keep(&self, kept: &Path) -> std::io::Result<()> {
        if let Some(folder) = kept.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut number = 0;
        while kept.exists() {
            number += 1;
            let older = kept.with_extension(number.to_string());
            if !older.exists() {
                fs::rename(kept, older)?;
            }
        }
        fs::hard_link(&self.target, kept)
    }
}

impl Drop for StagedScript {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary); // gone already when it was put in place
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, bears_marker, binary_of, hook_of, is_configured, render};
    use std::path::Path;

    #[test]
    fn the_binary_is_read_back() {
        for path in ["/usr/bin/git-lane", "/o'k/a b/$x`y\"\\/git-lane", "/new\nline/'"] {
            let kinds = [Kind::Folder, Kind::Portable, Kind::Configured];
            let programs = [None, Some(Path::new("/r/.git/lane/bin/git-lane"))];
            for (kind, program) in kinds.into_iter().flat_map(|kind| programs.map(|program| (kind, program)))
            {
                let script = render(kind, "pre-commit", Path::new(path), program);
                assert!(bears_marker(&script));
                assert_eq!(binary_of(&script).as_deref(), Some(Path::new(path)));
                assert_eq!(hook_of(&script), Some("pre-commit"));
                assert_eq!(is_configured(&script), kind == Kind::Configured);
            }
        }
        assert_eq!(hook_of(b"#!/bin/sh\n# git-lane hook pre-nothing (form 1)\n"), None);
        assert_eq!(hook_of(b"#!/bin/sh\n# other\n"), None);
    }
}
