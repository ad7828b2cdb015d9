//! What a verdict looks like: to programs as JSON, to people and agents as text, to GitHub and GitLab as
//! they want it. Everything is made from the one [`Report`].

mod finding;
mod fingerprint;
mod format;
pub mod github;
pub mod gitlab;
pub mod json;
mod location;
mod narrow;
pub mod sarif;
mod shell;
pub mod summary;
#[cfg(test)]
mod testing;
pub mod text;
mod timing;

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::{Event, Oid, RepoPath};
use crate::policy::model::{CustomRule, Mode};
use crate::policy::{Place, Source};

pub use finding::{Finding, Waived};
pub use format::Format;
pub use narrow::narrow;
pub use shell::quote;
pub use timing::{Timing, TimingKind};

/// The forms that a report has. What `--format` takes comes from here.
pub static FORMATS: &[&Format] =
    &[&text::FORMAT, &json::FORMAT, &github::FORMAT, &sarif::FORMAT, &gitlab::FORMAT];

/// The verdict on everything that was judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "git-lane report")]
pub struct Report {
    /// Version of this format; 1. Keys are only ever added.
    pub schema: u32,
    /// The verdict. What is only observed does not count.
    pub verdict: Verdict,
    /// Whether the policy enforces its rules, or only observes.
    pub mode: Mode,
    /// What the verdict would be if nothing was only observed; null where everything is enforced.
    pub observed: Option<Verdict>,
    /// What asked for it: a hook's name, or `check`.
    pub event: &'static str,
    /// The agent whose change it is; null for a maintainer, or where refs of several agents are pushed.
    pub agent: Option<String>,
    /// How sure that is.
    pub identity: Identity,
    /// The branch, if one change was judged.
    pub branch: Option<String>,
    /// The merge base, if one change was judged.
    #[schemars(with = "Option<String>")]
    pub base: Option<Oid>,
    /// The ref of the protected branch that the change is held against, if one change was judged.
    pub base_ref: Option<String>,
    /// The tip, if one change was judged.
    #[schemars(with = "Option<String>")]
    pub head: Option<Oid>,
    /// The address of the remote that holds the base, without anybody's password; null where it is no
    /// address that others could use, or nobody needed to know.
    pub repository: Option<String>,
    /// The policy that decided.
    pub policy: PolicySource,
    /// Who read the repository, in words, for people who ask for more.
    #[serde(skip)]
    #[schemars(skip)]
    pub reader: Option<&'static str>,
    /// Size of the whole change; summed up where several were judged.
    pub stats: Stats,
    /// Breaches of rules, sorted by rule, path, commit.
    pub findings: Vec<Finding>,
    /// What could not be decided; then the verdict is `undecided`.
    pub undecided: Vec<UndecidedRule>,
    /// Each change that was judged: one, or one for each pushed ref.
    pub changes: Vec<ChangeSummary>,
    /// What lies in the working tree and was not judged; null where nobody looked.
    pub not_judged: Option<NotJudged>,
    /// What whoever reads the report should know besides.
    pub notes: Vec<String>,
    /// What each part of the verdict took; only where somebody asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub timings: Vec<Timing>,
    /// The rules of the team's own that the policy has, for formats that list all rules.
    #[serde(skip)]
    #[schemars(skip)]
    pub custom: Vec<CustomRule>,
}

/// Files of the working tree that were not judged: not staged, or not known to git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotJudged {
    /// How many there are.
    pub count: usize,
    /// The first of them, a hundred at most.
    #[schemars(with = "Vec<String>")]
    pub files: Vec<RepoPath>,
}

impl NotJudged {
    /// These files.
    pub fn new(files: Vec<RepoPath>) -> Self {
        Self { count: files.len(), files: files.into_iter().take(100).collect() }
    }
}

/// Pass, fail, or could not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing, or warnings.
    Pass,
    /// At least one error.
    Fail,
    /// Something could not be read.
    Undecided,
}

impl Verdict {
    /// The exit code: 0, 1, 2.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Undecided => 2,
        }
    }
}

/// How sure the report is of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// No agent is known.
    None,
    /// Somebody said so.
    Claimed,
    /// A signature or an account shows it.
    Proven,
}

/// Where the policy was read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicySource {
    /// `refs/remotes/origin/main:policy.yaml`, or the path of a file.
    pub source: String,
    /// The blob's id.
    pub oid: Option<String>,
}

/// The size of a change. Null: nobody needed to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stats {
    /// Commits of the change.
    pub commits: Option<usize>,
    /// Files, a rename being one.
    pub files: Option<usize>,
    /// Lines added, as `git diff --numstat -M` counts them.
    pub added: Option<u64>,
    /// Lines deleted, likewise.
    pub deleted: Option<u64>,
    /// Lines that count against the limit.
    pub counted: Option<u64>,
    /// The ref that these lines are counted from: a pushed branch of the same agent that the change is based on. Null:
    /// from the merge base.
    pub counted_from: Option<String>,
    /// The most lines that one change may have; null: any number.
    pub limit: Option<u64>,
}

/// One change that was judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChangeSummary {
    /// The ref that was pushed.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The branch's short name.
    pub branch: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// How sure that is.
    pub identity: Identity,
    /// The merge base.
    #[schemars(with = "Option<String>")]
    pub base: Option<Oid>,
    /// The ref of the protected branch that it is held against.
    pub base_ref: Option<String>,
    /// Whether that is another one than the base that the policy names.
    #[serde(skip)]
    #[schemars(skip)]
    pub is_other_base: bool,
    /// The tip.
    #[schemars(with = "Option<String>")]
    pub head: Option<Oid>,
    /// Its size.
    pub stats: Stats,
    /// Its binary files, which have no lines.
    #[schemars(with = "Vec<String>")]
    pub binary: Vec<RepoPath>,
}

