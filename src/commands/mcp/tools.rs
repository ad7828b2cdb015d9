//! The tools: a row for each. What a tool takes and says comes from the command of that name.

/// A tool: a row of the table.
pub struct Tool {
    /// Its name, and that of its command.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is for, and when to call it.
    pub about: &'static str,
    /// The arguments of the command that it takes, by their names on the command line. With commands below it, those of
    /// all of them: which one is meant is the argument `action`.
    pub arguments: &'static [&'static str],
    /// What a call changes.
    pub effect: Effect,
}

/// What a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// It adds something, and takes nothing from anybody.
    Adds,
    /// The same, and a second call changes nothing more.
    AddsOnce,
    /// It may take something from another agent.
    Takes,
}

/// The tools, in the order in which they are listed.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "who",
        title: "Who may change a path",
        about: "Show who may change paths, and which line of the policy says so. Call it with `mine: true` before you \
                edit: exit code 0 if you may change all of the paths now, 1 if not, with what to do first.",
        arguments: &["paths", "mine"],
        effect: Effect::Nothing,
    },
    Tool {
        name: "check",
        title: "Check the change",
        about: "Judge the change of this branch by the policy, as the hooks of git will: what is committed, what is \
                staged (`staged`), or everything in the working tree (`worktree`). Call it before you commit and before \
                you say that you are done.",
        arguments: &["staged", "worktree", "range"],
        effect: Effect::Nothing,
    },
    Tool {
        name: "lock",
        title: "Take a lock",
        about: "Take, renew or wait for a lock on an area, or on paths inside one, before you change files that the policy \
                shares by a lock. Release it with `unlock` as soon as the change has landed.",
        arguments: &["scopes", "reason", "ttl", "wait", "renew", "steal", "agent"],
        effect: Effect::Takes,
    },
    Tool {
        name: "unlock",
        title: "Release a lock",
        about: "Release locks that you hold.",
        arguments: &["scopes", "all", "reason", "agent"],
        effect: Effect::AddsOnce,
    },
    Tool {
        name: "locks",
        title: "Who holds which lock",
        about: "List who holds which lock, until when and for what, and who waits; `log` lists who took and released them.",
        arguments: &["scope", "log", "limit"],
        effect: Effect::Nothing,
    },
    Tool {
        name: "request",
        title: "Ask an owner for a change",
        about: "Ask the owner of paths or of an area for a change that you may not make yourself (`submit`), list and show \
                requests, and answer those to you.",
        arguments: &[
            "paths", "area", "to", "file", "priority", "reason", "mine", "all", "id", "commit", "agent",
        ],
        effect: Effect::Adds,
    },
    Tool {
        name: "land",
        title: "Land a branch on its base",
        about: "Bring your branch onto its base, in turn with all others, where the policy has `land`: it is pushed, rebased, judged \
                by the policy and by commands, and the base is moved. `no_wait` only asks for it; `list` shows what waits and what \
                became of the last ones; `withdraw` takes it out again. Exit code 1 says that it may not land as it is, and why.",
        arguments: &["branch", "base", "no_wait", "list", "withdraw", "force_with_lease"],
        effect: Effect::Adds,
    },
    Tool {
        name: "inbox",
        title: "What is new for you",
        about: "List what is new for you: locks that became free or were lost, requests that arrived or were answered, work that \
                landed under your lock, conflicts to come; each with the command that leads on. Call it when you begin, and \
                before you push. What it has listed is not listed again, unless `keep` or `all` is true.",
        arguments: &["all", "keep", "agent"],
        effect: Effect::AddsOnce,
    },
    Tool {
        name: "status",
        title: "All agents at a glance",
        about: "Show every agent of this repository: branch, size of the change, verdict, locks, conflicts, pull request.",
        arguments: &[],
        effect: Effect::Nothing,
    },
    Tool {
        name: "conflicts",
        title: "Coming merge conflicts",
        about: "List the files in which branches of agents would conflict if they were merged now.",
        arguments: &[],
        effect: Effect::Nothing,
    },
];

/// The tool of this name.
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::TOOLS;
    use crate::commands::args::command;
    use crate::commands::mcp::schema;

    #[test]
    fn each_argument_of_a_tool_is_one_of_its_command() {
        let root = command();
        for tool in TOOLS {
            let command = root.find_subcommand(tool.name).unwrap();
            let all: Vec<&clap::Command> = schema::actions(command).collect();
            for name in tool.arguments {
                let is_there = |command: &&clap::Command| schema::argument(command, name).is_some();
                assert!(all.iter().any(is_there), "{} has no `{name}`", tool.name);
            }
        }
    }
}
