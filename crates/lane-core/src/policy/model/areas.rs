//! Areas: named sets of paths.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::source::{Span, Spanned};

/// The word under `approve` for maintainers, and no agent.
pub const MAINTAINERS: &str = "maintainers";

/// A named set of paths with one kind of access.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Area {
    /// The name that locks and messages use.
    pub name: Spanned<String>,
    /// gitignore patterns.
    pub paths: Vec<Spanned<String>>,
    /// Who may change the paths.
    pub access: Spanned<Access>,
    /// The agents that may, with `access: owner`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "OneOrMany")]
    pub owner: Vec<Spanned<String>>,
    /// The agent that looks after it where others may change it, too: it is named, and asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steward: Option<Spanned<String>>,
    /// The agents of whom one has to approve another's change, or `maintainers`: they alone. None: nobody has to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "OneOrMany")]
    pub approve: Vec<Spanned<String>>,
    /// The most lines, added plus deleted, that a change may have in it. Null: no limit but that of the whole change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lines: Option<Spanned<u64>>,
    /// The most files that a change may touch in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_files: Option<Spanned<u64>>,
    /// The whole entry.
    #[serde(skip)]
    #[schemars(skip)]
    pub span: Span,
}

impl Area {
    /// Whether a change in it has a limit of its own.
    pub fn is_limited(&self) -> bool {
        self.max_lines.is_some() || self.max_files.is_some()
    }

    /// The steward, but for whoever is it.
    pub fn steward_for(&self, agent: Option<&str>) -> Option<&str> {
        let steward = self.steward.as_ref().map(|steward| steward.value.as_str());
        steward.filter(|steward| Some(*steward) != agent)
    }

    /// Whether an agent is one of those whose word a change of another needs.
    pub fn is_approved_by(&self, agent: &str) -> bool {
        self.approve.iter().any(|id| id.value == agent)
    }

    /// Whether an agent may change it, whatever else is wanted of the change.
    pub fn is_changed_by(&self, agent: &str) -> bool {
        match self.access.value {
            Access::Owner => self.owner.iter().any(|id| id.value == agent),
            Access::Maintainer | Access::Never => false,
            Access::Lock | Access::Coordinate | Access::Append | Access::Shared | Access::Open => true,
        }
    }

    /// What a change may have in it, for people: `50 lines`, `50 lines and 3 files`.
    pub fn limits(&self) -> Option<String> {
        let of = |limit: &Option<Spanned<u64>>, what: &str| {
            let limit = limit.as_ref()?.value;
            Some(format!("{limit} {what}{}", if limit == 1 { "" } else { "s" }))
        };
        let limits = [of(&self.max_lines, "line"), of(&self.max_files, "file")];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        (!limits.is_empty()).then(|| limits.join(" and "))
    }
}

/// A text or a list of texts.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// Who may change an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Only the agents that `owner` names.
    Owner,
    /// Whoever holds the lock.
    Lock,
    /// Anyone who says so with a `Coordinated-with` trailer.
    Coordinate,
    /// Anyone, for new files; what the base has is not changed.
    Append,
    /// Anyone; a steward looks after it.
    Shared,
    /// Anyone.
    Open,
    /// No agent.
    Maintainer,
    /// Nobody: such files stay local.
    Never,
}
