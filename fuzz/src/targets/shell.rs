//! Lines for a shell: words as `quote` writes them come back, and what a line does is found in whatever it is put into.
//!
//! Input: the line.

use lane_core::harness::guard::{self, Bypass};
use lane_core::harness::shell::{Command, commands};
use lane_core::report::quote;
use lane_core::text::has_hidden;

/// Runs the target.
pub fn run(input: &[u8]) {
    super::without_parser_panics();
    let line = String::from_utf8_lossy(input);
    words(&line);
    let Some(found) = commands(&line) else { return };
    for command in &found {
        assert!(guard::writes(command).iter().all(|edit| !edit.path.is_empty()), "{command:?}");
    }
    after_another(&line, &found);
    in_a_shell(&line, &found);
}

/// Whatever a word is made of, it comes back as it was.
fn words(line: &str) {
    let words: Vec<&str> =
        line.split(' ').filter(|word| !has_hidden(word) && !word.contains(['\n', '\t'])).collect();
    let quoted: Vec<String> = words.iter().map(|word| quote(word.as_bytes())).collect();
    // A line that looks nested deeper than people write is not read.
    let Some(found) = commands(&format!("x {}", quoted.join(" "))) else {
        assert!(line.contains(['(', '{', '[', '!', '\'']), "{quoted:?} is not read");
        return;
    };
    let known: Option<Vec<&str>> =
        found.first().map(|it| it.words.iter().filter_map(Option::as_deref).collect());
    let expected: Vec<&str> = ["x"].into_iter().chain(words).collect();
    assert_eq!((found.len(), known), (1, Some(expected)), "{quoted:?}");
    assert!(found[0].writes.is_empty() && found[0].variables.is_empty());
}

/// What stands before it changes nothing.
fn after_another(line: &str, found: &[Command]) {
    let again = commands(&format!("true\n{line}")).expect("it is read alone");
    assert_eq!(again.first().and_then(Command::program), Some("true"));
    assert_eq!(&again[1..], found, "behind another line");
}

/// What must not be run is found in a shell of its own as well, in which nothing else is found.
fn in_a_shell(line: &str, found: &[Command]) {
    let refused =
        |commands: &[Command]| -> Vec<Bypass> { commands.iter().filter_map(guard::bypass).collect() };
    let wrapped = format!("sh -c '{}'", line.replace('\'', r"'\''"));
    let Some(inner) = commands(&wrapped) else { return };
    if inner.len() == 1 {
        return; // it is too deep for one more shell
    }
    assert_eq!(inner[0].program(), Some("sh"));
    if inner.len() > found.len() {
        assert_eq!(refused(&inner[1..]), refused(found), "in a shell");
        assert_eq!(&inner[1..], found, "in a shell");
    }
}
