//! Coverage by tests, from the reports that test runners write: lcov tracefiles and Cobertura XML.

mod cobertura;
mod lcov;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use lane_core::metrics::{Coverage, CoverageFile, Metrics, Missing};
use lane_core::policy::{Owner, Plan};

use super::Query;
use crate::gather::tracked_below;
use lane_core::error::Error;
use lane_core::facts::RepoPath;
use lane_git::{Repository, state_file};

/// The largest report that is read, in bytes.
pub const LARGEST: u64 = 256 << 20;
/// What to do about a report that cannot be read.
const HELP: &str = "name reports in lcov or Cobertura form: git lane report --coverage FILE";
/// Where test runners put their reports, from the root of a worktree.
const USUAL: [&str; 10] = [
    "lcov.info",
    "coverage/lcov.info",
    "coverage.lcov",
    "target/lcov.info",
    "target/llvm-cov/lcov.info",
    "coverage.xml",
    "cobertura.xml",
    "coverage/cobertura-coverage.xml",
    "coverage/cobertura.xml",
    "build/reports/cobertura.xml",
];

/// One report as a test runner wrote it: whether each line that counts was reached, by file, by line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CoveredLines(BTreeMap<PathBuf, BTreeMap<u32, bool>>);

/// A report that was read.
pub struct CoverageReport {
    /// What it is called for people.
    name: String,
    /// `lcov` or `cobertura`.
    format: &'static str,
    lines: CoveredLines,
}

/// A report as bytes, and where it is from.
pub(super) struct Source {
    /// What it is called for people: a path, or an artifact with the file in it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl CoveredLines {
    /// Notes one line. A line that several tests look at is reached if one of them reaches it.
    fn add(&mut self, file: &Path, line: u32, is_reached: bool) {
        if !self.0.contains_key(file) {
            self.0.insert(file.to_owned(), BTreeMap::new());
        }
        if let Some(lines) = self.0.get_mut(file) {
            *lines.entry(line).or_default() |= is_reached;
        }
    }

    fn totals(&self) -> (u64, u64) {
        let lines = || self.0.values().flat_map(BTreeMap::values);
        (lines().count() as u64, lines().filter(|is_reached| **is_reached).count() as u64)
    }
}

/// The reports that somebody named.
///
/// # Errors
/// One of them cannot be read, or is in neither form.
pub fn named(paths: &[PathBuf]) -> Result<Vec<CoverageReport>, Error> {
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let bytes = state_file::read_file(path, LARGEST).map_err(|error| error.to_string());
        match bytes.and_then(|bytes| lines_of(&bytes)) {
            Ok((format, lines)) => Ok(CoverageReport { name, format, lines }),
            Err(reason) => Err(Error::usage(format!("{name} could not be read: {reason}"), HELP)),
        }
    };
    paths.iter().map(read).collect()
}

/// Puts into the report what the named files say, or, where none are named, those in the usual places.
pub fn read(query: &Query, metrics: &mut Metrics) {
    if !query.coverage.is_empty() {
        add(query, metrics, query.coverage);
        return;
    }
    let Some(root) = &query.repo.layout().worktree else { return };
    let mut sources = Vec::new();
    for name in USUAL.iter().filter(|name| root.join(name).is_file()) {
        match state_file::read_file(&root.join(name), LARGEST) {
            Ok(bytes) => sources.push(Source { name: (*name).to_owned(), bytes }),
            Err(error) => metrics.missing.push(unread(name, &error.to_string())),
        }
    }
    add_sources(query, metrics, sources);
}

/// Puts into the report what these say; one that is in neither form is missing.
pub(super) fn add_sources(query: &Query, metrics: &mut Metrics, sources: Vec<Source>) {
    let mut reports = Vec::new();
    for Source { name, bytes } in sources {
        match lines_of(&bytes) {
            Ok((format, lines)) => reports.push(CoverageReport { name, format, lines }),
            Err(reason) => metrics.missing.push(unread(&name, &reason)),
        }
    }
    // Without one, the files of the repository need not be known.
    if !reports.is_empty() {
        add(query, metrics, &reports);
    }
}

fn add(query: &Query, metrics: &mut Metrics, reports: &[CoverageReport]) {
    let mut all = CoveredLines::default();
    let mut read = Vec::new();
    let names = RepositoryFiles::of(query);
    for CoverageReport { name, format, lines } in reports {
        let (total, covered) = lines.totals();
        if total == 0 {
            metrics.missing.push(unread(name, "it has no line that counts"));
            continue;
        }
        read.push(CoverageFile { name: name.clone(), format, total, covered });
        for (file, lines) in &lines.0 {
            let file = names.find(file).unwrap_or_else(|| file.clone());
            lines.iter().for_each(|(line, is_reached)| all.add(&file, *line, *is_reached));
        }
    }
    if !read.is_empty() {
        metrics.coverage = Some(summary(query, &all, read));
    }
}

fn unread(name: &str, reason: &str) -> Missing {
    Missing {
        what: "coverage".to_owned(),
        reason: format!("{name} could not be read: {reason}"),
        help: Some(HELP.to_owned()),
    }
}

