//! Who works here or pushes, and who says so.

/// Who pushes, as the host that let them in tells its hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pusher {
    /// The variable that says so.
    pub source: &'static str,
    /// The account's name.
    pub name: String,
}

/// Somebody's word on which agent works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityClaim {
    /// Where it was said.
    pub source: IdentitySource,
    /// The id that was said.
    pub agent: String,
}

/// Somebody's word on who works here that can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityProof {
    /// An account on GitHub that a change comes from, as GitHub itself says: whoever opened the pull request,
    /// or pushed its head.
    GithubAccount(String),
    /// It is unknown which account pushed the head: then no account proves anything.
    UnknownPusher,
}

/// Where an identity is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentitySource {
    /// `--agent` on the command line; it stands above all others.
    Option,
    /// `lane.agent` in the worktree's configuration.
    Config,
    /// The same, copied from another worktree by `git worktree add`: it counts where neither the
    /// environment nor the branch says another thing.
    CopiedConfig,
    /// The variable `AGENT_ID`.
    Environment,
    /// `AGENT_ID` in `.agent.env` at the worktree's root.
    File,
    /// The branch's name.
    Branch,
    /// The tags of commit messages.
    Message,
}

impl IdentityProof {
    /// The account on GitHub, if it is one.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::GithubAccount(login) => Some(login),
            Self::UnknownPusher => None,
        }
    }
}

impl IdentitySource {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Option => "--agent",
            Self::Config => "git config lane.agent",
            Self::CopiedConfig => "git config lane.agent, copied from another worktree,",
            Self::Environment => "the variable AGENT_ID",
            Self::File => ".agent.env",
            Self::Branch => "the branch name",
            Self::Message => "the commit messages",
        }
    }
}
