//! What merges came to, kept in the common git folder: two commits merge as they did before as long as git is told the
//! same about merging.
//!
//! The first line says for what it holds. Then, for each pair, words that each end in a NUL: the two commits with a space
//! between them, the number of files, and for each file its path and how it conflicts, one kind on a line.

use std::collections::HashMap;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use rustc_hash::FxHasher;

use super::{Clash, Forecast};
use lane_core::facts::{Oid, RepoPath};
use lane_git::{Repository, state_file};

/// The file, in the common git folder.
pub const KEPT: &str = "lane/merges";
/// How many bytes it may have.
const MOST: usize = 16 << 20;
/// What of git's configuration says how it merges.
const KEYS: [&str; 8] = [
    "merge.renames",
    "merge.directoryRenames",
    "merge.renameLimit",
    "merge.renormalize",
    "merge.default",
    "diff.renames",
    "diff.renameLimit",
    "core.attributesFile",
];

/// Merges that were tried before.
pub(super) struct KeptMerges {
    path: PathBuf,
    head: String,
    found: HashMap<(Oid, Oid), Forecast>,
}

impl KeptMerges {
    /// Those of a repository, whose worktree `root` is. `None` where nothing is kept: a driver of one's own may merge as it
    /// likes, and where git-lane has no folder yet it makes none.
    pub fn open(repo: &dyn Repository, root: &Path) -> Option<Self> {
        let path = repo.layout().common_dir.join(KEPT);
        if !path.parent()?.is_dir() || repo.has_config(r"^merge\..*\.driver$").unwrap_or(true) {
            return None;
        }
        let head = head(repo, root)?;
        let bytes = state_file::read_file(&path, MOST as u64).unwrap_or_default();
        let found = bytes.strip_prefix(head.as_bytes()).map(read).unwrap_or_default();
        Some(Self { path, head, found })
    }

    /// What a pair came to.
    pub fn get(&self, pair: (Oid, Oid)) -> Option<&Forecast> {
        self.found.get(&pair)
    }

    /// Keeps what was found now, and of what was known before as much as there is room for.
    pub fn save(mut self, pairs: &[(Oid, Oid)], forecasts: &[Forecast]) {
        let mut bytes = self.head.into_bytes();
        for (pair, forecast) in pairs.iter().zip(forecasts) {
            self.found.remove(pair);
            write(&mut bytes, *pair, forecast);
        }
        for (pair, forecast) in self.found {
            write(&mut bytes, pair, &forecast);
        }
        if let Err(error) = state_file::replace(&self.path, &bytes) {
            log::debug!("what the merges came to was not kept: {error}");
        }
    }
}

/// For what it holds: this program, and all that git is told about merging.
fn head(repo: &dyn Repository, root: &Path) -> Option<String> {
    let mut hasher = FxHasher::default();
    let mut files = vec![root.join(".gitattributes"), repo.layout().common_dir.join("info/attributes")];
    for key in KEYS {
        let values = repo.config(key).ok()?;
        if key == "core.attributesFile" {
            files.extend(values.iter().map(PathBuf::from));
        }
        values.hash(&mut hasher);
    }
    for file in files {
        fs::read(file).unwrap_or_default().hash(&mut hasher);
    }
    Some(format!("git-lane {} merges 1 {:016x}\n", env!("CARGO_PKG_VERSION"), hasher.finish()))
}

fn write(bytes: &mut Vec<u8>, (one, two): (Oid, Oid), forecast: &Forecast) {
    let files: &[Clash] = match forecast {
        Forecast::Clean => &[],
        Forecast::Conflicts(files) => files,
        Forecast::Unknown(_) => return,
    };
    let mut words = format!("{one} {two}\0{}\0", files.len()).into_bytes();
    for file in files {
        words.extend_from_slice(&file.path.0);
        words.push(0);
        words.extend_from_slice(file.kinds.join("\n").as_bytes());
        words.push(0);
    }
    if bytes.len() + words.len() <= MOST {
        bytes.append(&mut words);
    }
}

/// As far as it can be read.
fn read(bytes: &[u8]) -> HashMap<(Oid, Oid), Forecast> {
    let end = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(0);
    let mut words = bytes[..end].split(|byte| *byte == 0);
    let mut found = HashMap::new();
    while let Some((pair, forecast)) = entry(&mut words) {
        found.insert(pair, forecast);
    }
    found
}

fn entry<'b>(words: &mut impl Iterator<Item = &'b [u8]>) -> Option<((Oid, Oid), Forecast)> {
    let text = |word: &'b [u8]| std::str::from_utf8(word).ok();
    let (one, two) = text(words.next()?)?.split_once(' ')?;
    let pair = (Oid::from_hex(one)?, Oid::from_hex(two)?);
    let count: usize = text(words.next()?)?.parse().ok()?;
    let mut files = Vec::with_capacity(count.min(8));
    for _ in 0..count {
        let path = RepoPath(words.next()?.to_vec());
        let kinds = text(words.next()?)?.lines().map(str::to_owned).collect();
        files.push(Clash { path, kinds });
    }
    Some((pair, if files.is_empty() { Forecast::Clean } else { Forecast::Conflicts(files) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(digit: char) -> (Oid, Oid) {
        let oid = |digit: char| Oid::from_hex(&String::from(digit).repeat(40)).expect("an id");
        (oid(digit), oid('f'))
    }

    fn forecasts() -> Vec<((Oid, Oid), Forecast)> {
        let clash = |path: &[u8], kinds: &[&str]| Clash {
            path: RepoPath(path.to_vec()),
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        let files = vec![
            clash(b"a b\n\xff", &["contents"]),
            clash(b"c", &["distinct types", "modify/delete"]),
            clash(b"d", &[]),
        ];
        vec![
            (pair('1'), Forecast::Clean),
            (pair('2'), Forecast::Conflicts(files)),
            (pair('3'), Forecast::Clean),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        forecasts().iter().for_each(|(pair, forecast)| write(&mut bytes, *pair, forecast));
        assert_eq!(read(&bytes), forecasts().into_iter().collect());
        for cut in 0..bytes.len() {
            for (pair, forecast) in read(&bytes[..cut]) {
                assert!(forecasts().contains(&(pair, forecast)), "cut at {cut}");
            }
        }
    }
}
