//! What is pushed: the lines that git gives to pre-push.

use lane_core::facts::{Oid, Unavailable};
use lane_git::Read;

/// One ref of a push: githooks(5), pre-push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLine {
    /// What is pushed, as it was named: a full ref, or an expression such as `HEAD~1`.
    pub local_ref: String,
    /// The object that is pushed; `None` when the ref is deleted.
    pub local: Option<Oid>,
    /// The full name that the ref has on the remote.
    pub remote_ref: String,
    /// The object that the remote has under that name; `None` if it has none.
    pub remote: Option<Oid>,
}

/// Reads all lines. None at all is right: there was nothing to push.
///
/// # Errors
/// A line that is cut short or has no object ids.
pub fn parse_push_lines(input: &[u8]) -> Read<Vec<PushLine>> {
    let text = String::from_utf8_lossy(input);
    text.lines().map(parse_line).collect()
}

fn parse_line(line: &str) -> Read<PushLine> {
    let wrong = || {
        Unavailable::new(
            format!("pre-push got an incomplete line: `{line}`"),
            "expected four words: <local ref> <local oid> <remote ref> <remote oid>; push again",
        )
    };
    // A local ref such as `HEAD~1` has no spaces, but `(delete)` and odd names are possible: count
    // from the end.
    let mut words = line.rsplitn(4, ' ');
    let (remote, remote_ref, local, name) = (words.next(), words.next(), words.next(), words.next());
    let (Some(remote), Some(remote_ref), Some(local), Some(name)) = (remote, remote_ref, local, name) else {
        return Err(wrong());
    };
    let remote = Oid::from_hex(remote).ok_or_else(wrong)?;
    let local = Oid::from_hex(local).ok_or_else(wrong)?;
    if !remote_ref.starts_with("refs/") {
        return Err(wrong());
    }
    Ok(PushLine {
        local_ref: name.to_owned(),
        local: (!local.is_zero()).then_some(local),
        remote_ref: remote_ref.to_owned(),
        remote: (!remote.is_zero()).then_some(remote),
    })
}

/// Reads the lines that git gives to pre-receive: `<old oid> <new oid> <ref>`.
///
/// # Errors
/// A line that is cut short or has no object ids.
pub fn parse_received_lines(input: &[u8]) -> Read<Vec<PushLine>> {
    let text = std::str::from_utf8(input).map_err(|_| received_wrong("a name that is not UTF-8"))?;
    let lines = text.lines().map(|line| {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(old), Some(new), Some(name)) => received_line(name, old, new),
            _ => Err(received_wrong(line)),
        }
    });
    lines.collect()
}

/// Reads the lines that git gives to reference-transaction: `<old> <new> <ref>`. What points to another ref, as HEAD does, is left
/// out.
///
/// # Errors
/// A line that is cut short or has no object ids.
pub fn parse_moved_lines(input: &[u8]) -> Read<Vec<PushLine>> {
    let wrong = |line: &str| {
        Unavailable::new(
            format!("reference-transaction got an incomplete line: `{line}`"),
            "expected three words: <old value> <new value> <ref>; run the command again",
        )
    };
    let text = String::from_utf8_lossy(input);
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(wrong(line));
        };
        if old.starts_with("ref:") || new.starts_with("ref:") {
            continue;
        }
        Oid::from_hex(old).ok_or_else(|| wrong(line))?;
        let new = Oid::from_hex(new).ok_or_else(|| wrong(line))?;
        let local = (!new.is_zero()).then_some(new);
        lines.push(PushLine { local_ref: name.to_owned(), local, remote_ref: name.to_owned(), remote: None });
    }
    Ok(lines)
}

/// One ref of a push that a server receives.
///
/// # Errors
/// The object ids are none, or the name is no ref's.
pub fn received_line(name: &str, old: &str, new: &str) -> Read<PushLine> {
    let oid = |text: &str| Oid::from_hex(text).ok_or_else(|| received_wrong(text));
    let (old, new) = (oid(old)?, oid(new)?);
    if !name.starts_with("refs/") {
        return Err(received_wrong(name));
    }
    let known = |oid: Oid| (!oid.is_zero()).then_some(oid);
    Ok(PushLine {
        local_ref: name.to_owned(),
        local: known(new),
        remote_ref: name.to_owned(),
        remote: known(old),
    })
}

fn received_wrong(text: &str) -> Unavailable {
    Unavailable::new(
        format!("the hook got something that is not a ref update: `{text}`"),
        "pre-receive reads `<old oid> <new oid> <ref>` from standard input; update takes `<ref> <old oid> <new oid>`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let (one, zero) = ("1".repeat(40), "0".repeat(40));
        let text = format!("refs/heads/a {one} refs/heads/b {zero}\n(delete) {zero} refs/heads/c {one}\n");
        let lines = parse_push_lines(text.as_bytes()).expect("two lines");
        assert_eq!((lines[0].remote_ref.as_str(), lines[0].remote), ("refs/heads/b", None));
        assert_eq!((lines[1].local, lines[1].remote.is_some()), (None, true));
        assert_eq!(parse_push_lines(b"").expect("nothing").len(), 0);
    }

    #[test]
    fn received() {
        let (one, zero) = ("1".repeat(40), "0".repeat(40));
        let text = format!("{zero} {one} refs/heads/a\n{one} {zero} refs/tags/b\n");
        let lines = parse_received_lines(text.as_bytes()).expect("two lines");
        assert_eq!((lines[0].remote_ref.as_str(), lines[0].remote), ("refs/heads/a", None));
        assert_eq!((lines[1].local, lines[1].remote.is_some()), (None, true));
        assert_eq!(parse_received_lines(b"").expect("nothing").len(), 0);
        for text in [format!("{zero} {one}"), format!("{zero} x refs/heads/a"), format!("{zero} {one} main")]
        {
            assert!(parse_received_lines(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse_received_lines(b"\xff").is_err());
    }

    #[test]
    fn cut_short() {
        let one = "1".repeat(40);
        for text in [
            format!("refs/heads/a {one} refs/heads/b"),
            format!("a {one} refs/heads/b {}", &one[1..]),
            "x".into(),
            " \n".into(),
        ] {
            assert!(parse_push_lines(text.as_bytes()).is_err(), "{text}");
        }
    }
}
