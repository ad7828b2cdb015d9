//! Options of all commands.

use std::path::PathBuf;

use clap::ValueEnum;

use super::candidates;

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
    /// Say only what is wrong
    #[arg(short, long, global = true, help_heading = HEADING)]
    pub quiet: bool,
    /// List all, and what was read
    #[arg(short, long, global = true, help_heading = HEADING, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people and agents
    Text,
    /// For programs
    Json,
    /// Annotations on GitHub, and the summary of the step
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// A Code Quality report for GitLab
    Gitlab,
    /// For `eval` in a shell
    Sh,
    /// For dotenv libraries
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
