//! Who made a commit.

use std::fmt;

/// Somebody, as git writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name. What is not UTF-8 is taken byte by byte.
    pub name: String,
    /// The e-mail address, likewise.
    pub email: String,
}

/// Author and committer of a commit. A `.mailmap` makes nobody else of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// Who wrote it.
    pub author: Person,
    /// Who made this commit of it.
    pub committer: Person,
}

impl Person {
    /// Of `Name <address> 1700000000 +0000`, as git takes it apart: the address is what stands between the first `<` and
    /// the next `>`.
    pub fn of_ident(ident: &[u8]) -> Option<Self> {
        let start = ident.iter().position(|byte| *byte == b'<')?;
        let after = &ident[start + 1..];
        let end = after.iter().position(|byte| *byte == b'>')?;
        Some(Self { name: decoded(&ident[..start]), email: decoded(&after[..end]) })
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

impl People {
    /// Those of a raw commit object; `None` if its header does not have them.
    pub fn of_commit(raw: &[u8]) -> Option<Self> {
        let header = raw.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        let (mut author, mut committer) = (None, None);
        for line in header {
            // Some old tools wrote several authors: git goes by the first.
            if let (Some(ident), None) = (line.strip_prefix(b"author "), &author) {
                author = Some(Person::of_ident(ident)?);
            } else if let (Some(ident), None) = (line.strip_prefix(b"committer "), &committer) {
                committer = Some(Person::of_ident(ident)?);
            }
        }
        Some(Self { author: author?, committer: committer? })
    }
}

fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.trim_ascii();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people() {
        let of = |author: &str| {
            let raw =
                format!("tree 1\nauthor {author}\ncommitter C D <c@d> 1 +0000\ngpgsig x\n\nauthor E <e@f>\n");
            People::of_commit(raw.as_bytes()).map(|people| people.author.to_string())
        };
        assert_eq!(of("A B <a@b> 1 +0000").as_deref(), Some("A B <a@b>"));
        assert_eq!(of("A <a@b> <good@corp> 1 +0000").as_deref(), Some("A <a@b>"));
        assert_eq!(of("A > <a@b> 1 +0000").as_deref(), Some("A > <a@b>"));
        assert_eq!(of("A B <a@b> 1 +0000\nauthor X <x@y> 1 +0000").as_deref(), Some("A B <a@b>"));
        assert_eq!(of(" <> ").as_deref(), Some(" <>"));
        assert_eq!(of("nobody"), None);
        assert_eq!(of("A <a@b"), None);
        let raw = [b"author caf\xe9 <a@b>\ncommitter \xc3\xa9 <c@d>\n".as_slice(), b"\n"].concat();
        let people = People::of_commit(&raw).expect("people");
        assert_eq!((people.author.name.as_str(), people.committer.name.as_str()), ("café", "é"));
        assert_eq!(People::of_commit(b"tree 1\n\nauthor A <a@b>\ncommitter C <c@d>\n"), None);
    }
}
