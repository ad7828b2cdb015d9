//! What is known when a verdict is given: plain data, gathered once, read by pure rules.

use std::collections::HashSet;

use crate::policy::Source;
use crate::signature::Signature;

mod approvals;
mod case;
mod content;
mod custom;
mod fact;
mod identity;
mod lines;
mod locks;
mod message;
mod oid;
mod path;
mod people;
mod request;

pub use crate::hooks::{Event, Stage};
pub use approvals::{ApprovalRequest, Approvals};
pub use case::for_case;
pub use content::{Content, Form, Found, Hit, NewHit, Sizes, Twins};
pub use custom::{OwnFinding, OwnRun};
pub use fact::{Cause, Fact, Unavailable};
pub use identity::{IdentityClaim, IdentityProof, IdentitySource, Pusher};
pub use lines::{AreaLines, Lines};
pub use locks::{HeldLock, LOCK_TRAILER, LandedPaths, LockClaim, LockEvents, LockToken, Locks, TakenLock};
pub use message::{Message, is_of_revert, without_fixup};
pub use oid::Oid;
pub use path::RepoPath;
pub use people::{People, Person};
pub use request::{PullRequest, Waiver};

/// Whether git takes one object for another by this ref: git-replace(1). Some systems do not tell names apart by case.
pub fn is_replacing(reference: &str) -> bool {
    let prefix = "refs/replace/";
    reference.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// A branch's ref as it is typed: `main`, `origin/main`.
pub fn typed_ref(reference: &str) -> &str {
    reference.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/")
}

/// The branch that a ref is: one of this repository, or a remote's as it is known here; `None` for any other ref.
pub fn branch_of_ref<'r>(reference: &'r str, remote: &str) -> Option<&'r str> {
    reference
        .strip_prefix("refs/heads/")
        .or_else(|| reference.strip_prefix("refs/remotes/")?.strip_prefix(remote)?.strip_prefix('/'))
}

/// Everything that the rules see.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What asks.
    pub event: Event,
    /// Seconds since the epoch.
    pub now: i64,
    /// Who claims to be working here, apart from branches and messages.
    pub claims: Vec<IdentityClaim>,
    /// What shows who works here, apart from signatures of commits.
    pub proofs: Vec<IdentityProof>,
    /// The variable by which the harness of a coding agent says that it is at work here.
    pub harness: Option<String>,
    /// The committer's e-mail address, where it is known.
    pub email: Option<String>,
    /// The pull request that the change is proposed by, if it is.
    pub request: Option<PullRequest>,
    /// What maintainers let stand.
    pub waivers: Vec<Waiver>,
    /// The account that pushes, where a server says so.
    pub pusher: Option<Pusher>,
    /// Locks, where a path under a lock is touched.
    pub locks: Fact<Locks>,
    /// Others' words, where an area is touched that wants one.
    pub approvals: Fact<Approvals>,
    /// The message of the commit that is being made.
    pub message: Fact<Message>,
    /// Who makes that commit.
    pub people: Fact<People>,
    /// What is judged: one change, or one for each pushed ref.
    pub changes: Vec<Change>,
    /// The ref that the base was read from.
    pub base_ref: Option<String>,
    /// Whether git would take its short name for another ref: a tag `origin/main`, say.
    pub is_base_shadowed: bool,
    /// How a commit that is being made was asked for.
    pub form: CommitForm,
    /// The command that asked for it, for a shell, with places for paths that are left out; where it is known.
    pub retry_command: Option<String>,
    /// The local base branch, where the change is based on commits of it that the remote's does not have.
    pub unpushed_base: Option<String>,
    /// The address of the remote that holds the base, if reports are to name it.
    pub repository: Option<String>,
    /// Whether commands are typed below the worktree's root, so that paths need `:/` before them.
    pub in_subfolder: bool,
    /// Where files are about to be edited, if that is another worktree.
    pub elsewhere: Option<ForeignWorktree>,
    /// The rules of the team's own are not run: whoever asks says that it does not tell what they find.
    pub leaves_out_custom: bool,
}

