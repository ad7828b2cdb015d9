//! What GraphQL says of repositories and pull requests.

use serde::Deserialize;

use super::{LandingWay, MergeMethod, MergeState, PullState, PullStatus, QueueEntry, ReviewDecision};

/// The fields of [`PullState`].
pub const PULL_FIELDS: &str = "fragment PullState on PullRequest {
  id number url state isDraft baseRefName headRefName headRefOid mergeCommit { oid }
  mergeStateStatus reviewDecision isMergeQueueEnabled mergeQueueEntry { position state }
  autoMergeRequest { mergeMethod } viewerCanEnableAutoMerge
  latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } }
}";
pub const LANDING: &str =
    "query Landing($owner: String!, $name: String!, $base: String!, $number: Int!, $hasPull: Boolean!) {
  repository(owner: $owner, name: $name) {
    autoMergeAllowed mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    mergeQueue(branch: $base) { url configuration { mergeMethod } entries(first: 1) { totalCount } }
    pullRequest(number: $number) @include(if: $hasPull) { ...PullState }
  }
}";
pub const STATE: &str = "query PullState($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { ...PullState } }
}";

#[derive(Deserialize)]
pub struct RepositoryData<T> {
    pub repository: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LandingData {
    pub auto_merge_allowed: bool,
    merge_commit_allowed: bool,
    squash_merge_allowed: bool,
    rebase_merge_allowed: bool,
    pub merge_queue: Option<QueueData>,
    #[serde(default)]
    pub pull_request: Option<PullData>,
}

#[derive(Deserialize)]
pub struct QueueData {
    url: Option<String>,
    configuration: Option<QueueConfiguration>,
    entries: Option<Total>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueConfiguration {
    merge_method: Option<MergeMethod>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    total_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullOnly {
    pub pull_request: PullData,
}

/// The fields of [`PULL_FIELDS`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullData {
    id: String,
    number: u64,
    url: String,
    state: String,
    is_draft: bool,
    base_ref_name: String,
    head_ref_name: String,
    head_ref_oid: String,
    merge_commit: Option<CommitData>,
    merge_state_status: String,
    review_decision: Option<String>,
    is_merge_queue_enabled: bool,
    merge_queue_entry: Option<QueueEntry>,
    auto_merge_request: Option<AutoMergeData>,
    viewer_can_enable_auto_merge: bool,
    latest_opinionated_reviews: Option<ReviewsData>,
}

/// The last reviews that approve or want changes, of those who may push.
#[derive(Deserialize)]
struct ReviewsData {
    nodes: Option<Vec<Option<ReviewData>>>,
}

#[derive(Deserialize)]
struct ReviewData {
    state: String,
}

#[derive(Deserialize)]
struct CommitData {
    oid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoMergeData {
    merge_method: MergeMethod,
}

impl PullData {
    /// Whether GitHub is still working out whether it can be merged.
    pub fn is_computing(&self) -> bool {
        self.state == "OPEN" && self.merge_state_status == "UNKNOWN"
    }

    /// What reviews amount to. GitHub decides only where reviews are required; where they are not, one that wants
    /// changes still does.
    fn review(&self) -> Option<ReviewDecision> {
        let latest = self.latest_opinionated_reviews.as_ref().and_then(|reviews| reviews.nodes.as_ref());
        let wants_changes = |review: &ReviewData| review.state == "CHANGES_REQUESTED";
        match self.review_decision.as_deref() {
            Some("APPROVED") => Some(ReviewDecision::Approved),
            Some("CHANGES_REQUESTED") => Some(ReviewDecision::ChangesRequested),
            Some("REVIEW_REQUIRED") => Some(ReviewDecision::Required),
            _ if latest.into_iter().flatten().flatten().any(wants_changes) => {
                Some(ReviewDecision::ChangesRequested)
            }
            _ => None,
        }
    }
}

impl From<PullData> for PullState {
    fn from(data: PullData) -> Self {
        let review = data.review();
        let status = match data.state.as_str() {
            "OPEN" => PullStatus::Open,
            "MERGED" => PullStatus::Merged { commit: data.merge_commit.map(|commit| commit.oid) },
            _ => PullStatus::Closed,
        };
        let merge_state = match data.merge_state_status.as_str() {
            "CLEAN" => MergeState::Clean,
            "UNSTABLE" => MergeState::Unstable,
            "HAS_HOOKS" => MergeState::HasHooks,
            "BLOCKED" | "DRAFT" => MergeState::Blocked,
            "BEHIND" => MergeState::Behind,
            "DIRTY" => MergeState::Conflicts,
            _ => MergeState::Unknown,
        };
        Self {
            number: data.number,
            url: data.url,
            id: data.id,
            status,
            is_draft: data.is_draft,
            base_ref: data.base_ref_name,
            head_ref: data.head_ref_name,
            head_sha: data.head_ref_oid,
            review,
            merge_state,
            base_has_queue: data.is_merge_queue_enabled,
            queue: data.merge_queue_entry,
            auto_merge: data.auto_merge_request.map(|request| request.merge_method),
            can_enable_auto_merge: data.viewer_can_enable_auto_merge,
        }
    }
}

impl LandingData {
    /// The merge methods that the repository allows.
    pub fn methods(&self) -> Vec<MergeMethod> {
        let allowed = [
            (self.merge_commit_allowed, MergeMethod::Merge),
            (self.squash_merge_allowed, MergeMethod::Squash),
            (self.rebase_merge_allowed, MergeMethod::Rebase),
        ];
        allowed.into_iter().filter_map(|(is_allowed, method)| is_allowed.then_some(method)).collect()
    }

    /// The merge queue, as far as it is known.
    pub fn queue(&self) -> LandingWay {
        let queue = self.merge_queue.as_ref();
        LandingWay::MergeQueue {
            url: queue.and_then(|queue| queue.url.clone()),
            method: queue.and_then(|queue| queue.configuration.as_ref()?.merge_method),
            length: queue.and_then(|queue| Some(queue.entries.as_ref()?.total_count)),
        }
    }
}
