//! The configuration, as git-config(1) lists it.

use super::process::Git;
use crate::repository::Read;

/// All keys and values, lowest scope first.
pub(super) struct Config {
    entries: Vec<(String, String)>,
}

impl Config {
    /// Reads all of it but what `git -c` set: whoever is judged types that.
    ///
    /// # Errors
    /// It has mistakes.
    pub fn read(git: &Git) -> Read<Self> {
        let listed = git.run(&["config", "-z", "--show-scope", "--list"])?.ok("the configuration")?;
        Ok(Self { entries: entries(&listed) })
    }

    /// All values of a key.
    pub fn values(&self, key: &str) -> Vec<String> {
        let key = normal(key);
        self.entries.iter().filter(|(name, _)| *name == key).map(|(_, value)| value.clone()).collect()
    }

    /// Whether a remote has promised to have what is not here.
    pub fn is_partial(&self) -> bool {
        self.entries.iter().any(|(name, value)| {
            let is_promisor = name.starts_with("remote.") && name.ends_with(".promisor") && value != "false";
            is_promisor || name == "extensions.partialclone"
        })
    }
}

/// Whether any key is set, on no command line, that a regular expression finds.
pub(super) fn has(git: &Git, pattern: &str) -> Read<bool> {
    let ran = git.run(&["config", "-z", "--show-scope", "--get-regexp", pattern])?;
    match ran.code {
        Some(1) => Ok(false),
        _ => Ok(!entries(&ran.ok("the configuration")?).is_empty()),
    }
}

/// `<scope> NUL <key> [LF <value>] NUL` …
fn entries(listed: &[u8]) -> Vec<(String, String)> {
    let mut words = listed.split(|byte| *byte == 0);
    let mut entries = Vec::new();
    while let (Some(scope), Some(entry)) = (words.next(), words.next()) {
        if scope == b"command" {
            continue;
        }
        let entry = String::from_utf8_lossy(entry);
        // A key alone is git's short form of `true`.
        let (key, value) = entry.split_once('\n').unwrap_or((&entry, "true"));
        entries.push((key.to_owned(), value.to_owned()));
    }
    entries
}

/// Section and name in lower case, the middle as it is.
fn normal(key: &str) -> String {
    match (key.find('.'), key.rfind('.')) {
        (Some(first), Some(last)) => {
            key[..first].to_ascii_lowercase() + &key[first..last] + &key[last..].to_ascii_lowercase()
        }
        _ => key.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed() {
        let listed = b"local\0core.hookspath\na\0local\0core.bare\0worktree\0branch.A.b.merge\nx\ny\0command\0lane.base\nz\0";
        let config = Config { entries: entries(listed) };
        assert_eq!(config.values("core.hooksPath"), ["a"]);
        assert_eq!(config.values("Core.Bare"), ["true"]);
        assert_eq!(config.values("branch.A.b.Merge"), ["x\ny"]);
        assert!(config.values("branch.a.b.merge").is_empty() && config.values("lane.base").is_empty());
    }
}
