//! The rules that a team writes itself.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::scalar::Duration;
use super::super::source::{Span, Spanned};
use super::Level;
use crate::hooks::Stage;

/// A rule of the team's own: a command that is told of a change, and says what is wrong with it. It binds maintainers too.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CustomRule {
    /// What findings call it: small letters, digits and dashes.
    pub id: Spanned<String>,
    /// Where it is judged.
    #[schemars(with = "OneOrManyPlaces")]
    pub at: Vec<Spanned<JudgedAt>>,
    /// Patterns of files; it runs where the change has one of them. None: for every change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "super::OneOrMany")]
    pub when: Vec<Spanned<String>>,
    /// Patterns of files that it is not told of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "super::OneOrMany")]
    pub except: Vec<Spanned<String>>,
    /// The command, for sh. Where its first word has a slash, that is a file of the repository, taken from the base.
    pub run: Spanned<String>,
    /// Further files and folders that the command needs, taken from the base likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "super::OneOrMany")]
    pub needs: Vec<Spanned<String>>,
    /// How long it may take.
    pub timeout: Spanned<Duration>,
    /// What a finding says to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Spanned<String>>,
    /// Its level.
    pub level: Spanned<Level>,
    /// The whole entry.
    #[serde(skip)]
    #[schemars(skip)]
    pub span: Span,
}

/// Where a rule of the team's own is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JudgedAt {
    /// When a commit is made.
    Commit,
    /// When refs are pushed.
    Push,
    /// On the server that receives them, where its administrator allows it.
    Server,
    /// In the pull request's job.
    Ci,
}

/// A place or a list of places.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)]
pub enum OneOrManyPlaces {
    /// One.
    One(JudgedAt),
    /// Several.
    Many(Vec<JudgedAt>),
}

impl JudgedAt {
    /// All of them, by the words of a policy.
    pub const ALL: [(&'static str, Self); 4] =
        [("commit", Self::Commit), ("push", Self::Push), ("server", Self::Server), ("ci", Self::Ci)];

    /// The stage.
    pub fn stage(self) -> Stage {
        match self {
            Self::Commit => Stage::Commit,
            Self::Push => Stage::Push,
            Self::Server => Stage::Server,
            Self::Ci => Stage::Ci,
        }
    }
}

impl CustomRule {
    /// Whether it has anything to say at these stages.
    pub fn applies(&self, stages: &[Stage]) -> bool {
        self.level.value != Level::Off && self.at.iter().any(|at| stages.contains(&at.value.stage()))
    }

    /// Its documentation, in Markdown.
    pub fn page(&self) -> String {
        let words = |all: &[Spanned<String>]| {
            all.iter().map(|one| format!("`{}`", one.value)).collect::<Vec<_>>().join(", ")
        };
        let at = self.at.iter().filter_map(|at| JudgedAt::ALL.iter().find(|(_, known)| *known == at.value));
        let at: Vec<&str> = at.map(|(word, _)| *word).collect();
        let mut out = format!("# {}\n\n{}.\n\n", self.id.value, self.summary());
        out.push_str(&format!("- level: {}\n- at: {}\n", self.level.value.word(), at.join(", ")));
        for (key, all) in [("when", &self.when), ("except", &self.except), ("needs", &self.needs)] {
            if !all.is_empty() {
                out.push_str(&format!("- {key}: {}\n", words(all)));
            }
        }
        out.push_str(&format!("- time-out: {}\n\nIt binds maintainers too.\n", self.timeout.value));
        if let Some(message) = &self.message {
            out.push_str(&format!("\n## How to get on\n{}\n", message.value));
        }
        out
    }

    /// What a list of rules says of it.
    pub fn summary(&self) -> String {
        format!("a rule of this policy: {}", self.run.value)
    }
}
