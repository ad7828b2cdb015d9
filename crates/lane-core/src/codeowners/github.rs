//! GitHub's reading.

use super::{Codeowners, Rule, is_owner, sorted};
use crate::policy::pattern::{Pattern, Segment};

pub(super) fn parse(read: &mut Codeowners, text: &str) {
    for (line, text) in text.lines().enumerate().map(|(at, text)| (at + 1, text.trim())) {
        let (pattern, owners) = words(text);
        if pattern.is_empty() {
            continue;
        }
        match rule(line, &pattern, &owners) {
            Ok(rule) => read.rules.push(rule),
            Err(why) => read.note(line, format!("`{text}`: {why}; GitHub skips the line")),
        }
    }
}

fn rule(line: usize, pattern: &str, owners: &[&str]) -> Result<Rule, String> {
    if pattern.starts_with('!') {
        return Err("patterns cannot be negated".to_owned());
    }
    if pattern.starts_with("\\#") {
        return Err("`#` at the start of a pattern cannot be escaped".to_owned());
    }
    if pattern.contains(['[', ']']) {
        return Err("patterns cannot have `[` and `]`".to_owned());
    }
    if pattern.contains("***") {
        return Err("patterns cannot have `***`".to_owned());
    }
    if let Some(word) = owners.iter().find(|word| !is_owner(word)) {
        return Err(format!("`{word}` is not an owner"));
    }
    let pattern = Pattern::new(&pattern.replace("\\ ", " ")).map_err(|error| error.reason.to_owned())?;
    Ok(Rule {
        line,
        owners: sorted(owners.iter().map(|owner| (*owner).to_owned())),
        is_exact: !pattern.folder_only && pattern.segments.last() == Some(&Segment::Wild(b"*".to_vec())),
        pattern,
        is_exclusion: false,
        section: 0,
        is_optional: false,
    })
}

/// The pattern and the owners, up to a comment. A `#` begins one at the start of a word.
fn words(line: &str) -> (String, Vec<&str>) {
    let mut ends = line.char_indices();
    let mut end = line.len();
    while let Some((at, c)) = ends.next() {
        if c == '\\' {
            ends.next();
        } else if c.is_whitespace() || c == '#' && at == 0 {
            end = at;
            break;
        }
    }
    let owners = line[end..].split_whitespace().take_while(|word| !word.starts_with('#'));
    (line[..end].to_owned(), owners.collect())
}
