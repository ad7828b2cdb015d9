//! What asks for a verdict, and which rules apply then.

/// What asks for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The pre-commit hook.
    PreCommit,
    /// The pre-merge-commit hook.
    PreMergeCommit,
    /// The commit-msg hook.
    CommitMsg,
    /// The pre-push hook.
    PrePush,
    /// The job of a pull request.
    Ci,
    /// The pre-receive hook of a server: all refs of a push.
    PreReceive,
    /// The update hook of a server: one ref of a push.
    Update,
    /// `git lane check` of what is staged.
    CheckStaged,
    /// `git lane check` of a branch, a range or a working tree.
    Check,
    /// `git lane status`, of each worktree: a check that waits for no remote.
    Status,
}

/// A place in the life of a change at which rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// When a commit is made, before its message is known.
    Commit,
    /// When a commit's message is known.
    CommitMsg,
    /// When refs are pushed.
    Push,
    /// On the server that receives refs.
    Server,
    /// In the pull request's job.
    Ci,
}

impl Event {
    /// The stages whose rules apply.
    pub fn stages(self) -> &'static [Stage] {
        match self {
            Self::PreCommit | Self::PreMergeCommit | Self::CheckStaged => &[Stage::Commit],
            Self::CommitMsg => &[Stage::CommitMsg],
            Self::PrePush => &[Stage::Push],
            Self::Ci => &[Stage::Ci],
            Self::PreReceive | Self::Update => &[Stage::Server],
            Self::Check | Self::Status => &[Stage::Commit, Stage::Push],
        }
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::Ci => "ci",
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
            Self::CheckStaged | Self::Check | Self::Status => "check",
        }
    }

    /// Whether refs are pushed, seen from either end.
    pub fn is_push(self) -> bool {
        self == Self::PrePush || self.is_server()
    }

    /// Whether a server asks, which knows nothing of the pusher's worktree.
    pub fn is_server(self) -> bool {
        matches!(self, Self::PreReceive | Self::Update)
    }

    /// Whether a commit is about to be made.
    pub fn is_commit(self) -> bool {
        matches!(self, Self::PreCommit | Self::PreMergeCommit | Self::CommitMsg)
    }
}
