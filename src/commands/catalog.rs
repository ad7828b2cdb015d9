//! The commands as help shows them: in which group each stands, and which of the common options it takes.

use std::fmt::Write as _;

use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

use crate::cli::options::Format;

/// Commands that belong together.
pub struct Group {
    /// What they have in common.
    pub title: &'static str,
    /// The commands, in the order in which they are shown.
    pub commands: &'static [Entry],
}

/// A command, or one below another (`policy check`), and the common options that it takes.
pub struct Entry {
    /// How it is typed.
    pub path: &'static str,
    formats: &'static [Format],
    has_quiet: bool,
    has_verbose: bool,
}

impl Entry {
    const fn new(path: &'static str, formats: &'static [Format]) -> Self {
        Self { path, formats, has_quiet: false, has_verbose: false }
    }

    const fn quiet(self) -> Self {
        Self { has_quiet: true, ..self }
    }

    const fn verbose(self) -> Self {
        Self { has_verbose: true, ..self }
    }
}

const NONE: &[Format] = &[];
const DATA: &[Format] = &[Format::Text, Format::Json];
const VERDICT: &[Format] = &[Format::Text, Format::Json, Format::Github, Format::Sarif, Format::Gitlab];
const VARIABLES: &[Format] = &[Format::Text, Format::Json, Format::Sh, Format::Dotenv];

/// All commands.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Daily work",
        commands: &[
            Entry::new("status", DATA).quiet().verbose(),
            Entry::new("check", VERDICT).quiet().verbose(),
            Entry::new("who", DATA).quiet(),
            Entry::new("sync", DATA).quiet(),
            Entry::new("push", DATA).quiet(),
            Entry::new("pr", DATA).quiet(),
            Entry::new("drop", DATA).quiet(),
            Entry::new("conflicts", DATA).quiet().verbose(),
            Entry::new("request", DATA).quiet(),
        ],
    },
    Group {
        title: "Locks",
        commands: &[
            Entry::new("lock", DATA).quiet(),
            Entry::new("unlock", DATA).quiet(),
            Entry::new("locks", DATA).quiet(),
        ],
    },
    Group {
        title: "Worktrees",
        commands: &[
            Entry::new("setup", DATA).quiet(),
            Entry::new("join", DATA).quiet(),
            Entry::new("env", VARIABLES),
            Entry::new("run", NONE).verbose(),
            Entry::new("port", DATA),
            Entry::new("teardown", DATA).quiet(),
        ],
    },
    Group {
        title: "Policy",
        commands: &[
            Entry::new("init", DATA).quiet(),
            Entry::new("policy", DATA).quiet().verbose(),
            Entry::new("rule", DATA),
        ],
    },
    Group {
        title: "Administration",
        commands: &[
            Entry::new("install", DATA).quiet(),
            Entry::new("uninstall", DATA).quiet(),
            Entry::new("doctor", DATA).quiet(),
            Entry::new("ci", VERDICT).quiet().verbose(),
            Entry::new("completions", NONE),
            Entry::new("help", NONE),
        ],
    },
];

/// Commands below others that take less than those.
const NESTED: &[Entry] = &[
    Entry::new("policy check", DATA).quiet(),
    Entry::new("policy show", DATA).quiet(),
    Entry::new("policy schema", NONE),
    Entry::new("policy test", DATA).quiet().verbose(),
];

/// The command line with its help in groups, and with the common options only where a command takes them.
pub fn arranged(root: Command) -> Command {
    let common: Vec<Arg> = root.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let help = root_help(&root);
    let mut root = root.help_template(help).mut_args(|arg| match arg.get_id().as_str() {
        "format" | "quiet" | "verbose" => arg.hide(true),
        _ => arg,
    });
    for entry in GROUPS.iter().flat_map(|group| group.commands).chain(NESTED) {
        root = at(root, entry.path, &|command| with_options(command, entry, &common));
    }
    root
}

/// Changes one command, found by its path.
fn at(command: Command, path: &str, change: &dyn Fn(Command) -> Command) -> Command {
    match path.split_once(' ') {
        Some((first, rest)) => command.mut_subcommand(first, |sub| at(sub, rest, change)),
        None => command.mut_subcommand(path, change),
    }
}

/// The common options as this command takes them. Those without a meaning for it stay where scripts may have them, and
/// are not shown.
fn with_options(command: Command, entry: &Entry, common: &[Arg]) -> Command {
    common.iter().fold(command, |command, arg| {
        let arg = arg.clone();
        command.arg(match arg.get_id().as_str() {
            "format" if entry.formats.is_empty() => arg.hide(true),
            "format" => arg.hide(false).value_parser(Formats(entry.formats)),
            "quiet" => arg.hide(!entry.has_quiet),
            "verbose" => arg.hide(!entry.has_verbose),
            _ => arg,
        })
    })
}

/// Formats of which a command knows some. The others are parsed as well: what is wrong with them is said with the
/// command that knows them.
#[derive(Clone)]
struct Formats(&'static [Format]);

impl TypedValueParser for Formats {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let known = value.to_str().and_then(|word| Format::from_str(word, false).ok());
        known.map_or_else(
            || {
                let words = PossibleValuesParser::new(self.0.iter().filter_map(ValueEnum::to_possible_value));
                words
                    .parse_ref(command, arg, value)
                    .and_then(|_| Err(clap::Error::new(clap::error::ErrorKind::InvalidValue)))
            },
            Ok,
        )
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().filter_map(ValueEnum::to_possible_value)))
    }
}

/// The help of the whole: commands in their groups.
fn root_help(root: &Command) -> StyledStr {
    let styles = root.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut out = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    let shown = GROUPS.iter().flat_map(|group| group.commands);
    let width = shown.map(|entry| entry.path.len()).max().unwrap_or(0);
    for group in GROUPS {
        let _ = writeln!(out, "\n{header}{}:{header:#}", group.title);
        for entry in group.commands {
            let about = root.find_subcommand(entry.path).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "  {literal}{:width$}{literal:#}  {about}", entry.path);
        }
    }
    let _ = write!(out, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    StyledStr::from(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::commands::args::command;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_command_stands_in_one_group() {
        let listed: Vec<&str> =
            GROUPS.iter().flat_map(|group| group.commands).map(|entry| entry.path).collect();
        let command = command();
        let all: BTreeSet<&str> =
            command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(listed.len(), all.len());
    }

    #[test]
    fn help_is_in_groups_of_single_lines() {
        let help = command().term_width(80).render_help().to_string();
        insta::assert_snapshot!(help);
        let long = help.lines().filter(|line| line.chars().count() > 80).collect::<Vec<_>>();
        assert_eq!(long, Vec::<&str>::new());
    }
}
