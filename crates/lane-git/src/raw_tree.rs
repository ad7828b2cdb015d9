//! A tree as git stores it: for each entry its mode in octal digits, a blank, the name, a NUL, the id's bytes; sorted
//! by name, folders as if theirs ended in a slash. See gitformat-pack(5).
//!
//! The trees of a large folder are as large as it is, and two of them that are compared differ in little: their entries
//! stay where they are until somebody asks for one.

use std::cmp::Ordering;
use std::rc::Rc;

use super::repository::{FOLDER, Read, TreeEntry, canonical};
use lane_core::facts::{FileVersion, Oid, Unavailable};

/// A tree whose bytes are whole.
#[derive(Debug, Clone)]
pub struct RawTree {
    bytes: Rc<[u8]>,
    id_len: usize,
}

/// An entry where it stands.
#[derive(Debug, Clone, Copy)]
pub struct RawEntry<'t> {
    /// The name, without slashes.
    pub name: &'t [u8],
    /// Mode and object.
    pub version: FileVersion,
}

/// The entries of a tree in their order.
#[derive(Debug, Clone)]
pub struct RawEntries<'t> {
    rest: &'t [u8],
    id_len: usize,
}

impl RawTree {
    /// The tree of an id.
    ///
    /// # Errors
    /// The bytes are none.
    pub fn new(oid: Oid, bytes: &[u8]) -> Read<Self> {
        let id_len = oid.as_bytes().len();
        let mut entries = RawEntries { rest: bytes, id_len };
        while entries.next().is_some() {}
        if entries.rest.is_empty() {
            return Ok(Self { bytes: bytes.into(), id_len });
        }
        Err(Unavailable::new(
            format!("the tree {oid} cannot be read: it is broken"),
            "check whether the repository is damaged: git fsck",
        ))
    }

    /// The tree without entries.
    pub fn empty() -> Self {
        Self { bytes: Rc::default(), id_len: 20 }
    }

    /// Its bytes, without git's header of kind and length.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Its entries, in the order of the tree.
    pub fn entries(&self) -> RawEntries<'_> {
        RawEntries { rest: &self.bytes, id_len: self.id_len }
    }

    /// The entry of a name.
    pub fn find(&self, name: &[u8]) -> Option<FileVersion> {
        self.entries().find(|entry| entry.name == name).map(|entry| entry.version)
    }

    /// The entries by themselves.
    pub fn to_vec(&self) -> Vec<TreeEntry> {
        let own = |entry: RawEntry| TreeEntry { name: entry.name.to_vec(), version: entry.version };
        self.entries().map(own).collect()
    }
}

impl<'t> Iterator for RawEntries<'t> {
    type Item = RawEntry<'t>;

    fn next(&mut self) -> Option<RawEntry<'t>> {
        let end = memchr::memchr(0, self.rest)?;
        let (whole, rest) = self.rest.split_at_checked(end + 1 + self.id_len)?;
        let space = whole[..end].iter().position(|byte| *byte == b' ')?;
        let mode = whole[..space].iter().try_fold(0, |mode: u32, digit| match digit {
            b'0'..=b'7' => mode.checked_mul(8)?.checked_add(u32::from(digit - b'0')),
            _ => None,
        })?;
        let oid = Oid::from_bytes(&whole[end + 1..])?;
        let name = &whole[space + 1..end];
        if space == 0 || name.is_empty() {
            return None;
        }
        self.rest = rest;
        Some(RawEntry { name, version: FileVersion { mode: canonical(mode), oid } })
    }
}

impl RawEntries<'_> {
    /// Passes over what two trees have in common from here on.
    pub fn skip_same(&mut self, other: &mut Self) {
        // Where two entries begin alike and one of them ends, so does the other: a NUL and an id of one length end both.
        loop {
            let (Some(end), true) = (memchr::memchr(0, self.rest), self.id_len == other.id_len) else {
                return;
            };
            let len = end + 1 + self.id_len;
            match (self.rest.split_at_checked(len), other.rest.split_at_checked(len)) {
                (Some((one, rest)), Some((two, others))) if one == two => {
                    self.rest = rest;
                    other.rest = others;
                }
                _ => return,
            }
        }
    }
}

impl RawEntry<'_> {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.version.mode == FOLDER
    }

    /// Which of two entries stands first in a tree.
    pub fn order(&self, other: &Self) -> Ordering {
        self.sorted_by().cmp(other.sorted_by())
    }

    fn sorted_by(&self) -> impl Iterator<Item = &u8> {
        self.name.iter().chain(self.is_folder().then_some(&b'/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 20] = [7; 20];

    fn tree(entries: &[(&str, &str)]) -> Vec<u8> {
        let entry =
            |(mode, name): &(&str, &str)| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &ID].concat();
        entries.iter().flat_map(entry).collect()
    }

    fn oid() -> Oid {
        Oid::from_bytes(&ID).expect("an id")
    }

    #[test]
    fn entries() {
        let raw = tree(&[("100664", "a b"), ("40000", "c"), ("160000", "d")]);
        let read = RawTree::new(oid(), &raw).expect("a tree").to_vec();
        let read: Vec<_> = read.iter().map(|e| (e.name.as_slice(), e.version.mode)).collect();
        let c: (&[u8], u32) = (b"c", FOLDER);
        assert_eq!(read, [(b"a b".as_slice(), 0o100_644), c, (b"d", 0o160_000)]);
        assert!(RawTree::new(oid(), b"").is_ok_and(|tree| tree.to_vec().is_empty()));
        let whole = [tree(&[("100664", "a b")]).len(), tree(&[("100664", "a b"), ("40000", "c")]).len()];
        for cut in 1..raw.len() {
            assert_eq!(RawTree::new(oid(), &raw[..cut]).is_ok(), whole.contains(&cut), "{cut}");
        }
        for broken in [("10064x", "a"), ("", "a"), ("100644", ""), ("77777777777777", "a")] {
            assert!(RawTree::new(oid(), &tree(&[broken])).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn what_is_the_same_is_passed_over() {
        let one = tree(&[("100644", "a"), ("100644", "b"), ("100644", "c")]);
        let two = tree(&[("100644", "a"), ("100755", "b"), ("100644", "c")]);
        let (one, two) = (RawTree::new(oid(), &one).expect("one"), RawTree::new(oid(), &two).expect("two"));
        let (mut ones, mut twos) = (one.entries(), two.entries());
        ones.skip_same(&mut twos);
        assert_eq!(
            (ones.next().expect("b").name, twos.next().expect("b").name),
            (b"b".as_slice(), b"b".as_slice())
        );
        ones.skip_same(&mut twos);
        assert!(ones.next().is_none() && twos.next().is_none());
    }

    #[test]
    fn folders_stand_as_if_their_names_ended_in_a_slash() {
        let raw = tree(&[("100644", "a"), ("100644", "a.b"), ("40000", "a"), ("100644", "a0")]);
        let tree = RawTree::new(oid(), &raw).expect("a tree");
        let entries: Vec<_> = tree.entries().collect();
        for (at, one) in entries.iter().enumerate() {
            for (other, two) in entries.iter().enumerate() {
                assert_eq!(one.order(two), at.cmp(&other));
            }
        }
    }
}
