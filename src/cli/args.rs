//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::policy::scalar::Duration;

/// Keeps many coding agents, each in its own worktree, inside their lanes.
#[derive(Debug, Parser)]
#[command(name = "git-lane", bin_name = "git lane", version, disable_help_subcommand = true)]
pub struct Args {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub format: Format,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: When,
    /// Say only what is wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// List all, and what was read
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people and agents
    Text,
    /// For programs
    Json,
    /// Annotations on GitHub, and the summary of the step (`check` alone)
    Github,
    /// SARIF 2.1.0, for code scanning (`check` alone)
    Sarif,
    /// A Code Quality report for GitLab (`check` alone)
    Gitlab,
    /// For `eval` in a shell (`env` alone)
    Sh,
    /// For dotenv libraries (`env` alone)
    Dotenv,
}

impl Format {
    /// The word that is typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Github => "github",
            Self::Sarif => "sarif",
            Self::Gitlab => "gitlab",
            Self::Sh => "sh",
            Self::Dotenv => "dotenv",
        }
    }

    /// Whether only variables can be told in it.
    pub fn is_of_variables(self) -> bool {
        matches!(self, Self::Sh | Self::Dotenv)
    }

    /// Whether only a verdict can be told in it.
    pub fn is_of_verdicts(self) -> bool {
        matches!(self, Self::Github | Self::Sarif | Self::Gitlab)
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first policy.yaml for this repository
    Init(Init),
    /// Put the hooks into this worktree, or into all of them
    Install(Install),
    /// Make this worktree an agent's: branch, hooks and environment; all work in it stays
    Join(Join),
    /// Take the hooks away again; everything is as it was before
    Uninstall(Uninstall),
    /// The verdict on this branch, before any hook asks
    Check(Check),
    /// The policy job of a pull request; finds out by itself whether GitHub or GitLab runs it
    Ci(Ci),
    /// Who may change a path, and which policy line says so
    Who(Who),
    /// Explain a rule, or list them all
    Rule(Rule),
    /// Check, print, describe or test the policy
    #[command(subcommand)]
    Policy(Policy),
    /// Take a lock on an area, or on paths inside one
    Lock(Lock),
    /// Give a lock back
    Unlock(Unlock),
    /// Who holds what, until when, and who waits
    Locks(Locks),
    /// Every agent at a glance: branch, change, verdict, locks, and what would conflict
    Status(Status),
    /// Which files of which agents' branches would conflict if they were merged now
    Conflicts,
    /// Rebase this branch on the base as the remote has it
    Sync(Sync),
    /// Push this branch, and renew the locks that its work was done under in the same push
    Push(Push),
    /// Take paths out of this branch's own commits; the edits stay in the working tree
    Drop(Drop),
    /// Open a pull request for this branch, with the agent's tag and the policy's labels
    Pr(Pr),
    /// Ask whoever owns an area for a change, and answer what is asked of you
    #[command(subcommand)]
    Request(super::request_args::Request),
    /// Make the worktrees of the policy's agents, with branch, hooks, environment and ports, and provision them
    Setup(Setup),
    /// Take an agent's worktree away, unless work would be lost with it
    Teardown(Teardown),
    /// Print an agent's environment, for `eval`, direnv and dotenv
    Env(Env),
    /// Give a service of this worktree its port, the same each time
    Port(Port),
    /// Run a command in an agent's worktree and environment, within its memory
    Run(Run),
    /// What `git lane run` starts
    #[command(hide = true)]
    Limited(Limited),
    /// Say what is wrong with an installation, and the command that mends it
    Doctor,
    /// What the installed hooks call
    #[command(hide = true)]
    Hook {
        /// Judge, and leave the hook that was there before to others
        #[arg(long, conflicts_with = "pass")]
        alone: bool,
        /// Run the hook that was there before, and nothing else
        #[arg(long)]
        pass: bool,
        /// The hook's name, as git has it
        name: String,
        /// What git gave to the hook
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

impl Command {
    /// Whether it is one that agents and people work with, who are told where hooks are not in force.
    pub fn looks_at_hooks(&self) -> bool {
        matches!(
            self,
            Self::Check(_)
                | Self::Conflicts
                | Self::Lock(_)
                | Self::Locks(_)
                | Self::Pr(_)
                | Self::Push(_)
                | Self::Request(_)
                | Self::Sync(_)
                | Self::Unlock(_)
                | Self::Who(_)
        )
    }

    /// What its reports name as their event, if it gives a verdict.
    pub fn event(&self) -> Option<&'static str> {
        match self {
            Self::Check(_) => Some("check"),
            Self::Ci(_) => Some("ci"),
            _ => None,
        }
    }
}

/// `git lane init`
#[derive(Debug, clap::Args)]
pub struct Init {
    /// Divide the services among this many agents, instead of looking at the worktrees
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    pub agents: Option<u16>,
    /// Print the policy instead of writing it
    #[arg(long)]
    pub stdout: bool,
}

/// `git lane install`
#[derive(Debug, clap::Args)]
pub struct Install {
    /// The agent that works in this worktree
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub agent: Option<String>,
    /// All worktrees that the policy names, each for its agent
    #[arg(long)]
    pub all: bool,
    /// Into a bare repository: judge whatever is pushed to it
    #[arg(long, conflicts_with_all = ["agent", "all"])]
    pub server: bool,
    /// The hook of the server that judges
    #[arg(long, value_name = "HOOK", default_value = "pre-receive", requires = "server")]
    pub hook: ServerHook,
}

/// `git lane join`
#[derive(Debug, clap::Args)]
pub struct Join {
    /// The agent that works in this worktree from now on
    #[arg(value_name = "ID")]
    pub agent: String,
    /// What its branch is called after; after the branch that is checked out, if not given
    #[arg(value_name = "FEATURE")]
    pub feature: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A hook of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServerHook {
    /// All refs of a push together: all of them or none
    PreReceive,
    /// Each ref by itself
    Update,
}

/// `git lane uninstall`
#[derive(Debug, clap::Args)]
pub struct Uninstall {
    /// All worktrees
    #[arg(long)]
    pub all: bool,
    /// Out of a bare repository
    #[arg(long, conflicts_with = "all")]
    pub server: bool,
}

/// `git lane check`
#[derive(Debug, clap::Args)]
pub struct Check {
    /// What is staged, as the pre-commit hook judges it
    #[arg(long, group = "subject")]
    pub staged: bool,
    /// What B adds to A, any two commits
    #[arg(long, value_name = "A..B", group = "subject", allow_hyphen_values = true)]
    pub range: Option<String>,
    /// The branch with everything in the working tree, staged or not
    #[arg(long, group = "subject")]
    pub worktree: bool,
    /// Judge as this agent's change
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,
    /// Judge as a change on this branch
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Judge with this policy, to try it out; hooks take no such thing
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// `git lane ci`
#[derive(Debug, clap::Args)]
pub struct Ci {
    /// What the change is merged into: a branch, or anything that means a commit
    #[arg(long, value_name = "BASE")]
    pub base: Option<String>,
    /// The change's own tip, not a merge of it [default: HEAD]
    #[arg(long, value_name = "COMMIT")]
    pub head: Option<String>,
    /// The branch that the change is on
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// The title of the pull request
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// A label of the pull request; as often as there are labels
    #[arg(long = "label", value_name = "NAME")]
    pub labels: Vec<String>,
    /// The account of the pull request's author
    #[arg(long, value_name = "ACCOUNT")]
    pub author: Option<String>,
    /// Judge as this agent's change
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,
    /// Put the verdict on GitHub: a check run, and a comment while there is something to say
    #[arg(long)]
    pub publish: bool,
    /// Write the report to a file, too; as often as there are formats
    #[arg(long, value_name = "FORMAT=FILE")]
    pub write: Vec<super::ci::Target>,
}

/// `git lane who`
#[derive(Debug, clap::Args)]
pub struct Who {
    /// Paths, as seen from this folder; they need not exist. A folder ends in a slash
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// Ask this policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// `git lane lock`
#[derive(Debug, clap::Args)]
pub struct Lock {
    /// The name of an area, or a path or pattern inside one, as seen from this folder
    #[arg(required = true, value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// How long it lives unless it is renewed, such as 90m; the policy's `locks.ttl` by default
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<Duration>,
    /// What it is for; everyone who asks is told
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Stand in the queue for so long if it is not free: first come, first served
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<Duration>,
    /// Begin the life of a lock that you took anew; refused where another agent has it by now
    #[arg(long, conflicts_with_all = ["wait", "steal"])]
    pub renew: bool,
    /// Take it away from whoever has it, with a --reason; they are told, and cannot push under it any more
    #[arg(long, requires = "reason", conflicts_with = "wait")]
    pub steal: bool,
    /// Lock for this agent
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,
    /// The process it is held for: when that one is gone, others may take it [default: $LANE_PID]
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
}

/// `git lane unlock`
#[derive(Debug, clap::Args)]
pub struct Unlock {
    /// What `git lane lock` was given; an area gives back all that you hold in it
    #[arg(required_unless_present = "all", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Everything that you hold
    #[arg(long, conflicts_with = "scopes")]
    pub all: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Unlock for this agent
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,
}

/// `git lane locks`
#[derive(Debug, clap::Args)]
pub struct Locks {
    /// Only what could be in the way of this
    #[arg(value_name = "SCOPE")]
    pub scope: Option<String>,
    /// Who took, renewed, gave back and stole it, when and why; newest first
    #[arg(long)]
    pub log: bool,
    /// At most so many events of each area
    #[arg(short = 'n', long, value_name = "N", requires = "log", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

/// `git lane status`
#[derive(Debug, clap::Args)]
pub struct Status {
    /// Show it on the whole screen, and read it anew again and again; q quits
    #[arg(short, long)]
    pub watch: bool,
    /// Seconds between two readings
    #[arg(short = 'n', long, value_name = "SECONDS", default_value = "3", requires = "watch",
        value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub interval: u16,
}

/// `git lane drop`
#[derive(Debug, clap::Args)]
pub struct Drop {
    /// What the commits are to leave as the base has it, as seen from this folder
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// A branch that is checked out in no worktree, instead of this one
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
}

/// `git lane sync`
#[derive(Debug, clap::Args)]
pub struct Sync {
    /// Push afterwards, if nobody else pushed to the branch meanwhile
    #[arg(long)]
    pub push: bool,
    /// All worktrees in which nothing is under way and all is committed
    #[arg(long)]
    pub all: bool,
    /// Put uncommitted work aside, and back afterwards
    #[arg(long, conflicts_with = "all")]
    pub autostash: bool,
}

/// `git lane push`
#[derive(Debug, clap::Args)]
pub struct Push {
    /// Replace what the remote has of this branch, if nobody else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
}

/// `git lane pr`
#[derive(Debug, clap::Args)]
pub struct Pr {
    /// The title; the tag is put in front of it [default: the subject of the first commit]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// What stands above the list of commits
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    /// The branch to merge it into [default: the policy's base]
    #[arg(long, value_name = "NAME")]
    pub base: Option<String>,
    /// Open it as a draft
    #[arg(long)]
    pub draft: bool,
    /// Push and open it without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Replace what the remote has of this branch, if nobody else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
}

/// `git lane rule`
#[derive(Debug, clap::Args)]
pub struct Rule {
    /// The rule's id
    pub id: Option<String>,
    /// All rules as one page of Markdown
    #[arg(long, conflicts_with = "id")]
    pub markdown: bool,
}

/// `git lane policy`
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Find all mistakes of a policy
    Check {
        /// The file; by default the policy.yaml of this worktree
        file: Option<PathBuf>,
    },
    /// Print the policy that is in force, as it was understood
    Show {
        /// Print this file's instead
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of the policy, for editors
    Schema {
        /// The schema of the report instead
        #[arg(long)]
        report: bool,
    },
    /// Prove the sentences under `tests:`, and those in policy.tests.yaml
    Test {
        /// The file; by default the policy.yaml of this worktree
        file: Option<PathBuf>,
    },
}

/// `git lane setup`
#[derive(Debug, clap::Args)]
pub struct Setup {
    /// The agents; all that the policy gives a worktree, if none is named
    #[arg(value_name = "ID")]
    pub agents: Vec<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Go on with steps that failed or were not reached, and with nothing else
    #[arg(long)]
    pub resume: bool,
    /// How many agents at the same time
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

/// `git lane teardown`
#[derive(Debug, clap::Args)]
pub struct Teardown {
    /// The agent
    #[arg(value_name = "ID")]
    pub agent: String,
    /// Also delete its branch, if it is merged into the base
    #[arg(long)]
    pub delete_branch: bool,
    /// Also drop its schema, with everything in it, from the database at DATABASE_URL
    #[arg(long)]
    pub drop_schema: bool,
    /// The schema's name once more, instead of being asked for it
    #[arg(long, value_name = "SCHEMA", requires = "drop_schema")]
    pub yes_drop: Option<String>,
}

/// `git lane env`
#[derive(Debug, clap::Args)]
pub struct Env {
    /// The agent; by default the one that works here
    #[arg(value_name = "ID")]
    pub agent: Option<String>,
}

/// `git lane port`
#[derive(Debug, clap::Args)]
pub struct Port {
    /// The service, or any other name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The agent, in its own worktree; by default the one that works here
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,
    /// Give the port back: another service may have it
    #[arg(long)]
    pub release: bool,
}

/// `git lane run`
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The agent; by default the one that works here
    #[arg(value_name = "ID")]
    pub agent: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// What `git lane run` starts.
#[derive(Debug, clap::Args)]
pub struct Limited {
    /// The memory, in bytes
    #[arg(long)]
    pub memory: Option<u64>,
    /// The control group that limits it
    #[arg(long)]
    pub group: Option<PathBuf>,
    /// The command
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}