impl Facts {
    /// Of some changes, and nothing else yet.
    pub fn of(event: Event, now: i64, changes: Vec<Change>) -> Self {
        Self {
            event,
            now,
            claims: Vec::new(),
            proofs: Vec::new(),
            harness: None,
            email: None,
            request: None,
            waivers: Vec::new(),
            pusher: None,
            locks: Fact::NotGathered,
            approvals: Fact::NotGathered,
            message: Fact::NotGathered,
            people: Fact::NotGathered,
            changes,
            base_ref: None,
            is_base_shadowed: false,
            form: CommitForm::Index,
            retry_command: None,
            unpushed_base: None,
            repository: None,
            in_subfolder: false,
            elsewhere: None,
            leaves_out_custom: false,
        }
    }
}

/// How a commit is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitForm {
    /// From the index as it is.
    #[default]
    Index,
    /// `commit -a`: git stages first, into an index that is gone if the commit is refused.
    All,
    /// `commit -i PATH` and `commit -p`: the same, on top of what is staged already.
    Include,
    /// `commit PATH`.
    Paths,
    /// Not at all: edits in the working tree are looked at.
    Worktree,
    /// Not yet: files are about to be edited.
    Edit,
}

/// Where files are about to be edited, if that is not the worktree of whoever edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignWorktree {
    /// Whose worktree it is, if it is an agent's.
    pub agent: Option<String>,
    /// Whether it is the main one.
    pub is_main: bool,
    /// The root of the worktree that the session works in.
    pub session_root: String,
}

/// What happens to a ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefUpdate {
    /// It is new.
    Create,
    /// It moves forward.
    Forward,
    /// It moves to where its old tip is no longer part of it, or the old tip is unknown here.
    Rewrite,
    /// It goes away.
    Delete,
}

/// What a tag is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagForm {
    /// A name for an object, and nothing else.
    Lightweight,
    /// An object of its own, with a message, and a signature or none.
    Annotated(Signature),
}

/// What one branch adds to its base.
#[derive(Debug, Clone)]
pub struct Change {
    /// The ref as the remote will know it, when refs are pushed.
    pub reference: Option<String>,
    /// What happens to that ref.
    pub update: Option<RefUpdate>,
    /// What is pushed to a ref of locks, if this is one; on a server, also to that of a request.
    pub lock_events: Option<LockEvents>,
    /// The branch's short name, where there is a branch.
    pub branch: Option<String>,
    /// Of a ref that is no branch: the branch that is pushed with it, or that HEAD is on.
    pub beside: Option<String>,
    /// The tip of the base.
    pub base: Option<Oid>,
    /// The ref of the base, where that is another protected branch than the policy's base.
    pub base_ref: Option<String>,
    /// Since when at least the base has moved on without the change; only where that is longer than the policy wants.
    pub base_moved: Option<i64>,
    /// Where the change left the base; `None` where they share no history.
    pub merge_base: Option<MergeBase>,
    /// The tip; `None` while a first commit is being made.
    pub head: Option<Oid>,
    /// Files of the whole change: merge base to tip, or to the index.
    pub files: Fact<Vec<FileChange>>,
    /// Files of the commit that is being made: HEAD to the index.
    pub staged: Fact<Vec<FileChange>>,
    /// The commits of the change, oldest first.
    pub commits: Fact<Vec<Commit>>,
    /// Lines of the whole change.
    pub lines: Fact<Lines>,
    /// How large its new files are.
    pub sizes: Fact<Sizes>,
    /// Its files that are another one elsewhere.
    pub twins: Fact<Twins>,
    /// What stands in its files.
    pub content: Fact<Content>,
    /// What the rules of the team's own found, where they were run.
    pub custom: Fact<Vec<OwnRun>>,
    /// The tree that it comes to; `None` where nothing is there to look at.
    pub tree: Option<Oid>,
    /// The policy as the change leaves it, where it is changed.
    pub policy: Fact<Option<PolicyTexts>>,
    /// Paths that the remote's own edition of this branch, which is rewritten, has with the same content, on top
    /// of the same content of the base: a rebase brings nothing new there.
    pub unchanged: HashSet<RepoPath>,
    /// Of a ref that would be taken for a branch: whether that branch is there.
    pub shadows: bool,
    /// Of a tag that goes away or moves: whether the base has the commit that it was put on.
    pub was_landed: bool,
    /// Of a tag that goes away or moves, and of a branch that goes away: whether what it was on is known here.
    pub was_known: bool,
    /// The message of the commit that it was on, if it was one.
    pub replaced: Option<Message>,
    /// Of a tag that is pushed: what it is.
    pub tag: Fact<TagForm>,
    /// On a server that is not told who pushes: it brings nothing new, and is judged for its name alone.
    pub is_ownerless: bool,
    /// On a server: the host makes something else of the ref, such as a pull request.
    pub is_for_host: bool,
    /// How the change stands to what landed on the base under the locks that it asks for.
    pub landed: Fact<LandedPaths>,
    /// A base is moved by the landing of the branch, which is held in the queue of that base.
    pub is_landing: bool,
    /// A merge is being committed.
    pub is_merging: bool,
    /// It has commits of another protected branch than its base: a rebase would make them its own.
    pub has_merged_in: bool,
    /// In a job: the protected branch that it was cut from, which is not the one that it is proposed to.
    pub cut_from: Option<String>,
    /// The local branch to switch to before the change can be worked on; `None` if HEAD is on it.
    pub elsewhere: Option<String>,
    /// On a server: the e-mail address of the tip's committer.
    pub committer: Option<String>,
}

