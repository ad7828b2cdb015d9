//! The root of the command line, and what was typed on it.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};

use super::{HIDDEN, TABLE};
use crate::cli::catalog::{self, Entry, entries};
use crate::cli::options::Global;

/// Keep many coding agents, each in its own worktree, inside their lanes
#[derive(Debug, Parser)]
#[command(
    name = "git-lane",
    bin_name = "git lane",
    version,
    disable_help_subcommand = true,
    after_help = "`git lane help COMMAND` explains a command.\n`git lane --help` opens the manual page."
)]
struct Root {
    #[command(flatten)]
    global: Global,
}

/// What was typed.
pub struct CommandLine {
    /// Options of all commands.
    pub global: Global,
    /// The command.
    pub entry: &'static Entry,
    /// The same with its arguments.
    pub run: catalog::Runner,
}

impl CommandLine {
    /// What was typed.
    ///
    /// # Errors
    /// It is no command, or it is a request for help.
    pub fn parsed(typed: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> clap::error::Result<Self> {
        let typed: Vec<OsString> = typed.into_iter().map(Into::into).collect();
        match plain().try_get_matches_from(&typed) {
            Ok(matches) => Self::read(&matches),
            Err(version) if version.kind() == ErrorKind::DisplayVersion => Err(version),
            // What help and errors show is arranged for those that are shown one, and not at each start.
            Err(_) => {
                let mut command = command();
                let matches = command.try_get_matches_from_mut(&typed)?;
                Self::read(&matches).map_err(|error| error.format(&mut command))
            }
        }
    }

    fn read(matches: &ArgMatches) -> clap::error::Result<Self> {
        let global = Root::from_arg_matches(matches)?.global;
        let found = matches.subcommand().and_then(|(name, below)| {
            let mut all = entries(TABLE).chain(HIDDEN);
            Some((all.find(|entry| entry.name == name)?, below))
        });
        let (entry, below) = found.ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        Ok(Self { global, entry, run: (entry.read)(below)? })
    }
}

/// Everything that can be typed: commands and their options, in the groups that help shows.
pub fn command() -> Command {
    catalog::with_groups(plain(), TABLE)
}

fn plain() -> Command {
    catalog::with_commands(Root::command(), TABLE, HIDDEN)
}
