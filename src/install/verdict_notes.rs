//! Which hooks have judged what, noted only where something stands between git and our scripts: a manager that runs them
//! under another name, or hooks from the configuration. So nobody is judged twice, and nobody is told that a hook is
//! missing which has run.

use std::fs::{self, Metadata};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustc_hash::FxHasher;

use lane_git::Layout;
use lane_git::state_file;

/// The folder of the notes below the common git folder.
pub(super) const NOTES: &str = "lane/ran";

/// What was noted of one hook.
#[derive(Debug, Default, PartialEq, Eq)]
struct Note {
    /// What the file is known by that runs ours.
    runner: String,
    /// What was judged last.
    subject: String,
}

/// What a hook judges, in few bytes: other values, another subject.
#[derive(Default)]
pub struct Subject(FxHasher);

impl Subject {
    /// Of bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.write(bytes);
        self.0.write_u8(0xff);
        self
    }

    /// Of a file as the system knows it: who changes it, changes that.
    pub fn file(self, path: &Path) -> Self {
        let known_by = known_by(path);
        self.bytes(known_by.as_bytes())
    }

    fn text(&self) -> String {
        format!("{:016x}", self.0.finish())
    }
}

fn known_by(path: &Path) -> String {
    fs::metadata(path).map(|data| lane_os::stamp(&data)).unwrap_or_default()
}

fn path_of(layout: &Layout, name: &str) -> PathBuf {
    layout.common_dir.join(NOTES).join(name)
}

fn read(layout: &Layout, name: &str) -> Note {
    let text = fs::read_to_string(path_of(layout, name)).unwrap_or_default();
    let mut lines = text.lines().map(str::to_owned);
    Note { runner: lines.next().unwrap_or_default(), subject: lines.next().unwrap_or_default() }
}

fn write(layout: &Layout, name: &str, note: &Note) {
    let path = path_of(layout, name);
    let Some(folder) = path.parent().filter(|folder| folder.parent().is_some_and(Path::is_dir)) else {
        return; // nothing is installed
    };
    // Without a note there is one judgement more, and nothing else.
    if fs::create_dir_all(folder).is_ok() {
        let _ = state_file::replace(&path, format!("{}\n{}\n", note.runner, note.subject).as_bytes());
    }
}

/// Notes that a hook has judged this.
pub fn has_judged(layout: &Layout, name: &str, subject: &Subject) {
    let note = Note { subject: subject.text(), ..read(layout, name) };
    write(layout, name, &note);
}

/// Whether a hook has judged this last.
pub fn is_judged(layout: &Layout, name: &str, subject: &Subject) -> bool {
    read(layout, name).subject == subject.text()
}

/// For how long a hook takes the word of another one for what both of them are started for.
const FRESH: Duration = Duration::from_secs(60);

fn pending_name(name: &str) -> String {
    format!("before-{name}")
}

/// Notes what was judged for the hook of ours that the same git, or what stands in its place, starts next.
pub fn note_for_next_hook(layout: &Layout, name: &str, subject: &Subject) {
    has_judged(layout, &pending_name(name), subject);
}

/// Whether that was judged a moment ago. It is true once: what is tried again is judged again.
pub fn is_judged_before(layout: &Layout, name: &str, subject: &Subject) -> bool {
    let path = path_of(layout, &pending_name(name));
    let age = |data: Metadata| data.modified().ok()?.elapsed().ok();
    let Some(age) = fs::metadata(&path).ok().and_then(age) else {
        return false;
    };
    let is_it = age < FRESH && is_judged(layout, &pending_name(name), subject);
    let _ = fs::remove_file(&path);
    is_it
}

/// Notes that a hook is about to be run by what stands where our script was.
pub fn is_seen(layout: &Layout, name: &str, runner: &Path) {
    has_judged(layout, &format!("seen-{name}"), &Subject::default().file(runner));
}

/// Whether what stands where our script was has had its turn since it was written.
pub fn was_seen(layout: &Layout, name: &str, runner: &Path) -> bool {
    is_judged(layout, &format!("seen-{name}"), &Subject::default().file(runner))
}

/// Notes that a file runs our script.
pub fn is_run_by(layout: &Layout, name: &str, runner: &Path) {
    let before = read(layout, name);
    let runner = known_by(runner);
    if before.runner != runner {
        write(layout, name, &Note { runner, ..before });
    }
}

/// Whether a file has run our script since it was written.
pub fn runs_ours(layout: &Layout, name: &str, runner: &Path) -> bool {
    let known_by = known_by(runner);
    !known_by.is_empty() && read(layout, name).runner == known_by
}

/// Takes the notes away.
pub(super) fn forget(common: &Path) {
    let _ = fs::remove_dir_all(common.join(NOTES));
}
