//! How alike two files are, as git reckons it for renames.

use std::collections::HashMap;
use std::rc::Rc;

use super::attributes::{Attributes, has_nul, is_regular};
use super::lines::BIG_FILE;
use super::repository::{Read, Repository};
use lane_core::facts::FileVersion;

/// Scores count sixty-thousandths of the larger file.
pub const MAX_SCORE: u64 = 60_000;
/// Bytes of summaries that are kept; the files of others are read again when they are needed again.
const BUDGET: usize = 96 << 20;

/// A file that went, or one that came.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub path: &'a [u8],
    pub version: FileVersion,
    /// The place in the list of changes.
    pub index: usize,
}

impl<'a> Side<'a> {
    pub fn name(&self) -> &'a [u8] {
        self.path.rsplit(|b| *b == b'/').next().unwrap_or(self.path)
    }
}

/// A file as similarity sees it: how many bytes lie in chunks of each hash, sorted by hash.
type Summary = Rc<[(u32, u32)]>;

/// What is known of files that were compared.
pub struct Summaries<'s, 'r> {
    repo: &'s dyn Repository,
    attributes: &'s mut Attributes<'r>,
    sizes: HashMap<usize, u64>,
    kept: HashMap<usize, Summary>,
    spent: usize,
}

impl<'s, 'r> Summaries<'s, 'r> {
    /// Nothing is known yet.
    pub fn new(repo: &'s dyn Repository, attributes: &'s mut Attributes<'r>) -> Self {
        Self { repo, attributes, sizes: HashMap::new(), kept: HashMap::new(), spent: 0 }
    }

    /// In sixty-thousandths, how much of the larger file both have; 0 for what is surely below `minimum`.
    pub fn score(&mut self, old: &Side<'_>, new: &Side<'_>, minimum: u64) -> Read<u64> {
        if !is_regular(old.version.mode) || !is_regular(new.version.mode) {
            return Ok(0);
        }
        let (one, two) = (self.size(old)?, self.size(new)?);
        let larger = one.max(two);
        // Such files have no lines that count, whatever they come from.
        if larger > BIG_FILE as u64 {
            return Ok(0);
        }
        if two == 0 || larger * (MAX_SCORE - minimum) < one.abs_diff(two) * MAX_SCORE {
            return Ok(0);
        }
        let (one, two) = (self.summary(old)?, self.summary(new)?);
        self.repo.budget().steps(self.repo, one.len() + two.len())?;
        Ok(common(&one, &two) * MAX_SCORE / larger)
    }

    fn size(&mut self, side: &Side<'_>) -> Read<u64> {
        if let Some(known) = self.sizes.get(&side.index) {
            return Ok(*known);
        }
        let size = self.repo.size(side.version.oid)? as u64;
        self.sizes.insert(side.index, size);
        Ok(size)
    }

    fn summary(&mut self, side: &Side<'_>) -> Read<Summary> {
        if let Some(known) = self.kept.get(&side.index) {
            return Ok(Rc::clone(known));
        }
        let bytes = self.repo.blob(side.version.oid)?;
        self.repo.budget().steps(self.repo, 2 * bytes.len())?;
        let is_binary = match self.attributes.is_binary(side.path, side.version)? {
            Some(is_binary) => is_binary,
            None => has_nul(&bytes),
        };
        let summary = summarize(&bytes, !is_binary);
        let cost = std::mem::size_of_val(&*summary);
        if self.spent + cost <= BUDGET {
            self.spent += cost;
            self.kept.insert(side.index, Rc::clone(&summary));
        }
        Ok(summary)
    }
}

/// Cuts a file after each line feed, and after 64 bytes without one, and hashes the chunks. In text, a
/// carriage return before a line feed counts for nothing.
fn summarize(bytes: &[u8], is_text: bool) -> Summary {
    const CHUNK: u32 = 64;
    const HASHES: u32 = 107_927;
    let mut chunks: Vec<(u32, u32)> = Vec::new();
    let (mut low, mut high, mut len) = (0_u32, 0_u32, 0_u32);
    let hash = |low: u32, high: u32| low.wrapping_add(high.wrapping_mul(0x61)) % HASHES;
    for (at, &byte) in bytes.iter().enumerate() {
        if is_text && byte == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
            continue;
        }
        // The two words are one register of 64 bits that turns by seven.
        (low, high) = (((low << 7) ^ (high >> 25)).wrapping_add(u32::from(byte)), (high << 7) ^ (low >> 25));
        len += 1;
        if len == CHUNK || byte == b'\n' {
            chunks.push((hash(low, high), len));
            (low, high, len) = (0, 0, 0);
        }
    }
    if len > 0 {
        chunks.push((hash(low, high), len));
    }
    chunks.sort_unstable();
    chunks.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        is_same
    });
    chunks.into()
}

/// How many bytes two files have in common, as far as hashes tell.
fn common(one: &[(u32, u32)], two: &[(u32, u32)]) -> u64 {
    let (mut a, mut b, mut sum) = (0, 0, 0);
    while let (Some(left), Some(right)) = (one.get(a), two.get(b)) {
        if left.0 == right.0 {
            sum += u64::from(left.1.min(right.1));
        }
        a += usize::from(left.0 <= right.0);
        b += usize::from(left.0 >= right.0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let total = |text: &[u8], is_text| summarize(text, is_text).iter().map(|(_, len)| len).sum::<u32>();
        assert_eq!(total(b"a\r\nb\r\n", true), 4, "a carriage return counts for nothing");
        assert_eq!(total(b"a\r\nb\r\n", false), 6);
        assert_eq!(total(b"a\rb\r", true), 4, "except where no line ends");
        assert_eq!(summarize(&[b'x'; 128], true).len(), 1, "two equal chunks of 64 bytes");
        assert_eq!(summarize(b"a\nb\na\n", true).len(), 2);
        assert_eq!(common(&summarize(b"a\nb\na\n", true), &summarize(b"a\nc\n", true)), 2);
    }
}
