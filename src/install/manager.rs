//! Hook managers that others installed, told by what they leave behind.

use std::io::Read;
use std::path::Path;

/// What to look for in a hook, and whose it is.
const SIGNS: [(&str, &str); 6] = [
    ("lefthook", "lefthook"),
    ("pre-commit.com", "pre-commit"),
    ("husky", "husky"),
    ("overcommit", "overcommit"),
    ("simple-git-hooks", "simple-git-hooks"),
    ("git-lfs", "git-lfs"),
];

/// The manager of these hooks, if it is a known one.
pub(super) fn recognise(folder: &Path, names: &[&str]) -> Option<&'static str> {
    if folder.components().any(|part| part.as_os_str() == ".husky") {
        return Some("husky");
    }
    names.iter().find_map(|name| {
        let mut text = Vec::new();
        std::fs::File::open(folder.join(name)).ok()?.take(4096).read_to_end(&mut text).ok()?;
        let text = String::from_utf8_lossy(&text);
        SIGNS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, manager)| *manager)
    })
}
