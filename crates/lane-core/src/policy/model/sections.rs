//! What the sections of a policy set: branches, messages, sizes, history, waivers, locks, setup.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::goals::{NumberRange, Percentage, Rate};
use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::{OneOrMany, Presence};

/// Rules for branch names.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Branch {
    /// A pattern with `{agent}` and any other placeholder, such as `{feature}`.
    pub pattern: Option<Spanned<String>>,
    /// A regular expression that whole names have to match, in place of a pattern, with `{agent}` or a group `(?<agent>…)`.
    pub regex: Option<Spanned<String>>,
    /// A name that the expression matches, with `{agent}`: after it branches are named.
    pub example: Option<Spanned<String>>,
    /// Branches that no agent may push to: names or globs.
    pub protected: Vec<Spanned<String>>,
}

impl Branch {
    /// What says how branches are named.
    pub fn names(&self) -> Option<&Spanned<String>> {
        self.pattern.as_ref().or(self.regex.as_ref())
    }
}

/// Limits of a change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    /// The most lines, added plus deleted, that a change may have. Null: no limit.
    pub max_lines: Option<Spanned<u64>>,
    /// From how many lines on there is a warning.
    pub warn_at: Option<Spanned<u64>>,
    /// Patterns of files whose lines do not count.
    pub exclude: Vec<Spanned<String>>,
}

/// Rules for history.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct History {
    /// Whether a change may hold merge commits.
    pub merges: Spanned<Merges>,
    /// How old the merge base may be once the base has moved on. Null: any age.
    pub max_age: Option<Spanned<Duration>>,
    /// Whether a branch of an agent may be moved to commits that no hook has judged: those of `git commit --no-verify`, cherry-pick, am, rebase,
    /// merge, reset. Deny: they are judged then, by the rules of a commit.
    pub unverified: Spanned<Unverified>,
    /// Whether commits have to be signed.
    pub signatures: Spanned<Presence>,
}

/// What becomes of commits that no hook has judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unverified {
    /// They wait for the push.
    Allow,
    /// They are judged before a branch is moved to them.
    Deny,
}

impl Change {
    /// Whether a size is too large.
    pub fn is_limited(&self) -> bool {
        self.max_lines.is_some() || self.warn_at.is_some()
    }
}

/// Whether merges are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Merges {
    /// They are.
    Allow,
    /// Rebase, don't merge.
    Deny,
}

/// Rules for pull requests.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PullRequests {
    /// Labels that the pull request of an agent must have. `{agent}` is the id, `{AGENT}` the id in capitals.
    #[schemars(with = "OneOrMany")]
    pub labels: Vec<Spanned<String>>,
}

/// How findings may be waived.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Waivers {
    /// What waives a finding.
    pub accept: Spanned<Accept>,
    /// How long a label counts after it was set.
    pub max_age: Spanned<Duration>,
}

/// What waives a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// A label `lane-waive: <rule>` that a maintainer set on the pull request.
    Labels,
    /// Nothing.
    None,
}

/// How locks live.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Locks {
    /// How long a lock lives unless it is renewed.
    pub ttl: Spanned<Duration>,
    /// The shortest life that may be asked for.
    pub min_ttl: Spanned<Duration>,
    /// The longest life that may be asked for.
    pub max_ttl: Spanned<Duration>,
    /// How long a holder's process must be gone before its lock may be taken over.
    pub grace: Spanned<Duration>,
    /// The git remote that holds the locks for several machines.
    pub remote: Option<Spanned<String>>,
    /// Where the refs of locks lie. A host that takes only branches and tags needs one below `refs/heads/`.
    pub prefix: Spanned<String>,
    /// What gives a lock back when its work has landed.
    pub release: Spanned<Release>,
}

impl Locks {
    /// Where the refs of locks lie, without a slash at the end.
    pub fn locks_prefix(&self) -> &str {
        self.prefix.value.trim_end_matches('/')
    }

