//! Refs below a prefix, of which a repository may have a hundred thousand others: gitrepository-layout(5), `refs` and
//! `packed-refs`. libgit2 reads all of them to list a few; here the file is searched by halves, as git does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lane_core::facts::Oid;

/// What a ref names: an object, or what is behind its tags where that is written down; `None`: another ref, or nothing that
/// can be read.
pub(crate) type Target = Option<Oid>;

/// The refs that all worktrees of a repository share.
#[derive(Debug, Default)]
pub(crate) struct RefStore {
    packed: Option<PackedRefs>,
}

#[derive(Debug)]
struct PackedRefs {
    /// What the file was when it was read.
    stamp: (u64, Option<SystemTime>),
    bytes: Vec<u8>,
    is_sorted: bool,
}

impl RefStore {
    /// All refs below a prefix, by their names, which begin with `refs/`.
    ///
    /// # Errors
    /// A folder or the file cannot be read, or the file is damaged.
    pub fn below(&mut self, common_dir: &Path, prefix: &str) -> io::Result<BTreeMap<Vec<u8>, Target>> {
        // What is packed while this reads moves from the folders to the file: so these come first.
        let mut loose = Vec::new();
        let folder = &prefix[..prefix.rfind('/').map_or(0, |at| at + 1)];
        walk(&common_dir.join(folder), folder.as_bytes(), &mut loose)?;
        loose.retain(|(name, _)| name.starts_with(prefix.as_bytes()));
        let mut found = BTreeMap::new();
        if let Some(packed) = self.packed(&common_dir.join("packed-refs"))? {
            packed.below(prefix.as_bytes(), |name, target| {
                found.insert(name.to_vec(), target);
            })?;
        }
        for (name, file) in loose {
            if let Some(target) = target(&file)? {
                found.insert(name, target);
            }
        }
        Ok(found)
    }

    fn packed(&mut self, path: &Path) -> io::Result<Option<&PackedRefs>> {
        let data = match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.packed = None;
                return Ok(None);
            }
            data => data?,
        };
        let stamp = (data.len(), data.modified().ok());
        if self.packed.as_ref().is_none_or(|known| known.stamp != stamp) {
            self.packed = Some(PackedRefs::new(stamp, fs::read(path)?));
        }
        Ok(self.packed.as_ref())
    }
}

/// Files below a folder of refs, each with its name.
fn walk(folder: &Path, name: &[u8], found: &mut Vec<(Vec<u8>, PathBuf)>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let own = entry.file_name();
        let mut name = name.to_vec();
        name.extend_from_slice(own.as_encoded_bytes());
        let path = entry.path();
        let is_folder = match entry.file_type()? {
            kind if kind.is_symlink() => path.is_dir(),
            kind => kind.is_dir(),
        };
        if is_folder {
            name.push(b'/');
            walk(&path, &name, found)?;
        } else if !name.ends_with(b".lock") {
            found.push((name, path));
        }
    }
    Ok(())
}

/// What a file of a ref says; `None` where it is gone.
fn target(file: &Path) -> io::Result<Option<Target>> {
    let text = match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    Ok(Some(hex(text.trim_ascii())))
}

impl PackedRefs {
    fn new(stamp: (u64, Option<SystemTime>), bytes: Vec<u8>) -> Self {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let header = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let traits = header.strip_prefix("# pack-refs with:").unwrap_or_default();
        let is_sorted = traits.split(' ').any(|one| one == "sorted");
        Self { stamp, bytes, is_sorted }
    }

    fn below(&self, prefix: &[u8], mut found: impl FnMut(&[u8], Target)) -> io::Result<()> {
        let mut at = if self.is_sorted { self.first(prefix)? } else { 0 };
        while at < self.bytes.len() {
            if matches!(self.bytes[at], b'#' | b'^') {
                at = self.line_end(at);
                continue;
            }
            let (oid, name, next) = self.record(at)?;
            if name.starts_with(prefix) {
                let target = match self.bytes.get(next) {
                    Some(b'^') => {
                        let end = self.line_end(next);
                        hex(self.bytes[next + 1..end].trim_ascii()).ok_or_else(damaged)?
                    }
                    _ => oid,
                };
                found(name, Some(target));
            } else if self.is_sorted && name > prefix {
                break;
            }
            at = next;
        }
        Ok(())
    }

