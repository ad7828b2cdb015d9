//! Sentences that a team tests its policy with: `a2 may not change services/revenue/api.py`.

use super::PolicyError;
use super::diagnostic::Diagnostic;
use super::model::Policy;
use super::node::Node;
use super::reader::Reader;
use super::source::{Source, Spanned};
use super::unknown::{did_you_mean, unknown_agent};

/// The file beside a policy that may hold more sentences: a YAML list of texts.
pub const FILE: &str = "policy.tests.yaml";

/// One sentence, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The agent, or `None` for a maintainer.
    pub agent: Option<String>,
    /// Areas whose lock the agent holds.
    pub holding: Vec<String>,
    /// What the sentence claims.
    pub may: bool,
    /// The path that is changed.
    pub path: String,
}

/// Why a sentence is not a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseError {
    /// What is wrong.
    pub reason: String,
    /// What to write.
    pub help: String,
}

const FORM: &str = "write `<agent> may change <path>`, `<agent> may not change <path>` or \
                    `<agent> holding <area> may change <path>`";

impl Case {
    /// Understands one sentence.
    ///
    /// # Errors
    /// A sentence of another form, an agent or an area that the policy does not know.
    pub fn parse(sentence: &str, policy: &Policy) -> Result<Self, CaseError> {
        let wrong = |reason: String| CaseError { reason, help: FORM.to_owned() };
        let sentence = sentence.trim();
        let (subject, may, path) = if let Some((subject, path)) = sentence.split_once(" may not change ") {
            (subject, false, path)
        } else if let Some((subject, path)) = sentence.split_once(" may change ") {
            (subject, true, path)
        } else {
            return Err(wrong(format!("`{sentence}` is not a test")));
        };
        let path = path.trim().trim_start_matches('/');
        if path.is_empty() {
            return Err(wrong("the test names no path".to_owned()));
        }
        let (who, areas) = subject.split_once(" holding ").unwrap_or((subject, ""));
        let who = who.trim();
        let agent = if matches!(who, "maintainer" | "a maintainer") {
            None
        } else if policy.agent(who).is_some() {
            Some(who.to_owned())
        } else {
            let known = policy.agent_ids().chain(["maintainer"]);
            let help = did_you_mean(who, known).unwrap_or_else(|| FORM.to_owned());
            return Err(CaseError { reason: unknown_agent(who, "this policy"), help });
        };
        let mut holding = Vec::new();
        for area in areas.split([',', ' ']).filter(|area| !area.is_empty() && *area != "and") {
            let names = || policy.areas.iter().map(|area| area.name.value.as_str());
            if !names().any(|name| name == area) {
                let help = did_you_mean(area, names()).unwrap_or_else(|| FORM.to_owned());
                return Err(CaseError { reason: format!("unknown area `{area}` in this policy"), help });
            }
            holding.push(area.to_owned());
        }
        Ok(Self { agent, holding, may, path: path.to_owned() })
    }
}

/// Reads a file of sentences.
///
/// # Errors
/// All mistakes of the file at once.
pub fn load(name: &str, text: &str, policy: &Policy) -> Result<Vec<(Spanned<String>, Case)>, PolicyError> {
    let mut reader = Reader { diagnostics: Vec::new() };
    let mut cases = Vec::new();
    match Node::parse(text) {
        Err(error) => reader.report(*error),
        Ok(root) => {
            for sentence in reader.texts(&root, "the tests", false) {
                match Case::parse(&sentence.value, policy) {
                    Ok(case) => cases.push((sentence, case)),
                    Err(error) => reader.report(
                        Diagnostic::error(sentence.span.unwrap_or_default(), error.reason, "not a test")
                            .help(error.help),
                    ),
                }
            }
        }
    }
    if reader.diagnostics.is_empty() {
        return Ok(cases);
    }
    let text = Box::new(Source::new(name, text));
    Err(PolicyError { text, diagnostics: reader.diagnostics })
}
