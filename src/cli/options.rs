//! Options of all commands.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::candidates;
use lane_core::metrics;
use lane_core::report::{self, FORMATS};

/// What stands above them in help.
const HEADING: &str = "Common options";

/// Options of all commands.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = HEADING, add = candidates::folders())]
    pub directory: Option<PathBuf>,
    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true, help_heading = HEADING)]
    pub format: Format,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, help_heading = HEADING)]
    pub color: When,
    /// Print only problems
    #[arg(short, long, global = true, help_heading = HEADING)]
    pub quiet: bool,
    /// List everything, and what was read
    #[arg(short, long, global = true, help_heading = HEADING, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// How to report.
#[derive(Debug, Clone, Copy)]
pub enum Format {
    /// In a form that reports have.
    Report(&'static report::Format),
    /// In a form that only the report on a period has.
    Metrics(&'static metrics::format::Format),
    /// For `eval` in a shell.
    Sh,
    /// For dotenv libraries.
    Dotenv,
    /// For the matrix of a GitHub workflow.
    GithubMatrix,
}

static ALL: LazyLock<Vec<Format>> = LazyLock::new(|| {
    let reports = FORMATS.iter().map(|format| Format::Report(format));
    let metrics = metrics::format::FORMATS.iter().map(|format| Format::Metrics(format));
    reports.chain(metrics).chain([Format::Sh, Format::Dotenv, Format::GithubMatrix]).collect()
});

impl Format {
    /// For people and agents.
    pub const TEXT: Self = Self::Report(&report::text::FORMAT);
    /// For programs.
    pub const JSON: Self = Self::Report(&report::json::FORMAT);
    /// For a job of GitHub.
    pub const GITHUB: Self = Self::Report(&report::github::FORMAT);

    /// The word that is typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Report(format) => format.word,
            Self::Metrics(format) => format.word,
            Self::Sh => "sh",
            Self::Dotenv => "dotenv",
            Self::GithubMatrix => "github-matrix",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Report(format) => format.about,
            Self::Metrics(format) => format.about,
            Self::Sh => "For `eval` in a shell",
            Self::Dotenv => "For dotenv libraries",
            Self::GithubMatrix => "One line of JSON for `matrix: ${{ fromJSON(...) }}` of a GitHub workflow",
        }
    }

    /// Whether only variables can be told in it.
    pub fn is_of_variables(self) -> bool {
        matches!(self, Self::Sh | Self::Dotenv)
    }

    /// Whether only what is affected can be told in it.
    pub fn is_of_jobs(self) -> bool {
        matches!(self, Self::GithubMatrix)
    }

    /// Whether only the report on a period can be told in it.
    pub fn is_of_metrics(self) -> bool {
        matches!(self, Self::Metrics(_))
    }

    /// Whether only a verdict can be told in it.
    pub fn is_of_verdicts(self) -> bool {
        matches!(self, Self::Report(format) if format.is_of_verdicts)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.word() == other.word()
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()).help(self.about()))
    }
}

/// A report for GitLab; of jobs, a pipeline.
pub const GITLAB: &str = "gitlab";

/// Lines of JSON.
pub const JSONL: &str = "jsonl";

/// The formats that a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formats {
    /// None.
    Nothing,
    /// What is told is data.
    Data,
    /// What is told is a verdict.
    Verdict,
    /// What is told is a report on a period.
    Metrics,
    /// What is told are variables.
    Variables,
    /// What is told are jobs.
    Jobs,
    /// What is told are things that happen.
    Events,
}

impl Formats {
    /// Whether this is one of them.
    pub fn has(self, format: Format) -> bool {
        let is_of_data = !format.is_of_verdicts()
            && !format.is_of_variables()
            && !format.is_of_metrics()
            && !format.is_of_jobs();
        match self {
            Self::Nothing => false,
            Self::Data => is_of_data,
            Self::Verdict => is_of_data || format.is_of_verdicts(),
            Self::Metrics => is_of_data || format.is_of_metrics(),
            Self::Variables => is_of_data || format.is_of_variables(),
            Self::Jobs => is_of_data || format.is_of_jobs() || format.word() == GITLAB,
            Self::Events => is_of_data || format.word() == JSONL,
        }
    }

    /// As help lists them.
    pub fn possible_values(self) -> impl Iterator<Item = PossibleValue> {
        let taken = ALL.iter().filter(move |format| self.has(**format));
        taken.filter_map(move |format| {
            let value = format.to_possible_value()?;
            let is_pipeline = self == Self::Jobs && format.word() == GITLAB;
            Some(if is_pipeline {
                value.help("A child pipeline of GitLab, with a job for each service")
            } else {
                value
            })
        })
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
