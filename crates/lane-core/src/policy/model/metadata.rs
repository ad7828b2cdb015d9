//! What commits have besides files.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::source::Spanned;
use super::OneOrMany;

/// Rules for commit messages.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Message {
    /// Forms of the agent's tag, any of which will do. `{agent}` is the id, `{AGENT}` the id in capitals.
    #[schemars(with = "OneOrMany")]
    pub tag: Vec<Spanned<String>>,
    /// Conventional-commit types; none listed: any subject will do.
    pub types: Vec<Spanned<String>>,
    /// A regular expression that subjects have to match, with or without the agent's tag before them.
    pub pattern: Option<Spanned<String>>,
    /// A subject that matches, which findings show.
    pub example: Option<Spanned<String>>,
    /// Regular expressions that may match nowhere in a message.
    #[schemars(with = "OneOrMany")]
    pub forbid: Vec<Spanned<String>>,
    /// The most characters that a subject may have.
    pub subject_max: Option<Spanned<u64>>,
    /// Whether a message needs text below its subject.
    pub body: Spanned<Presence>,
    /// Whether a message needs `Signed-off-by`, of its author or its committer.
    pub sign_off: Spanned<Presence>,
}

impl Default for Message {
    /// Any message will do.
    fn default() -> Self {
        Self {
            tag: Vec::new(),
            types: Vec::new(),
            pattern: None,
            example: None,
            forbid: Vec::new(),
            subject_max: None,
            body: Spanned::default_of(Presence::Optional),
            sign_off: Spanned::default_of(Presence::Optional),
        }
    }
}

/// Whether something has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It may be left out.
    Optional,
    /// It has to be there.
    Required,
}

/// Rules for tags whose names match.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TagRule {
    /// A glob in which `*` stays between slashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Spanned<String>>,
    /// A regular expression, in place of a glob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<Spanned<String>>,
    /// Who may make, move and delete such tags: ids of agents, `maintainers`, `nobody`; none: all.
    #[schemars(with = "OneOrMany")]
    pub by: Vec<Spanned<String>>,
    /// What such a tag has to be.
    pub form: Spanned<TagForms>,
    /// Whether such a tag may be moved or deleted.
    pub change: Spanned<TagChanges>,
}

impl TagRule {
    /// Maintainers, and no agent.
    pub const MAINTAINERS: &str = "maintainers";
    /// Not even they.
    pub const NOBODY: &str = "nobody";
}

/// What a tag has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TagForms {
    /// Any.
    Any,
    /// One with a message.
    Annotated,
    /// One with a message and a signature.
    Signed,
}

/// Whether tags may be moved or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TagChanges {
    /// They may.
    Allow,
    /// They stay as they are.
    Deny,
}

/// Who may make commits: expressions for one of the two that each has.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PersonRules {
    /// A regular expression that the e-mail address has to match.
    pub email: Option<Spanned<String>>,
    /// A regular expression that the name has to match.
    pub name: Option<Spanned<String>>,
}
