//! The journal of verdicts: what one record is, how it is written on a line and read back.
//!
//! A record has no content of any file and no message, and that of a verdict has no path either.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::Event;
use crate::report::{Report, Verdict};
use crate::text::{is_hidden, plain};

/// What stands for a rule where something that is no rule's could not be decided.
pub const UNDECIDED: &str = "could-not-decide";

/// How a record begins: one that was torn is followed by the next on the same line.
const BEGIN: &str = "{\"at\":";
/// How many bytes of names of files a record has at most: it is written in one piece.
const NAMES: usize = 3_000;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in seconds since the epoch.
    pub at: i64,
    /// What asked: `pre-commit`, `pre-push`, `edit`; or `rebase`.
    pub event: String,
    /// What it came to.
    pub verdict: Kind,
    /// Whose change it was; none for those of no agent, or where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Tells worktrees apart, and says nothing else of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The rules that refused, each with how many findings it had.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, usize>,
    /// The rules that warned.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub warned: BTreeMap<String, usize>,
    /// The rules that would have refused, and only observed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub observed: BTreeMap<String, usize>,
    /// The rules whose findings were waived.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waived: BTreeMap<String, usize>,
    /// The files of a conflict, as many as a record has room for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A verdict that let something pass.
    Pass,
    /// A verdict that refused something.
    Fail,
    /// A verdict that refused something since it could not be decided.
    Undecided,
    /// A rebase that stopped.
    Conflict,
}

impl Entry {
    /// The record of a verdict.
    pub fn of_report(report: &Report, at: i64, tree: Option<String>) -> Self {
        let mut entry = Self::new(report.event, at, Kind::Pass, report.agent.clone(), tree);
        entry.verdict = match report.verdict {
            Verdict::Pass => Kind::Pass,
            Verdict::Fail => Kind::Fail,
            Verdict::Undecided => Kind::Undecided,
        };
        for finding in &report.findings {
            let counts = match (finding.waived.is_some(), finding.is_error()) {
                (true, _) => &mut entry.waived,
                (_, true) => &mut entry.refused,
                _ if finding.observed => &mut entry.observed,
                (_, false) => &mut entry.warned,
            };
            *counts.entry(finding.rule.clone()).or_default() += 1;
        }
        for undecided in &report.undecided {
            let rule = undecided.rule.clone().unwrap_or_else(|| UNDECIDED.to_owned());
            let counts = if undecided.observed { &mut entry.observed } else { &mut entry.refused };
            *counts.entry(rule).or_default() += 1;
        }
        entry
    }

    /// The record of something that could not be judged at all.
    pub fn of_failure(event: Event, agent: Option<String>, at: i64, tree: Option<String>) -> Self {
        let mut entry = Self::new(event.name(), at, Kind::Undecided, agent, tree);
        entry.refused.insert(UNDECIDED.to_owned(), 1);
        entry
    }

    /// The record of a rebase that stopped at these files.
    pub fn of_conflict(
        files: impl IntoIterator<Item = String>,
        agent: Option<String>,
        at: i64,
        tree: Option<String>,
    ) -> Self {
        let mut left = NAMES;
        let fits = |file: &String| match left.checked_sub(file.len() + 8) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        let files = files.into_iter().filter(fits).collect();
        Self { files, ..Self::new("rebase", at, Kind::Conflict, agent, tree) }
    }

    fn new(event: &str, at: i64, verdict: Kind, agent: Option<String>, tree: Option<String>) -> Self {
        let nothing = BTreeMap::new;
        let (refused, warned, observed, waived) = (nothing(), nothing(), nothing(), nothing());
        let event = event.to_owned();
        Self { at, event, verdict, agent, tree, refused, warned, observed, waived, files: Vec::new() }
    }

    /// As a line, with its end.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

impl Entry {
    /// Reads one. Whatever it has goes to terminals and pages: it is made safe to show.
    fn read(text: &[u8]) -> Option<Self> {
        let mut entry: Self = serde_json::from_slice(text).ok()?;
        let rules = [&mut entry.refused, &mut entry.warned, &mut entry.observed, &mut entry.waived];
        for rules in rules.into_iter().filter(|rules| rules.keys().any(|rule| rule.contains(is_hidden))) {
            *rules = rules.iter().map(|(rule, count)| (plain(rule), *count)).collect();
        }
        let texts = entry.agent.iter_mut().chain([&mut entry.event]).chain(&mut entry.files);
        for text in texts.filter(|text| text.contains(is_hidden)) {
            *text = plain(text);
        }
        Some(entry)
    }
}

/// The records of a text, in its order, and how many were torn: what a full disk or a machine that went down has left of one
/// is no record, and takes none of the others with it.
pub fn parse(text: &[u8]) -> (Vec<Entry>, usize) {
    let (mut entries, mut torn) = (Vec::new(), 0);
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if let Some(entry) = Entry::read(line) {
            entries.push(entry);
            continue;
        }
        torn += 1;
        let line = String::from_utf8_lossy(line);
        let whole = line.rfind(BEGIN).filter(|at| *at > 0).map(|at| &line[at..]);
        entries.extend(whole.and_then(|whole| Entry::read(whole.as_bytes())));
    }
    (entries, torn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64) -> Entry {
        let refused = BTreeMap::from([("foreign-path".to_owned(), 2)]);
        Entry { refused, ..Entry::new("pre-commit", at, Kind::Fail, Some("a1".into()), Some("0f".into())) }
    }

    #[test]
    fn a_record_is_a_short_line() {
        let line = entry(1_800_000_000).line();
        insta::assert_snapshot!(line, @r#"{"at":1800000000,"event":"pre-commit","verdict":"fail","agent":"a1","tree":"0f","refused":{"foreign-path":2}}"#);
        assert_eq!(parse(line.as_bytes()), (vec![entry(1_800_000_000)], 0));
    }

    #[test]
    fn a_torn_record_takes_no_other_with_it() {
        let (one, two) = (entry(1).line(), entry(2).line());
        for cut in 1..one.len() - 1 {
            let (found, torn) = parse(format!("{two}{}{two}", &one[..cut]).as_bytes());
            assert_eq!((found, torn), (vec![entry(2), entry(2)], 1), "cut at {cut}");
            let (found, torn) = parse(format!("{two}{}", &one[..cut]).as_bytes());
            assert_eq!((found.len(), torn), (1, 1), "the last one, cut at {cut}");
        }
        assert_eq!(parse(b"\xff\xfe\n\n[]\n{}\n"), (Vec::new(), 3));
    }

    #[test]
    fn a_record_is_bounded() {
        let files = (0..10_000).map(|file| format!("services/common/{file}.py"));
        let entry = Entry::of_conflict(files, None, 1, None);
        assert!(entry.line().len() < 4_096 && entry.files.len() > 50, "{}", entry.line().len());
    }
}
