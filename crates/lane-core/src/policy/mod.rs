//! The policy: read with exact places, checked as a whole, compiled for deciding.

mod branch_names;
pub mod cases;
pub mod compose;
mod custom_rules;
mod diagnostic;
pub mod difference;
mod events;
mod expression;
mod file_rules;
pub mod fold;
mod folder;
pub mod goals;
mod intersect;
mod limits;
mod lint;
mod lint_approvals;
mod lint_branches;
mod lint_content;
mod lint_custom;
mod lint_health;
mod lint_metadata;
mod lint_regex;
mod lint_services;
mod lint_setup;
mod lint_values;
mod merge;
pub mod model;
mod node;
pub mod origin;
mod parts;
mod path_entries;
pub mod pathset;
pub mod pattern;
mod plan;
mod read;
mod reader;
mod ref_names;
pub mod scalar;
pub mod schema;
mod series;
mod signers;
mod source;
mod tagged;
pub mod template;
mod tree;
mod unknown;
mod unmatched;
mod unmatched_files;
mod unmatched_refs;
mod unmatched_rules;
mod unreachable;

pub use branch_names::BranchNames;
pub use diagnostic::{Diagnostic, Severity};
pub use expression::{Expression, Expressions, PersonExpressions};
pub use file_rules::FileRules;
pub use lint::is_name;
pub use lint_custom::{missing as missing_files, missing_where, named_files};
pub use lint_setup::log_name;
pub use lint_values::is_branch_name;
pub use model::Policy;
pub use parts::{Part, Parts};
pub use plan::{Decision, Entry, EntryOwner, Owner, Plan, is_ref_match};
pub use ref_names::{Disguise, ReservedRef};
pub use schema::schema;
pub use signers::Signer;
pub use source::{Place, PolicyLine, Source, Span, Spanned};
pub use tagged::with_trailer;
pub use tree::Tree;
pub use unknown::{did_you_mean, did_you_mean_or, nearest, unknown_agent};
pub use unmatched::{Inventory, relative, repeated_services, warnings};
pub use unmatched_refs::Refs;

/// The file's name, at the repository's root.
pub const FILE: &str = "policy.yaml";

/// The instructions that an agent finds unless the policy names others.
pub const FOCUS: &str = "AGENT_FOCUS.md";

/// A policy that cannot be used: the text and all that is wrong with it, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} has {} mistake{}", text.name, diagnostics.len(), if diagnostics.len() == 1 { "" } else { "s" })]
pub struct PolicyError {
    /// The text.
    pub text: Box<Source>,
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl PolicyError {
    fn of(source: Source, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.len));
        diagnostic::merge_repeated(&mut diagnostics);
        Self { text: Box::new(source), diagnostics }
    }
}

/// Reads, compiles and checks a policy. `fold`: the repository ignores case in paths.
///
/// # Errors
/// All mistakes of the text at once.
pub fn load(source: Source, fold: bool) -> Result<Plan, PolicyError> {
    let tree = Tree::parse(&source)?;
    compile(&tree, source, fold)
}

/// Compiles and checks a policy whose text was parsed before. `source`: that text.
///
/// # Errors
/// All mistakes of the policy at once.
pub fn compile(tree: &Tree, source: Source, fold: bool) -> Result<Plan, PolicyError> {
    compiled(tree, source, fold, lint::check)
}

/// The same for a tree that [`compile`] has let through before, with the same `fold`.
///
/// # Errors
/// As [`compile`], but what shows only when parts are held against one another is not looked for again.
pub fn compile_again(tree: &Tree, source: Source, fold: bool) -> Result<Plan, PolicyError> {
    compiled(tree, source, fold, |_, _| {})
}

fn compiled(
    tree: &Tree,
    source: Source,
    fold: bool,
    check: impl FnOnce(&Plan, &mut Vec<Diagnostic>),
) -> Result<Plan, PolicyError> {
    let refuse = |source: Source, diagnostics: Vec<Diagnostic>| Err(PolicyError::of(source, diagnostics));
    let root = &tree.0;
    let mut reader = reader::Reader { diagnostics: Vec::new() };
    if matches!(root.value, node::Value::Null) {
        let error = Diagnostic::error(root.span, "the policy is empty", "nothing here")
            .help("write a first one with `git lane init`");
        return refuse(source, vec![error]);
    }
    let Some(policy) = read::policy(&mut reader, root) else {
        return refuse(source, reader.diagnostics);
    };
    let mut diagnostics = reader.diagnostics;
    let plan = Plan::compile(policy, source, fold, &mut diagnostics);
    check(&plan, &mut diagnostics);
    if diagnostics.is_empty() { Ok(plan) } else { refuse(plan.source, diagnostics) }
}

#[cfg(test)]
mod tests;