/// The form of a report, and what it says.
fn lines_of(bytes: &[u8]) -> Result<(&'static str, CoveredLines), String> {
    // Some programs write a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"<") {
        return cobertura::read(bytes).map(|lines| ("cobertura", lines));
    }
    let lcov = lcov::read(bytes)
        .map_err(|error| format!("it is neither Cobertura XML nor an lcov tracefile: {error}"));
    lcov.map(|lines| ("lcov", lines))
}

fn summary(query: &Query, all: &CoveredLines, files: Vec<CoverageFile>) -> Coverage {
    let is_wanted =
        |file: &Path| query.agent.is_none_or(|agent| owner(query.plan, file).as_deref() == Some(agent));
    let mut agents: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut total, mut covered) = (0, 0);
    for (file, lines) in all.0.iter().filter(|(file, _)| is_wanted(file)) {
        let (count, reached) =
            (lines.len() as u64, lines.values().filter(|is_reached| **is_reached).count() as u64);
        total += count;
        covered += reached;
        if let Some(agent) = owner(query.plan, file) {
            let sums = agents.entry(agent).or_default();
            *sums = (sums.0 + count, sums.1 + reached);
        }
    }
    let share = |total: u64, covered: u64| if total == 0 { 0.0 } else { covered as f64 / total as f64 };
    Coverage {
        lines: share(total, covered),
        total,
        covered,
        agents: agents.into_iter().map(|(agent, (total, covered))| (agent, share(total, covered))).collect(),
        files,
    }
}

/// The agent whose lane a file is in.
fn owner(plan: &Plan, file: &Path) -> Option<String> {
    match plan.decide(file.as_os_str().as_encoded_bytes(), false).owner? {
        Owner::Lane(agent) => Some(agent.id.value.clone()),
        Owner::Area(_) => None,
    }
}

/// The files of the repository, to know those of a report by: it may name them from another folder or another machine.
struct RepositoryFiles {
    root: Option<PathBuf>,
    tracked: HashSet<Vec<u8>>,
}

impl RepositoryFiles {
    fn of(query: &Query) -> Self {
        let tracked = tracked_below(query.repo, &RepoPath(Vec::new())).unwrap_or_default();
        let root = query.repo.layout().worktree.as_ref();
        let root = root.map(|root| std::fs::canonicalize(root).unwrap_or_else(|_| root.clone()));
        Self { root, tracked: tracked.into_iter().map(|path| path.0).collect() }
    }

    /// The tracked file that is meant: the longest end of the path that is one.
    fn find(&self, named: &Path) -> Option<PathBuf> {
        let inside = self.root.as_ref().and_then(|root| named.strip_prefix(root).ok()).unwrap_or(named);
        let mut rest = inside.components();
        loop {
            let path = rest.as_path();
            if self.tracked.contains(path.as_os_str().as_encoded_bytes()) {
                return Some(path.to_owned());
            }
            rest.next()?;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn totals(text: &str) -> Result<(&'static str, u64, u64), String> {
        lines_of(text.as_bytes()).map(|(format, lines)| (format, lines.totals().0, lines.totals().1))
    }

    #[test]
    fn both_forms_are_known_by_what_is_in_them() {
        assert_eq!(totals("TN:\nSF:a.py\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nend_of_record\n"), Ok(("lcov", 2, 1)));
        let xml = r#"<?xml version="1.0" ?>
            <!DOCTYPE coverage SYSTEM 'https://raw.githubusercontent.com/cobertura/web/master/htdocs/xml/coverage-04.dtd'>
            <coverage><sources><source>/src</source></sources><packages><package><classes>
            <class filename="a.py"><lines><line number="1" hits="3"/><line number="2" hits="0"/></lines></class>
            </classes></package></packages></coverage>"#;
        assert_eq!(totals(xml), Ok(("cobertura", 2, 1)));
        assert_eq!(totals(&format!("\u{feff}{xml}")), Ok(("cobertura", 2, 1)));
        assert_eq!(totals("\u{feff}SF:a.py\r\nDA:1,1\r\nend_of_record\r\n"), Ok(("lcov", 1, 1)));
        assert!(totals("hello").is_err());
        assert!(totals("<html><body/></html>").unwrap_err().contains("coverage"));
    }

    #[test]
    fn a_line_counts_once_and_is_reached_if_one_test_reaches_it() {
        let text = "SF:a\nDA:1,0\nDA:2,0\nend_of_record\nSF:a\nDA:1,4\nend_of_record\n";
        assert_eq!(totals(text), Ok(("lcov", 2, 1)));
    }

    #[test]
    fn a_file_is_known_by_the_longest_end_of_its_path() {
        let tracked = ["src/a.py", "a.py", "web/src/b.ts"].map(|path| path.as_bytes().to_vec());
        let files = RepositoryFiles { root: Some("/repo".into()), tracked: tracked.into() };
        let find = |path: &str| files.find(Path::new(path)).map(|found| found.display().to_string());
        assert_eq!(find("/repo/src/a.py").as_deref(), Some("src/a.py"));
        assert_eq!(find("/home/runner/work/x/x/web/src/b.ts").as_deref(), Some("web/src/b.ts"));
        assert_eq!(find("./src/a.py").as_deref(), Some("src/a.py"));
        assert_eq!(find("lib/a.py").as_deref(), Some("a.py"));
        assert_eq!(find("/usr/lib/python/site.py"), None);
    }
}
