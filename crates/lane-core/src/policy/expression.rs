//! A regular expression of the policy, compiled when something is first held against it.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::model::{PersonRules, Policy, TagRule};
use super::plan::{Plan, is_ref_match};
use super::source::{Span, Spanned};
use crate::content::compile_pattern;
use crate::facts::Unavailable;

/// One expression.
#[derive(Debug)]
pub struct Expression {
    text: Spanned<String>,
    regex: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Of a text of the policy.
    pub fn new(text: &Spanned<String>) -> Self {
        Self { text: text.clone(), regex: OnceLock::new() }
    }

    /// The first place where it matches, in bytes. `^` and `$` are the ends of a line.
    ///
    /// # Errors
    /// It cannot be compiled.
    pub fn find(&self, text: &str) -> Result<Option<(usize, usize)>, Unavailable> {
        let regex = self.regex.get_or_init(|| compile_pattern(&self.text.value).ok()).as_ref();
        let regex = regex.ok_or_else(|| {
            Unavailable::new(
                format!("`{}` in {} cannot be compiled", self.text.value, super::FILE),
                "look at it: git lane policy check",
            )
        })?;
        Ok(regex.find(text.as_bytes()).map(|found| (found.start(), found.end())))
    }

    /// Whether it matches anywhere in a text.
    ///
    /// # Errors
    /// It cannot be compiled.
    pub fn is_match(&self, text: &str) -> Result<bool, Unavailable> {
        Ok(self.find(text)?.is_some())
    }

    /// As the policy has it.
    pub fn text(&self) -> &str {
        &self.text.value
    }

    /// Where it stands.
    pub fn span(&self) -> Option<Span> {
        self.text.span
    }
}

/// The expressions for what commits have besides files.
#[derive(Debug)]
pub struct Expressions {
    /// What subjects have to match.
    pub subject: Option<Expression>,
    /// What may match nowhere in a message.
    pub forbidden: Vec<Expression>,
    /// What authors have to match.
    pub author: PersonExpressions,
    /// What committers have to match.
    pub committer: PersonExpressions,
    /// Those of `tags`, by their places there.
    tags: Vec<Option<Expression>>,
}

impl Plan {
    /// Whether the expression of an entry of `tags` matches a name.
    pub(super) fn is_tag_regex_match(&self, entry: usize, name: &str) -> bool {
        let expression = self.expressions.tags.get(entry).and_then(Option::as_ref);
        expression.is_some_and(|expression| expression.is_match(name).unwrap_or(false))
    }

    /// The entry of `tags` that a tag's name falls under.
    ///
    /// # Errors
    /// An expression cannot be compiled.
    pub fn tag_rule(&self, name: &str) -> Result<Option<&TagRule>, Unavailable> {
        for (rule, expression) in self.policy.tags.iter().zip(&self.expressions.tags).rev() {
            let is_match = match (expression, &rule.pattern) {
                (Some(expression), _) => expression.is_match(name)?,
                (None, Some(pattern)) => is_ref_match(&pattern.value, name),
                (None, None) => false,
            };
            if is_match {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }
}

/// What somebody who makes a commit has to match.
#[derive(Debug)]
pub struct PersonExpressions {
    /// The e-mail address.
    pub email: Option<Expression>,
    /// The name.
    pub name: Option<Expression>,
}

impl PersonExpressions {
    fn of_rules(rules: &PersonRules) -> Self {
        let expression = |text: &Option<Spanned<String>>| text.as_ref().map(Expression::new);
        Self { email: expression(&rules.email), name: expression(&rules.name) }
    }

    /// Whether there is nothing to match.
    pub fn is_empty(&self) -> bool {
        self.email.is_none() && self.name.is_none()
    }
}

impl Expressions {
    /// Those of a policy; none is compiled yet.
    pub(super) fn of_policy(policy: &Policy) -> Self {
        Self {
            subject: policy.message.pattern.as_ref().map(Expression::new),
            forbidden: policy.message.forbid.iter().map(Expression::new).collect(),
            author: PersonExpressions::of_rules(&policy.author),
            committer: PersonExpressions::of_rules(&policy.committer),
            tags: policy.tags.iter().map(|rule| rule.regex.as_ref().map(Expression::new)).collect(),
        }
    }
}
