//! How a pull request gets onto its base: merge queue, auto-merge or neither, and the state that it is in.

mod ask;
mod data;
mod read;

use serde::{Deserialize, Serialize};

pub use ask::{LandingOutcome, MergeRequest, Obstacle};

const READS: &str = "contents: read, pull-requests: read";
const WRITES: &str = "contents: write, pull-requests: write";

/// How the commits of a pull request get onto its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergeMethod {
    /// With a merge commit.
    Merge,
    /// As one new commit.
    Squash,
    /// Each as a new commit.
    Rebase,
}

/// What GitHub offers for a branch that something is to land on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Who brings a pull request onto it.
    pub way: LandingWay,
    /// The pull request that was asked about.
    pub pull: Option<PullState>,
    /// The merge methods that the repository allows.
    pub methods: Vec<MergeMethod>,
    /// The types of the rules that rulesets set for the branch, as `pull_request`. Classic branch protection is not here.
    pub rules: Vec<String>,
}

impl Landing {
    /// Whether a rule refuses a push to the branch; classic branch protection may refuse it as well.
    pub fn refuses_push(&self) -> bool {
        self.rules.iter().any(|rule| ["pull_request", "merge_queue", "update"].contains(&rule.as_str()))
    }
}

/// Who brings a pull request onto its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LandingWay {
    /// The merge queue of the base.
    MergeQueue {
        /// Its page.
        url: Option<String>,
        /// How it merges, whatever a caller wants.
        method: Option<MergeMethod>,
        /// How many pull requests are in it.
        length: Option<u64>,
    },
    /// GitHub, as soon as everything that the base requires is there.
    AutoMerge,
    /// Whoever merges or pushes.
    Neither(NeitherReason),
}

/// Why GitHub has neither a merge queue nor auto-merge for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeitherReason {
    /// The repository does not allow auto-merge.
    NotAllowed,
    /// There is no pull request.
    NoPull,
    /// It is merged or closed.
    NotOpen,
    /// It is a draft.
    Draft,
    /// It could be merged at once.
    NothingToWaitFor,
    /// This account may not, or the base has no branch protection.
    NotAvailable,
}

impl std::fmt::Display for NeitherReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAllowed => "the repository does not allow auto-merge",
            Self::NoPull => "there is no pull request",
            Self::NotOpen => "the pull request is not open",
            Self::Draft => "the pull request is a draft",
            Self::NothingToWaitFor => "the pull request can be merged now",
            Self::NotAvailable => "auto-merge is not available to this account, or the base is not protected",
        })
    }
}

/// A pull request on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullState {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its identity in GraphQL.
    pub(super) id: String,
    /// Whether it is open.
    pub status: PullStatus,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// The branch that it is to be merged into.
    pub base_ref: String,
    /// Its own branch.
    pub head_ref: String,
    /// The tip of that; of a merged one, what was merged.
    pub head_sha: String,
    /// What reviews amount to; `None` where nobody has to review and nobody did.
    pub review: Option<ReviewDecision>,
    /// Whether it could be merged.
    pub merge_state: MergeState,
    /// Whether its base has a merge queue.
    pub base_has_queue: bool,
    /// Its place in the merge queue.
    pub queue: Option<QueueEntry>,
    /// How it is to be merged, if auto-merge is on.
    pub auto_merge: Option<MergeMethod>,
    /// Whether auto-merge can be enabled, now and by us.
    pub can_enable_auto_merge: bool,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullStatus {
    /// Neither merged nor closed.
    Open,
    /// Closed without being merged.
    Closed,
    /// Merged.
    Merged {
        /// The commit on the base.
        commit: Option<String>,
    },
}

/// What reviews amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewDecision {
    /// Somebody who counts approved it.
    Approved,
    /// Somebody who counts wants changes.
    ChangesRequested,
    /// A review is required.
    Required,
}

/// Whether a pull request could be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeState {
    /// At once.
    Clean,
    /// At once; a check that is not required failed or is not done.
    Unstable,
    /// At once, and hooks of the server will run.
    HasHooks,
    /// Not before something that the base requires is there: a check, a review.
    Blocked,
    /// Not before the newer commits of the base are in it.
    Behind,
    /// Not without resolving conflicts.
    Conflicts,
    /// GitHub has not worked it out, or has a state that it did not have when this was written.
    Unknown,
}

impl MergeState {
    /// Whether nothing stands in the way.
    pub fn is_mergeable(self) -> bool {
        matches!(self, Self::Clean | Self::Unstable | Self::HasHooks)
    }
}

/// A place in a merge queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QueueEntry {
    /// From 1.
    pub position: u64,
    /// GitHub's word: `QUEUED`, `AWAITING_CHECKS`, `MERGEABLE`, `UNMERGEABLE`, `LOCKED`.
    pub state: String,
}
