//! The hooks: a row for each that git has, with all that is to be known about it without running it. What a hook does is in
//! the program, `commands::hook`; what asks for a verdict, hook or not, is an [`Event`].

/// What asks for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The hook of a harness, before a tool changes files.
    Edit,
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
    /// The reference-transaction hook: a branch is about to be moved.
    RefUpdate,
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
    /// When a coding agent is about to change files.
    Edit,
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

/// What git is about to do when it starts a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: a harness starts it, before a tool has its turn.
    Edit,
    /// It makes a commit.
    Commit,
    /// It makes a commit of a mail.
    Apply,
    /// It pushes refs.
    Push,
    /// It takes in refs that somebody pushes.
    Receive,
    /// Anything else.
    Other,
}

/// What a hook of ours works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing: only the hook that was there before has its turn.
    Nothing,
    /// What is staged.
    Staged,
    /// The file with a message that is being prepared: its first argument.
    Draft,
    /// The file with a message that is finished: its first argument.
    Message,
    /// The refs on standard input, from where they are pushed.
    Pushed,
    /// The refs on standard input or in its arguments, where they are received.
    Received,
    /// The refs on standard input, where they are moved.
    Moved,
    /// The worktree that a checkout has made: its first argument is no commit then.
    Worktree,
    /// What a harness says on standard input: its first argument is the harness.
    Occasion,
}

/// A hook of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hook {
    /// As git has it.
    pub name: &'static str,
    /// What asks for the verdict; `None` for one that gives none.
    pub event: Option<Event>,
    /// The stages whose rules apply.
    pub stages: &'static [Stage],
    /// What git is about to do.
    pub action: Action,
    /// What it works on.
    pub subject: Subject,
    /// What its refusal keeps from happening, in words.
    pub prevents: Option<&'static str>,
    /// Whether git goes on where it cannot do its own work. What it does in place of another hook never fails open.
    pub fails_open: bool,
    /// Whether git gives it something on standard input.
    pub reads_input: bool,
    /// Whether it always has a script in our folder of hooks.
    pub is_script: bool,
    /// Whether it has one there where the policy says `history: { unverified: deny }`.
    pub is_guard: bool,
    /// Whether it is in the configuration too, for git 2.54 and newer.
    pub is_configured: bool,
    /// Whether it always has a script in the folder of a server, so that one which is put there later is not lost.
    pub is_on_server: bool,
    /// Whether the others say so when it is gone: something is not judged without it.
    pub is_watched: bool,
}

/// A hook that we only pass on.
const PASSED_ON: Hook = Hook {
    name: "",
    event: None,
    stages: &[],
    action: Action::Other,
    subject: Subject::Nothing,
    prevents: None,
    fails_open: false,
    reads_input: false,
    is_script: false,
    is_guard: false,
    is_configured: false,
    is_on_server: false,
    is_watched: false,
};

/// A hook that stands in every worktree.
const LOCAL: Hook = Hook { is_script: true, is_configured: true, ..PASSED_ON };

/// A hook that runs on servers.
const SERVER: Hook = Hook { action: Action::Receive, is_on_server: true, ..PASSED_ON };

const COMMITTED: Option<&str> = Some("nothing was committed");
const PUSHED: Option<&str> = Some("nothing was pushed");

/// Every hook that git looks for in its folder of hooks: first ours, those of one action in the order in which git starts
/// them, then those that are only passed on. The last is the one that harnesses start.
pub static HOOKS: [Hook; 28] = [
    Hook {
        name: "pre-commit",
        event: Some(Event::PreCommit),
        stages: &[Stage::Commit],
        action: Action::Commit,
        subject: Subject::Staged,
        prevents: COMMITTED,
        is_watched: true,
        ..LOCAL
    },
    Hook {
        name: "pre-merge-commit",
        event: Some(Event::PreMergeCommit),
        stages: &[Stage::Commit],
        action: Action::Commit,
        subject: Subject::Staged,
        prevents: COMMITTED,
        ..LOCAL
    },
    // Not even `--no-verify` skips it: it helps, and never stands in the way.
    Hook {
        name: "prepare-commit-msg",
        action: Action::Commit,
        subject: Subject::Draft,
        fails_open: true,
        is_watched: true,
        ..LOCAL
    },
    Hook {
        name: "commit-msg",
        event: Some(Event::CommitMsg),
        stages: &[Stage::CommitMsg],
        action: Action::Commit,
        subject: Subject::Message,
        prevents: COMMITTED,
        is_watched: true,
        ..LOCAL
    },
    // `git am` takes a tag in brackets for a mark of the mail, and leaves it out.
    Hook {
        name: "applypatch-msg",
        action: Action::Apply,
        subject: Subject::Draft,
        fails_open: true,
        ..LOCAL
    },
    Hook {
        name: "pre-push",
        event: Some(Event::PrePush),
        stages: &[Stage::Push],
        action: Action::Push,
        subject: Subject::Pushed,
        prevents: PUSHED,
        reads_input: true,
        is_watched: true,
        ..LOCAL
    },
    Hook {
        name: "pre-receive",
        event: Some(Event::PreReceive),
        stages: &[Stage::Server],
        subject: Subject::Received,
        prevents: PUSHED,
        reads_input: true,
        ..SERVER
    },
    Hook {
        name: "update",
        event: Some(Event::Update),
        stages: &[Stage::Server],
        subject: Subject::Received,
        prevents: Some("this ref was not pushed"),
        ..SERVER
    },
    // Not even `--no-verify` skips it, and cherry-pick, am and rebase start it.
    Hook {
        name: "reference-transaction",
        event: Some(Event::RefUpdate),
        stages: &[Stage::Commit, Stage::CommitMsg],
        subject: Subject::Moved,
        prevents: Some("no branch was moved"),
        reads_input: true,
        is_guard: true,
        ..PASSED_ON
    },
    // The only one that is told of a new worktree, which may have no folder of ours yet.
    Hook {
        name: "post-checkout",
        subject: Subject::Worktree,
        fails_open: true,
        is_configured: true,
        ..PASSED_ON
    },
    Hook { name: "post-receive", reads_input: true, ..SERVER },
    Hook { name: "post-update", ..SERVER },
    Hook { name: "p4-changelist", ..PASSED_ON },
    Hook { name: "p4-post-changelist", ..PASSED_ON },
    Hook { name: "p4-pre-submit", ..PASSED_ON },
    Hook { name: "p4-prepare-changelist", ..PASSED_ON },
    Hook { name: "post-applypatch", ..PASSED_ON },
    Hook { name: "post-commit", ..PASSED_ON },
    Hook { name: "post-index-change", ..PASSED_ON },
    Hook { name: "post-merge", ..PASSED_ON },
    Hook { name: "post-rewrite", reads_input: true, ..PASSED_ON },
    Hook { name: "pre-applypatch", ..PASSED_ON },
    Hook { name: "pre-auto-gc", ..PASSED_ON },
    Hook { name: "pre-rebase", ..PASSED_ON },
    Hook { name: "proc-receive", ..PASSED_ON },
    Hook { name: "push-to-checkout", ..PASSED_ON },
    Hook { name: "sendemail-validate", ..PASSED_ON },
    // No hook of git's: `git lane hook agent <harness>`.
    Hook {
        name: "agent",
        event: Some(Event::Edit),
        stages: &[Stage::Edit],
        action: Action::Edit,
        subject: Subject::Occasion,
        prevents: Some("nothing was changed"),
        reads_input: true,
        ..PASSED_ON
    },
];

