//! One breach of one rule, and what is to be done about it.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::quote;
use crate::facts::{Oid, RepoPath};
use crate::policy::PolicyLine;
use crate::policy::model::Level;
use crate::rules::Words;

/// One breach of one rule, at one place.
#[derive(Debug, Clone, JsonSchema)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// Error or warn.
    pub level: Level,
    /// Whether it would be refused, and is only observed: `mode: observe`, or the rule's level. Its level is then `warn`.
    pub observed: bool,
    /// What is wrong, as one sentence.
    pub message: String,
    /// The path, as git prints it with `core.quotePath=false`.
    #[schemars(with = "Option<String>")]
    pub path: Option<RepoPath>,
    /// The line of the file, from 1, where it is about one.
    pub line: Option<u64>,
    /// The commit, where only commits show it; null for a finding about the whole change.
    #[schemars(with = "Option<String>")]
    pub commit: Option<Oid>,
    /// The commits that brought it.
    #[schemars(with = "Vec<String>")]
    pub commits: Vec<Oid>,
    /// The ref.
    #[schemars(rename = "ref")]
    pub reference: Option<String>,
    /// The agent who owns what was touched, or holds the lock.
    pub owner: Option<String>,
    /// The line of the policy that decided.
    pub policy: Option<PolicyLine>,
    /// Who lets it stand, if a maintainer does; then it counts no more.
    pub waived: Option<Waived>,
    /// Why a commit asks to let it stand. Asking waives nothing.
    pub waiver_request: Option<String>,
    /// The next legal step; `{paths}` stands for the paths of a block of findings, `{pathspecs}` for the same as git
    /// reads them, `{others}` for all paths but these, `{but}` for what leaves these out.
    #[schemars(rename = "help", with = "String")]
    pub help_template: String,
    /// What findings that are shown as one block share.
    #[schemars(skip)]
    pub headline: String,
    /// What a rule of the team's own says.
    #[schemars(skip)]
    pub words: Option<Words>,
    /// The subject of the commit, where the commit is what is wrong.
    #[schemars(skip)]
    pub subject: Option<String>,
    /// Whether paths in commands need `:/` before them.
    #[schemars(skip)]
    pub in_subfolder: bool,
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Finding", 13)?;
        out.serialize_field("rule", &self.rule)?;
        out.serialize_field("level", &self.level)?;
        out.serialize_field("observed", &self.observed)?;
        out.serialize_field("message", &self.message)?;
        out.serialize_field("path", &self.path)?;
        out.serialize_field("line", &self.line)?;
        out.serialize_field("commit", &self.commit)?;
        out.serialize_field("commits", &self.commits)?;
        out.serialize_field("ref", &self.reference)?;
        out.serialize_field("owner", &self.owner)?;
        out.serialize_field("policy", &self.policy)?;
        out.serialize_field("waived", &self.waived)?;
        out.serialize_field("waiver_request", &self.waiver_request)?;
        out.serialize_field("help", &self.help(self.path.as_slice()))?;
        out.end()
    }
}

/// A maintainer's word that a finding may stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waived {
    /// The maintainer's account.
    pub by: String,
    /// When, in UTC: `2026-11-24T12:00:00Z`.
    pub at: String,
    /// Until when it counts.
    pub until: String,
    /// Why, in the words of the commit that asked for it.
    pub reason: Option<String>,
}

impl Waived {
    /// In words: `waived by alice until 2026-11-25T12:00:00Z: a generated client`.
    pub fn words(&self) -> String {
        let why = self.reason.as_ref().filter(|reason| !reason.is_empty());
        let why = why.map_or_else(|| " (no reason given in a commit)".to_owned(), |why| format!(": {why}"));
        format!("waived by {} at {}, until {}{why}", self.by, self.at, self.until)
    }
}

/// How many files findings are about: a rule of the team's own can find several lines of one.
pub(super) fn files(block: &[&Finding]) -> usize {
    let paths: HashSet<&RepoPath> = block.iter().filter_map(|finding| finding.path.as_ref()).collect();
    paths.len()
}

impl Finding {
    /// Whether the verdict fails by it.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error && self.waived.is_none()
    }

    /// Whether the verdict would fail by it, if it was not only observed.
    pub fn is_observed(&self) -> bool {
        self.observed && self.waived.is_none()
    }

    /// Whether it is told, and passes.
    pub fn is_warning(&self) -> bool {
        self.level == Level::Warn && !self.observed && self.waived.is_none()
    }

    /// The next step for these paths, quoted for a shell.
    pub fn help(&self, paths: &[RepoPath]) -> String {
        let mut help = self.help_template.clone();
        let mut fill = |place: &str, word: &dyn Fn(&RepoPath) -> Vec<u8>, before: &str| {
            if help.contains(place) {
                let words: Vec<String> = paths.iter().map(|path| quote(&word(path))).collect();
                help = help.replace(place, &format!("{before}{}", words.join(" ")));
            }
        };
        let with = |magic: &str, path: &RepoPath| [magic.as_bytes(), path.0.as_slice()].concat();
        let without = |path: &RepoPath| with(":(top,exclude,literal)", path);
        fill("{others}", &without, ":/ ");
        fill("{but}", &without, "");
        // git takes these for patterns.
        let is_special =
            |path: &RepoPath| path.0.starts_with(b":") || path.0.iter().any(|byte| b"*?[\\".contains(byte));
        let pathspec = |path: &RepoPath| match (is_special(path), self.in_subfolder) {
            (true, _) => with(":(top,literal)", path),
            (false, true) => with(":/", path),
            (false, false) => path.0.clone(),
        };
        fill("{pathspecs}", &pathspec, "");
        fill("{paths}", &|path| with(if self.in_subfolder { ":/" } else { "" }, path), "");
        help
    }

    /// The headline behind a count such as `2 files `. What a rule of the team's own says is no end of a sentence about files.
    pub(super) fn heading(&self, count: &str) -> String {
        match count.trim_end() {
            label if self.words.is_some() && !label.is_empty() => format!("{label}: {}", self.headline),
            _ => format!("{count}{}", self.headline),
        }
    }

    /// The line of the file to point at: formats want one for whatever is about a file.
    pub fn line_or_first(&self) -> usize {
        self.line.and_then(|line| usize::try_from(line).ok()).unwrap_or(1)
    }

    /// What findings are sorted by.
    pub fn sort_key(&self) -> (&str, Option<&RepoPath>, Option<&Oid>, Option<&String>) {
        let (path, commit) = (self.path.as_ref(), self.commit.as_ref());
        (&self.rule, path, commit, self.reference.as_ref())
    }
}