    /// What a ref's name has below those of locks; `None`: it lies elsewhere.
    pub fn lock_of<'r>(&self, reference: &'r str) -> Option<&'r str> {
        reference.strip_prefix(self.locks_prefix())?.strip_prefix('/')
    }

    /// What a ref's name has below those of requests; `None`: it lies elsewhere.
    pub fn request_of<'r>(&self, reference: &'r str) -> Option<&'r str> {
        reference.strip_prefix(&self.requests_prefix())?.strip_prefix('/')
    }

    /// What a ref's name has below those of landings; `None`: it lies elsewhere.
    pub fn landing_of<'r>(&self, reference: &'r str) -> Option<&'r str> {
        reference.strip_prefix(&self.landings_prefix())?.strip_prefix('/')
    }

    /// Whether a ref is one of git-lane's own records: a lock, a request, a landing.
    pub fn is_record(&self, reference: &str) -> bool {
        self.lock_of(reference)
            .or(self.request_of(reference))
            .or_else(|| self.landing_of(reference))
            .is_some()
    }

    /// Where the refs of landings lie, without a slash at the end: beside those of locks.
    pub fn landings_prefix(&self) -> String {
        let prefix = self.locks_prefix();
        let (parent, last) = prefix.rsplit_once('/').unwrap_or(("refs/lane", prefix));
        format!("{parent}/{}", if last == "landings" { "landing" } else { "landings" })
    }

    /// Where the refs of requests lie, without a slash at the end: beside those of locks.
    pub fn requests_prefix(&self) -> String {
        let prefix = self.locks_prefix();
        let (parent, last) = prefix.rsplit_once('/').unwrap_or(("refs/lane", prefix));
        format!("{parent}/{}", if last == "requests" { "asked" } else { "requests" })
    }
}

/// What gives a lock back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// `git lane unlock`, or the end of its life.
    Manual,
    /// Also that all commits made under it are pushed.
    OnPush,
    /// Also that all of its work is on the base.
    OnMerge,
}

/// What `git lane setup` writes into each worktree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Setup {
    /// The files with the agent's instructions, from the worktree's root; they stay local.
    pub instructions: Vec<Spanned<String>>,
}

/// How `git lane watch` tells what is new, besides printing it; an option or `lane.notify…` in git's configuration comes first.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Notify {
    /// The address of a webhook that takes messages as Slack does, by reference: `${NAME}`. It is a secret.
    pub webhook: Option<Spanned<String>>,
    /// A shell command that is run for each notice, with it in the environment and on standard input.
    pub exec: Option<Spanned<String>>,
    /// Whether the desktop shows it.
    pub desktop: Option<Spanned<bool>>,
}

/// One step that makes a new worktree ready.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Provision {
    /// What progress and messages call it.
    pub name: Spanned<String>,
    /// A shell command, run in the worktree with the agent's environment.
    pub run: Spanned<String>,
    /// An environment variable that must be set for the step to run.
    pub when: Option<Spanned<String>>,
}

/// How `git lane land` brings a branch onto its base. Agents may do so where a policy has this.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Land {
    /// Shell commands that have to succeed on the merged result, in their order.
    pub run: Vec<Spanned<String>>,
    /// Whether a branch lands as one commit.
    pub squash: Spanned<bool>,
    /// How long each of the commands may take.
    pub timeout: Spanned<Duration>,
}

impl Default for Land {
    /// No commands, commit by commit.
    fn default() -> Self {
        let timeout = Duration { text: "30m".to_owned(), seconds: 1_800 };
        Self { run: Vec::new(), squash: Spanned::default_of(false), timeout: Spanned::default_of(timeout) }
    }
}

/// Goals of `git lane report`: what has none is reported all the same.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Metrics {
    /// How many changes each agent is to have merged on a day on which it works: `1..2`.
    pub velocity: Option<Spanned<NumberRange>>,
    /// There are to be fewer conflicts than this: `2/week`.
    pub conflicts: Option<Spanned<Rate>>,
    /// The median build is to take less than this: `5m`.
    pub build: Option<Spanned<Duration>>,
    /// More of the lines are to be covered by tests than this: `80%`.
    pub coverage: Option<Spanned<Percentage>>,
    /// More of what is merged is to pass CI than this: `95%`.
    pub integration: Option<Spanned<Percentage>>,
    /// Whether hooks keep a local journal of their verdicts, for the report.
    pub journal: Spanned<Journal>,
}

/// Whether verdicts are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Journal {
    /// They are, in the common git folder.
    On,
    /// They are not.
    Off,
}
