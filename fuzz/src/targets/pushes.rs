//! What git gives to pre-push, pre-receive and reference-transaction, held against the grammar of githooks(5).
//!
//! Input: the lines.

use std::sync::LazyLock;

use lane_core::facts::Oid;
use regex::Regex;

use super::super::program::gather::{PushLine, parse_moved_lines, parse_push_lines, parse_received_lines};

const OID: &str = "([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})";

fn grammar(text: &str) -> Regex {
    Regex::new(&text.replace("OID", OID)).expect("a regular expression")
}

static PUSHED: LazyLock<Regex> = LazyLock::new(|| grammar(r"\A((?s).*) OID (refs/[^ ]*) OID\z"));
static RECEIVED: LazyLock<Regex> = LazyLock::new(|| grammar(r"\AOID OID ((?s)refs/.*)\z"));
static MOVED: LazyLock<Regex> = LazyLock::new(|| grammar(r"\AOID OID ((?s).*)\z"));
/// What points to another ref is left out, whatever else the line says.
static SYMBOLIC: LazyLock<Regex> = LazyLock::new(|| grammar(r"\A(ref:[^ ]* [^ ]*|[^ ]* ref:[^ ]*) "));

fn oid(text: &str) -> Option<Oid> {
    Oid::from_hex(text).filter(|oid| !oid.is_zero())
}

/// All lines, where each has a form.
fn read<'t>(
    lines: impl Iterator<Item = &'t str>,
    form: impl Fn(&str) -> Option<PushLine>,
) -> Option<Vec<PushLine>> {
    lines.map(form).collect()
}

/// Runs the target.
pub fn run(input: &[u8]) {
    let lossy = String::from_utf8_lossy(input);
    let pushed = read(lossy.lines(), |line| {
        let parts = PUSHED.captures(line)?;
        let (local_ref, remote_ref) = (parts[1].to_owned(), parts[3].to_owned());
        Some(PushLine { local_ref, local: oid(&parts[2]), remote_ref, remote: oid(&parts[4]) })
    });
    let ours = parse_push_lines(input).ok();
    assert_eq!(ours, pushed, "pre-push");
    if let Some(lines) = &ours {
        let zero = "0".repeat(40);
        let hex = |oid: Option<Oid>| oid.map_or(zero.clone(), |oid| oid.to_string());
        let written = lines.iter().map(|line| {
            format!("{} {} {} {}\n", line.local_ref, hex(line.local), line.remote_ref, hex(line.remote))
        });
        let again = parse_push_lines(written.collect::<String>().as_bytes()).ok();
        assert_eq!(again.as_ref(), Some(lines), "pre-push, written again");
    }
    let of_ref = |name: &str, old: Option<Oid>, new: Option<Oid>| PushLine {
        local_ref: name.to_owned(),
        local: new,
        remote_ref: name.to_owned(),
        remote: old,
    };
    let received = std::str::from_utf8(input).ok().and_then(|text| {
        read(text.lines(), |line| {
            let parts = RECEIVED.captures(line)?;
            Some(of_ref(&parts[3], oid(&parts[1]), oid(&parts[2])))
        })
    });
    assert_eq!(parse_received_lines(input).ok(), received, "pre-receive");
    let concrete = lossy.lines().filter(|line| !SYMBOLIC.is_match(line));
    let moved = read(concrete, |line| {
        let parts = MOVED.captures(line)?;
        Some(of_ref(&parts[3], None, oid(&parts[2])))
    });
    assert_eq!(parse_moved_lines(input).ok(), moved, "reference-transaction");
}
