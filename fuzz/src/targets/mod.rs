//! The targets. Each takes any bytes, and panics where the program gives another answer than somebody else does, or breaks what
//! has to hold for every input.

pub mod codeowners;
pub mod events;
pub mod harness;
pub mod index;
pub mod intersection;
pub mod messages;
pub mod patterns;
pub mod policy;
pub mod pushes;
pub mod records;
pub mod shell;

use std::path::Path;
use std::process::Command;
use std::sync::Once;

use lane_core::harness::shell::apart;
use tempfile::TempDir;

/// A folder for a repository, in memory where that is to be had.
fn scratch() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

/// A git in a folder, which nothing of this machine's configuration changes.
fn plain_git(git: &mut Command, folder: &Path) {
    git.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
}

/// A panic of the parser of shells is an answer, and no fault: its thread is given up.
fn without_parser_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !apart::is_here() {
                before(info);
            }
        }));
    });
}

/// What panics at an input that shows a fault.
type Target = fn(&[u8]);

/// A target's name, which its seeds have too, and what it runs.
pub const TARGETS: [(&str, Target); 11] = [
    ("codeowners", codeowners::run),
    ("events", events::run),
    ("harness", harness::run),
    ("index", index::run),
    ("intersection", intersection::run),
    ("messages", messages::run),
    ("patterns", patterns::run),
    ("policy", policy::run),
    ("pushes", pushes::run),
    ("records", records::run),
    ("shell", shell::run),
];