/// Something that could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UndecidedRule {
    /// The rule that could not, if it was one rule.
    pub rule: Option<String>,
    /// What could not be read, and why.
    pub reason: String,
    /// The next step.
    pub help: Option<String>,
    /// Where in the policy, if the policy is to blame.
    pub place: Option<Location>,
    /// Whether that is only observed, and lets the change pass.
    pub observed: bool,
}

/// A place in the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Location {
    /// The file, where it is another one than the policy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line number, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl Location {
    /// Where a byte offset of a policy is.
    pub fn of(source: &Source, offset: usize) -> Self {
        let Place { file, line, column } = source.place(offset);
        Self { file: (file != source.name).then(|| file.to_owned()), line, column }
    }
}

impl Report {
    /// Puts a report together; what several changes share is told at the top.
    pub fn new(
        verdict: Verdict,
        event: Event,
        repository: Option<String>,
        policy: PolicySource,
        changes: Vec<ChangeSummary>,
        findings: Vec<Finding>,
        undecided: Vec<UndecidedRule>,
    ) -> Self {
        let agent = changes.first().and_then(|change| change.agent.clone());
        let agent = agent.filter(|agent| changes.iter().all(|change| change.agent.as_ref() == Some(agent)));
        let single = (changes.len() == 1).then(|| &changes[0]);
        Self {
            schema: 1,
            verdict,
            mode: Mode::Enforce,
            observed: None,
            event: event.name(),
            identity: match &agent {
                None => Identity::None,
                Some(_) if changes.iter().all(|change| change.identity == Identity::Proven) => {
                    Identity::Proven
                }
                Some(_) => Identity::Claimed,
            },
            agent,
            branch: single.and_then(|change| change.branch.clone()),
            base: single.and_then(|change| change.base),
            base_ref: single.and_then(|change| change.base_ref.clone()),
            head: single.and_then(|change| change.head),
            repository,
            policy,
            reader: None,
            stats: total_stats(&changes),
            findings,
            undecided,
            changes,
            not_judged: None,
            notes: Vec::new(),
            timings: Vec::new(),
            custom: Vec::new(),
        }
    }

    /// A report for programs about an error that came before any verdict.
    pub fn undecided(event: &'static str, error: &crate::error::Error) -> Self {
        let (source, undecided) = match error.policy() {
            Some(error) => {
                let all = error.diagnostics.iter().map(|diagnostic| {
                    let at = diagnostic.span.start;
                    UndecidedRule {
                        rule: None,
                        reason: format!("{}: {}", error.text.place(at), diagnostic.message),
                        help: diagnostic.help.clone(),
                        place: Some(Location::of(&error.text, at)),
                        observed: false,
                    }
                });
                (error.text.name.clone(), all.collect())
            }
            None => {
                let help = error.help();
                (
                    String::new(),
                    vec![UndecidedRule {
                        rule: None,
                        reason: error.to_string(),
                        help,
                        place: None,
                        observed: false,
                    }],
                )
            }
        };
        Self {
            schema: 1,
            verdict: Verdict::Undecided,
            mode: Mode::Enforce,
            observed: None,
            event,
            agent: None,
            identity: Identity::None,
            branch: None,
            base: None,
            base_ref: None,
            head: None,
            repository: None,
            policy: PolicySource { source, oid: None },
            reader: None,
            stats: Stats::default(),
            findings: Vec::new(),
            undecided,
            changes: Vec::new(),
            not_judged: None,
            notes: Vec::new(),
            timings: Vec::new(),
            custom: Vec::new(),
        }
    }

    /// The verdict that counts, and what it would be if nothing was only observed.
    pub fn decide(&mut self, mode: Mode) {
        let worst = |is_undecided: bool, fails: bool| match (is_undecided, fails) {
            (true, _) => Verdict::Undecided,
            (_, true) => Verdict::Fail,
            _ => Verdict::Pass,
        };
        let is_undecided = self.undecided.iter().any(|undecided| !undecided.observed);
        self.verdict = worst(is_undecided, self.findings.iter().any(Finding::is_error));
        let fails = self.findings.iter().any(|finding| finding.is_error() || finding.is_observed());
        let has_any = self.findings.iter().any(Finding::is_observed)
            || self.undecided.iter().any(|undecided| undecided.observed);
        let whole = worst(!self.undecided.is_empty(), fails);
        (self.mode, self.observed) = (mode, (mode == Mode::Observe || has_any).then_some(whole));
    }

    /// What would be refused, and is not; `None` where nothing is.
    pub fn spared(&self) -> Option<Verdict> {
        self.observed.filter(|observed| self.verdict == Verdict::Pass && *observed != Verdict::Pass)
    }

    /// The JSON Schema of the report.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Report).to_value()
    }
}

fn total_stats(changes: &[ChangeSummary]) -> Stats {
    fn sum<T: std::iter::Sum>(all: impl Iterator<Item = Option<T>>) -> Option<T> {
        let mut all = all.peekable();
        all.peek()?;
        all.sum()
    }
    let stats = || changes.iter().map(|change| &change.stats);
    Stats {
        commits: sum(stats().map(|stats| stats.commits)),
        files: sum(stats().map(|stats| stats.files)),
        added: sum(stats().map(|stats| stats.added)),
        deleted: sum(stats().map(|stats| stats.deleted)),
        counted: sum(stats().map(|stats| stats.counted)),
        counted_from: match changes {
            [change] => change.stats.counted_from.clone(),
            _ => None,
        },
        limit: changes.first().and_then(|change| change.stats.limit),
    }
}