impl Default for Change {
    /// A change of nothing, all of it known.
    fn default() -> Self {
        Self {
            reference: None,
            update: None,
            lock_events: None,
            branch: None,
            beside: None,
            base: None,
            base_ref: None,
            base_moved: None,
            merge_base: None,
            head: None,
            files: Fact::Known(Vec::new()),
            staged: Fact::Known(Vec::new()),
            commits: Fact::Known(Vec::new()),
            lines: Fact::Known(Lines::default()),
            sizes: Fact::Known(Sizes::default()),
            twins: Fact::Known(Twins::default()),
            content: Fact::Known(Content::default()),
            custom: Fact::NotGathered,
            tree: None,
            policy: Fact::Known(None),
            unchanged: HashSet::new(),
            shadows: false,
            was_landed: false,
            was_known: false,
            replaced: None,
            tag: Fact::NotGathered,
            is_ownerless: false,
            is_for_host: false,
            landed: Fact::Known(LandedPaths::default()),
            is_landing: false,
            is_merging: false,
            has_merged_in: false,
            cut_from: None,
            elsewhere: None,
            committer: None,
        }
    }
}

/// A policy that a change brings. It judges nothing; it is looked at before it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyTexts {
    /// The policy with its other files; `None` where there is none any more.
    pub policy: Option<Source>,
    /// The text of the file with further tests, where there is one.
    pub tests: Option<String>,
    /// What rules of its own need and the tree does not have.
    pub absent: Vec<String>,
}

/// Where a change left its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeBase {
    /// The commit.
    pub oid: Oid,
    /// When it was committed, in seconds since the epoch.
    pub time: i64,
}

/// One file of a change. A rename is two: a deletion and an addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The path.
    pub path: RepoPath,
    /// Mode and object before, if it was there.
    pub old: Option<FileVersion>,
    /// Mode and object after, if it is there.
    pub new: Option<FileVersion>,
}

/// A file as a tree has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileVersion {
    /// The mode: 0o100644, 0o100755, 0o120000 (link) or 0o160000 (submodule).
    pub mode: u32,
    /// The blob, or a submodule's commit.
    pub oid: Oid,
}

impl FileVersion {
    /// Whether it is a submodule.
    pub fn is_submodule(&self) -> bool {
        self.mode == 0o160_000
    }
}

impl FileChange {
    /// Whether patterns for folders match: a submodule is one, and a link may lead to one.
    pub fn is_folder(&self) -> bool {
        let sides = [self.old, self.new];
        sides.iter().flatten().any(|version| version.is_submodule() || version.mode == 0o120_000)
    }
}

/// One commit of a change.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its id.
    pub oid: Oid,
    /// How many parents it has.
    pub parents: usize,
    /// Its message.
    pub message: Message,
    /// What it changes; for a merge, what it alone brings in: paths that differ from every parent.
    pub files: Vec<FileChange>,
    /// Whether the remote that is pushed to has it already.
    pub is_pushed: bool,
    /// Whether the remote's own edition of this branch has it already.
    pub is_published: bool,
    /// Its signature, where the policy lists keys.
    pub signature: Fact<Signature>,
    /// Who made it.
    pub people: Fact<People>,
}

impl Commit {
    /// Whether its message is the agent's own to write: not one that git or the host wrote for a merge, nor one that was
    /// taken already.
    pub fn has_own_message(&self) -> bool {
        !(self.is_published || self.parents > 1 && self.message.is_of_merge())
    }
}
