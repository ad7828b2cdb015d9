//! The commands. Each is a file: its arguments (`Args`, whose first line is what help says of it) and `run()`. Here are its
//! `mod` and its row in the table; help, manual, completions and dispatch come from that.

mod affected;
mod args;
mod check;
mod ci;
mod complete;
mod completions;
mod conflicts;
mod dispatch;
mod doctor;
mod drop;
mod env;
mod help;
mod hook;
mod inbox;
mod init;
mod install;
mod join;
mod land;
mod limited;
mod lock;
mod locks;
mod logs;
mod mangen;
mod mcp;
mod near_miss;
mod policy;
mod port;
mod pr;
mod push;
mod report;
mod request;
mod rule;
mod run;
mod setup;
mod status;
mod sync;
mod teardown;
mod test;
mod uninstall;
mod unlock;
mod watch;
mod who;

pub use dispatch::{run, run_hooks};

use crate::cli::catalog::{Common, DATA, EVENTS, Entry, Group, JOBS, METRICS, VARIABLES, VERDICT};
use crate::cli::options::Formats;

/// The row of a command that is called like its module.
macro_rules! command {
    ($module:ident) => {
        Entry::new(stringify!($module), <$module::Args as clap::Args>::augment_args, |matches| {
            let args = <$module::Args as clap::FromArgMatches>::from_arg_matches(matches)?;
            Ok(Box::new(move |output| $module::run(&args, output)))
        })
    };
}

/// The commands as help shows them.
const TABLE: &[Group] = &[
    Group {
        title: "Daily work",
        commands: &[
            command!(status).formats(DATA).quiet().verbose(),
            command!(check).formats(VERDICT).quiet().verbose().judges("check"),
            command!(who).formats(DATA).quiet(),
            command!(sync).formats(DATA).quiet(),
            command!(push).formats(DATA).quiet(),
            command!(pr).formats(DATA).quiet(),
            command!(land).formats(DATA).quiet(),
            command!(drop).formats(DATA).quiet(),
            command!(conflicts).formats(DATA).quiet().verbose(),
            command!(affected).formats(JOBS).quiet().verbose(),
            command!(test).formats(DATA).quiet().verbose(),
            command!(logs).formats(DATA).quiet(),
            command!(request).formats(DATA).quiet(),
            command!(inbox).formats(EVENTS).quiet(),
            command!(watch).formats(EVENTS).quiet(),
            command!(report).formats(METRICS).quiet(),
        ],
    },
    Group {
        title: "Locks",
        commands: &[
            command!(lock).formats(DATA).quiet(),
            command!(unlock).formats(DATA).quiet(),
            command!(locks).formats(DATA).quiet(),
        ],
    },
    Group {
        title: "Worktrees",
        commands: &[
            command!(setup).formats(DATA).quiet(),
            command!(join).formats(DATA).quiet(),
            command!(env).formats(VARIABLES),
            command!(run).verbose(),
            command!(port).formats(DATA),
            command!(teardown).formats(DATA).quiet(),
        ],
    },
    Group {
        title: "Policy",
        commands: &[
            command!(init).formats(DATA).quiet(),
            command!(policy).formats(DATA).quiet().verbose().below(&[
                ("check", Common::new(DATA).quiet()),
                ("show", Common::new(DATA).quiet()),
                ("schema", Common::new(Formats::Nothing)),
                ("test", Common::new(DATA).quiet().verbose()),
            ]),
            command!(rule).formats(DATA),
        ],
    },
    Group {
        title: "Administration",
        commands: &[
            command!(install).formats(DATA).quiet(),
            command!(uninstall).formats(DATA).quiet(),
            command!(doctor).formats(DATA).quiet(),
            command!(mcp),
            command!(ci).formats(VERDICT).quiet().verbose().judges("ci"),
            command!(completions),
            command!(help),
        ],
    },
];

/// Commands that programs use, and help does not show.
const HIDDEN: &[Entry] = &[command!(mangen), command!(limited), command!(complete), command!(hook)];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Command;

    use super::args::command;
    use super::*;
    use crate::cli::catalog::entries;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_row_for_each_command() {
        let rows: Vec<&str> = entries(TABLE).chain(HIDDEN).map(|entry| entry.name).collect();
        let command = command();
        let all: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        assert_eq!(rows.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(rows.len(), all.len());
    }

    #[test]
    fn help_is_in_groups_of_single_lines() {
        let help = command().term_width(80).render_help().to_string();
        insta::assert_snapshot!(help);
        let long = help.lines().filter(|line| line.chars().count() > 80).collect::<Vec<_>>();
        assert_eq!(long, Vec::<&str>::new());
    }
}
