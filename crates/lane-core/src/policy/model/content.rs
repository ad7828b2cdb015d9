//! What files may be, and what may be written into them.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::scalar::Memory;
use super::super::source::Spanned;

/// What files of a change may be. It binds maintainers too.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Files {
    /// The most bytes that a file may have, as `5MB`.
    pub max_size: Option<Spanned<Memory>>,
    /// The most bytes that a path may have.
    pub max_path: Option<Spanned<u64>>,
    /// Patterns of files that may not be added or changed; case makes no difference.
    pub forbid: Vec<Spanned<String>>,
    /// Extensions of files that may not be added or changed, as `exe`; case makes no difference.
    pub extensions: Vec<Spanned<String>>,
    /// Patterns of files that `max_size`, `forbid` and `extensions` do not apply to.
    pub except: Vec<Spanned<String>>,
}

/// What may not stand in an added line: `secrets`, or an entry. It binds maintainers too.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ContentRule {
    /// What findings call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Spanned<String>>,
    /// A regular expression, as the regex crate has them. It is matched against each added line by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Spanned<String>>,
    /// A set that comes with git-lane, in place of a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builtin: Option<Spanned<Builtin>>,
    /// Patterns of files that are looked at; none: all.
    #[serde(rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<Spanned<String>>,
    /// Patterns of files that are not looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Spanned<String>>,
    /// What a finding says to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Spanned<String>>,
    /// A text that lets a line stand: `lane:allow`. Without it a line cannot say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<Spanned<String>>,
}

/// The entries of `content`.
#[derive(Debug, Clone, Default)]
pub struct ContentRules(pub Vec<ContentRule>);

impl Serialize for ContentRules {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for ContentRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ContentRules".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let word = generator.subschema_for::<Builtin>();
        let entry = generator.subschema_for::<ContentRule>();
        schemars::json_schema!({
            "anyOf": [word, { "type": "array", "items": { "anyOf": [word, entry] } }],
        })
    }
    fn inline_schema() -> bool {
        true
    }
}

/// A set of patterns that comes with git-lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Builtin {
    /// Keys and tokens of well-known providers.
    Secrets,
}
