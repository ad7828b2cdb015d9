//! Commits as git stores them: git-commit-tree(1).

use crate::repository::RawCommit;
use lane_core::facts::Oid;

/// A commit; `None` if it is broken. Its parents are as they are stored, also at the edge of a shallow clone.
pub(crate) fn parse(bytes: &[u8]) -> Option<RawCommit> {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        Some(line)
    };
    let oid = |hex: &[u8]| Oid::from_hex(std::str::from_utf8(hex).ok()?);
    let tree = oid(line()?.strip_prefix(b"tree ")?)?;
    let mut parents = Vec::new();
    let mut at = line()?;
    while let Some(parent) = at.strip_prefix(b"parent ") {
        parents.push(oid(parent)?);
        at = line()?;
    }
    // Some old tools wrote several authors.
    let (author, authored) = at.strip_prefix(b"author ").map(|line| signature(line).unwrap_or_default())?;
    while at.starts_with(b"author ") {
        at = line()?;
    }
    let (committer, time) = signature(at.strip_prefix(b"committer ")?)?;
    let mut names_encoding = false;
    loop {
        match line() {
            Some(b"") => break,
            Some(header) => names_encoding |= header.starts_with(b"encoding "),
            None => {
                rest = b"";
                break;
            }
        }
    }
    let start = rest.iter().position(|byte| *byte != b'\n').unwrap_or(rest.len());
    let message = rest[start..].split(|byte| *byte == 0).next().unwrap_or_default();
    let message = decoded(message, names_encoding);
    Some(RawCommit { tree, parents, time, authored, author, committer, message })
}

/// What a walk through history needs of a commit: its parents, and when it was committed. `None` if it is broken.
pub(crate) fn parents(bytes: &[u8]) -> Option<(Vec<Oid>, i64)> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    lines.next()?.strip_prefix(b"tree ")?;
    let mut parents = Vec::new();
    loop {
        let line = lines.next()?;
        if let Some(hex) = line.strip_prefix(b"parent ") {
            parents.push(Oid::from_hex(std::str::from_utf8(hex).ok()?)?);
        } else if let Some(line) = line.strip_prefix(b"committer ") {
            return Some((parents, time(line)?));
        } else if !line.starts_with(b"author ") {
            return None;
        }
    }
}

/// A message as text. What is said to be in another encoding is taken byte by byte, as a hook does that reads it before it is
/// committed: both judge the same.
fn decoded(message: &[u8], names_encoding: bool) -> String {
    match std::str::from_utf8(message) {
        Ok(text) => text.to_owned(),
        Err(_) if names_encoding => message.iter().copied().map(char::from).collect(),
        Err(_) => String::from_utf8_lossy(message).into_owned(),
    }
}

/// The address and the time of `Name <address> 1700000000 +0000`.
fn signature(line: &[u8]) -> Option<(String, i64)> {
    let start = line.iter().rposition(|byte| *byte == b'<')?;
    let end = line.iter().rposition(|byte| *byte == b'>').filter(|end| *end > start)?;
    let email = String::from_utf8_lossy(line[start + 1..end].trim_ascii()).into_owned();
    Some((email, time(line)?))
}

fn time(line: &[u8]) -> Option<i64> {
    let end = line.iter().rposition(|byte| *byte == b'>')?;
    let after = std::str::from_utf8(line[end + 1..].trim_ascii()).ok()?;
    match after.split(' ').next() {
        None | Some("") => Some(0),
        Some(word) => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn commits() {
        let text = format!(
            "tree {HEX}\nparent {HEX}\nparent {HEX}\nauthor A <a@b> 1 +0000\ncommitter C < c@d > 12 +0100\n\
             gpgsig x\n y\n\n\nsubject\n\nbody\n"
        );
        let read = parse(text.as_bytes()).expect("a commit");
        assert_eq!((read.parents.len(), read.committer.as_str(), read.time), (2, "c@d", 12));
        assert_eq!((read.author.as_str(), read.authored), ("a@b", 1));
        assert_eq!(parents(text.as_bytes()), Some((read.parents, 12)));
        assert_eq!(parents(text.replace("parent", "grandparent").as_bytes()), None);
        assert_eq!(read.message, "subject\n\nbody\n");
        let latin = |header: &str| {
            let head = format!("tree {HEX}\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 12 +0100\n{header}\n");
            parse(&[head.as_bytes(), b"caf\xe9\n"].concat()).expect("a commit").message
        };
        assert_eq!(latin("encoding ISO-8859-1\n"), "caf\u{e9}\n");
        assert_eq!(latin(""), "caf\u{fffd}\n");
        let end = text.find("gpgsig").expect("a header");
        for cut in 0..end {
            assert!(parse(&text.as_bytes()[..cut]).is_none(), "{cut}");
        }
    }
}