    /// Where the first record is that does not come before a name.
    fn first(&self, name: &[u8]) -> io::Result<usize> {
        let (mut low, mut high) = (0, self.bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let mut at = self.line_start(middle);
            while at > low && self.bytes[at] == b'^' {
                at = self.line_start(at - 1);
            }
            if matches!(self.bytes[at], b'#' | b'^') {
                low = self.line_end(middle);
                continue;
            }
            let (_, own, next) = self.record(at)?;
            if own < name { low = next.max(self.line_end(middle)) } else { high = at }
        }
        Ok(low)
    }

    fn line_start(&self, at: usize) -> usize {
        self.bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        self.bytes[at..].iter().position(|byte| *byte == b'\n').map_or(self.bytes.len(), |end| at + end + 1)
    }

    /// The object and the name in a line, and where the next line begins.
    fn record(&self, at: usize) -> io::Result<(Oid, &[u8], usize)> {
        let next = self.line_end(at);
        let line = self.bytes[at..next].strip_suffix(b"\n").unwrap_or(&self.bytes[at..next]);
        let space = line.iter().position(|byte| *byte == b' ').ok_or_else(damaged)?;
        Ok((hex(&line[..space]).ok_or_else(damaged)?, &line[space + 1..], next))
    }
}

fn hex(text: &[u8]) -> Option<Oid> {
    Oid::from_hex(std::str::from_utf8(text).ok()?)
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "packed-refs has a line that is no ref")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# pack-refs with: peeled fully-peeled sorted \n";

    fn oid(digit: usize) -> String {
        format!("{digit:040x}")
    }

    fn names(text: &str, prefix: &str) -> Vec<String> {
        let packed = PackedRefs::new((0, None), text.as_bytes().to_vec());
        let mut names = Vec::new();
        packed
            .below(prefix.as_bytes(), |name, _| names.push(String::from_utf8_lossy(name).into_owned()))
            .unwrap();
        names
    }

    #[test]
    fn any_prefix_is_found_wherever_it_stands() {
        let all: Vec<String> =
            ["heads/a", "heads/ab", "heads/b/c", "lane/x", "remotes/o/m", "tags/v1", "tags/v2"]
                .iter()
                .map(|name| format!("refs/{name}"))
                .collect();
        for count in 0..=all.len() {
            for peeled in 0..=count {
                let mut text = String::new();
                for (at, name) in all[..count].iter().enumerate() {
                    text.push_str(&format!("{} {name}\n", oid(at)));
                    if at >= peeled {
                        text.push_str(&format!("^{}\n", oid(at + 100)));
                    }
                }
                for head in [HEAD, "# pack-refs with: peeled \n", ""] {
                    for prefix in [
                        "refs/",
                        "refs/heads/",
                        "refs/heads/a",
                        "refs/tags/",
                        "refs/lane/",
                        "refs/z",
                        "refs/tags/v2",
                    ] {
                        let wanted: Vec<&String> =
                            all[..count].iter().filter(|name| name.starts_with(prefix)).collect();
                        assert_eq!(
                            names(&format!("{head}{text}"), prefix).iter().collect::<Vec<_>>(),
                            wanted,
                            "{prefix}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_behind_a_tag_is_told() {
        let text = format!("{HEAD}{} refs/tags/a\n^{}\n{} refs/tags/b\n", oid(1), oid(2), oid(3));
        let packed = PackedRefs::new((0, None), text.into_bytes());
        let mut found = Vec::new();
        packed.below(b"refs/tags/", |_, target| found.push(target)).unwrap();
        let peeled = |digit| Some(Oid::from_hex(&oid(digit)).unwrap());
        assert_eq!(found, [peeled(2), peeled(3)]);
    }

    #[test]
    fn damage_is_told() {
        for text in ["refs/heads/a\n", "zz refs/heads/a\n", "0123 refs/heads/a\n"] {
            let packed = PackedRefs::new((0, None), format!("{HEAD}{text}").into_bytes());
            assert!(packed.below(b"refs/", |_, _| {}).is_err(), "{text}");
        }
    }
}