/// How the configuration names our hooks: `hook.git-lane-pre-commit.command`.
pub const CONFIGURED_AS: &str = "git-lane-";

/// The hook of a name that git has.
pub fn find(name: &str) -> Option<&'static Hook> {
    HOOKS.iter().find(|hook| hook.name == name)
}

/// The same, of those that git starts.
pub fn of_git(name: &str) -> Option<&'static Hook> {
    find(name).filter(|hook| hook.action != Action::Edit)
}

/// Whether ours is among the hooks of this name that `git hook list` found in the configuration.
pub fn is_configured(name: &str, listed: &str) -> bool {
    listed.lines().any(|line| line.strip_prefix(CONFIGURED_AS) == Some(name))
}

/// The names of those that something is said of, sorted.
pub fn names(which: impl Fn(&Hook) -> bool) -> Vec<&'static str> {
    let mut names: Vec<_> = HOOKS
        .iter()
        .filter(|hook| hook.action != Action::Edit && which(hook))
        .map(|hook| hook.name)
        .collect();
    names.sort_unstable();
    names
}

/// The hooks without which something is not judged, in the order in which git starts them.
pub fn watched() -> impl Iterator<Item = &'static Hook> {
    HOOKS.iter().filter(|hook| hook.is_watched)
}

impl Hook {
    /// The watched ones that git starts for the same as this one.
    pub fn watched_with(&self) -> impl Iterator<Item = &'static Hook> + Clone + use<> {
        let action = self.action;
        HOOKS.iter().filter(move |hook| hook.is_watched && hook.action == action)
    }

    /// Those of them that git starts before this one; none where this one is not watched.
    pub fn watched_before(&self) -> impl Iterator<Item = &'static Hook> + Clone + use<> {
        let name = self.name;
        let all = self.watched_with().take(if self.is_watched { usize::MAX } else { 0 });
        all.take_while(move |hook| hook.name != name)
    }

    /// Whether no other watched one has a turn before this one.
    pub fn is_first(&self) -> bool {
        self.is_watched && self.watched_before().next().is_none()
    }
}

impl Event {
    /// The hook that asks, where one does.
    pub fn hook(self) -> Option<&'static Hook> {
        HOOKS.iter().find(|hook| hook.event == Some(self))
    }

    /// The stages whose rules apply.
    pub fn stages(self) -> &'static [Stage] {
        match self {
            Self::Ci => &[Stage::Ci],
            Self::CheckStaged => &[Stage::Commit],
            Self::Check | Self::Status => &[Stage::Commit, Stage::Push],
            _ => self.hook().map_or(&[], |hook| hook.stages),
        }
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Edit => "edit",
            _ => self.hook().map_or("check", |hook| hook.name),
        }
    }

    fn is_of(self, action: Action) -> bool {
        self.hook().is_some_and(|hook| hook.action == action)
    }

    /// Whether refs are pushed, seen from either end.
    pub fn is_push(self) -> bool {
        self.is_of(Action::Push) || self.is_server()
    }

    /// Whether a server asks, which knows nothing of the pusher's worktree.
    pub fn is_server(self) -> bool {
        self.is_of(Action::Receive)
    }

    /// Whether a commit is about to be made.
    pub fn is_commit(self) -> bool {
        self.is_of(Action::Commit)
    }
}

impl Stage {
    /// The word in the documentation.
    pub fn word(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Commit => "commit",
            Self::CommitMsg => "commit-msg",
            Self::Push => "push",
            Self::Server => "server",
            Self::Ci => "ci",
        }
    }
}

#[cfg(test)]
mod tests;
