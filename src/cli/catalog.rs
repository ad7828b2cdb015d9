//! A row of the table of commands, and the command line that help, manual and completions are made of: commands in
//! groups, each with the common options that it takes.

use std::fmt::Write as _;

use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr, TypedValueParser};
use clap::{Arg, ArgMatches, Command, ValueEnum};

use super::Outcome;
use super::options::{Format, Formats};
use super::output::Output;

/// A command with what was typed after it.
pub type Runner = Box<dyn FnOnce(&Output) -> Outcome>;

/// Commands that belong together.
pub struct Group {
    /// What they have in common.
    pub title: &'static str,
    /// The commands, in the order in which they are shown.
    pub commands: &'static [Entry],
}

/// A command: a row of the table.
pub struct Entry {
    /// How it is typed.
    pub name: &'static str,
    /// What its reports name as their event, if it gives a verdict.
    pub event: Option<&'static str>,
    /// Adds its arguments and what it is for.
    pub describe: fn(Command) -> Command,
    /// Reads its arguments.
    pub read: fn(&ArgMatches) -> clap::error::Result<Runner>,
    common: Common,
    below: &'static [(&'static str, Common)],
}

/// The common options that a command takes.
#[derive(Clone, Copy)]
pub struct Common {
    formats: Formats,
    has_quiet: bool,
    has_verbose: bool,
}

/// What is told is data.
pub const DATA: Formats = Formats::Data;
/// What is told is a verdict.
pub const VERDICT: Formats = Formats::Verdict;
/// What is told is a report on a period.
pub const METRICS: Formats = Formats::Metrics;
/// What is told are jobs.
pub const JOBS: Formats = Formats::Jobs;
/// What is told are things that happen.
pub const EVENTS: Formats = Formats::Events;
/// What is told are variables.
pub const VARIABLES: Formats = Formats::Variables;

impl Common {
    /// Formats alone.
    pub const fn new(formats: Formats) -> Self {
        Self { formats, has_quiet: false, has_verbose: false }
    }

    /// And `--quiet`.
    pub const fn quiet(self) -> Self {
        Self { has_quiet: true, ..self }
    }

    /// And `--verbose`.
    pub const fn verbose(self) -> Self {
        Self { has_verbose: true, ..self }
    }
}

impl Entry {
    /// A command that takes no common options.
    pub const fn new(
        name: &'static str,
        describe: fn(Command) -> Command,
        read: fn(&ArgMatches) -> clap::error::Result<Runner>,
    ) -> Self {
        let common = Common::new(Formats::Nothing);
        Self { name, event: None, describe, read, common, below: &[] }
    }

    /// It reports in these formats.
    pub const fn formats(self, formats: Formats) -> Self {
        Self { common: Common { formats, ..self.common }, ..self }
    }

    /// It takes `--quiet`.
    pub const fn quiet(self) -> Self {
        Self { common: self.common.quiet(), ..self }
    }

    /// It takes `--verbose`.
    pub const fn verbose(self) -> Self {
        Self { common: self.common.verbose(), ..self }
    }

    /// It gives a verdict, whose event this is.
    pub const fn judges(self, event: &'static str) -> Self {
        Self { event: Some(event), ..self }
    }

    /// Commands below it that take less.
    pub const fn below(self, below: &'static [(&'static str, Common)]) -> Self {
        Self { below, ..self }
    }

    /// Whether it reports in this format.
    pub fn has_format(&self, format: Format) -> bool {
        self.common.formats.has(format)
    }
}

/// The commands of all groups.
pub fn entries(groups: &'static [Group]) -> impl Iterator<Item = &'static Entry> {
    groups.iter().flat_map(|group| group.commands)
}

/// The command line: each command below its root.
pub fn with_commands(root: Command, groups: &'static [Group], hidden: &'static [Entry]) -> Command {
    let of = |entry: &Entry| (entry.describe)(Command::new(entry.name));
    root.subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(entries(groups).map(of))
        .subcommands(hidden.iter().map(|entry| of(entry).hide(true)))
}

/// The command line with its help in groups, and with the common options only where a command takes them.
pub fn with_groups(root: Command, groups: &'static [Group]) -> Command {
    let common: Vec<Arg> = root.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let help = root_help(&root, groups);
    let mut root = root.help_template(help).mut_args(|arg| match arg.get_id().as_str() {
        "format" | "quiet" | "verbose" => arg.hide(true),
        _ => arg,
    });
    for entry in entries(groups) {
        root = root.mut_subcommand(entry.name, |command| {
            let command = with_options(command, entry.common, &common);
            entry.below.iter().fold(command, |command, (name, takes)| {
                command.mut_subcommand(name, |below| with_options(below, *takes, &common))
            })
        });
    }
    root
}

/// The common options as this command takes them. Those without a meaning for it stay where scripts may have them, and
/// are not shown.
fn with_options(command: Command, takes: Common, common: &[Arg]) -> Command {
    common.iter().fold(command, |command, arg| {
        let arg = arg.clone();
        command.arg(match arg.get_id().as_str() {
            "format" if takes.formats == Formats::Nothing => arg.hide(true),
            "format" => arg.hide(false).value_parser(FormatParser(takes.formats)),
            "quiet" => arg.hide(!takes.has_quiet),
            "verbose" => arg.hide(!takes.has_verbose),
            _ => arg,
        })
    })
}

/// Formats of which a command knows some. The others are parsed as well: what is wrong with them is said with the
/// command that knows them.
#[derive(Clone)]
struct FormatParser(Formats);

impl TypedValueParser for FormatParser {
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
                let words = PossibleValuesParser::new(self.0.possible_values());
                words
                    .parse_ref(command, arg, value)
                    .and_then(|_| Err(clap::Error::new(clap::error::ErrorKind::InvalidValue)))
            },
            Ok,
        )
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.possible_values()))
    }
}

/// The help of the whole: commands in their groups.
fn root_help(root: &Command, groups: &'static [Group]) -> StyledStr {
    let styles = root.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut out = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    let width = entries(groups).map(|entry| entry.name.len()).max().unwrap_or(0);
    for group in groups {
        let _ = writeln!(out, "\n{header}{}:{header:#}", group.title);
        for entry in group.commands {
            let about = root.find_subcommand(entry.name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "  {literal}{:width$}{literal:#}  {about}", entry.name);
        }
    }
    let _ = write!(out, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    StyledStr::from(out)
}
