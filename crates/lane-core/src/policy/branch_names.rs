//! How branches of agents are named: by a form, or by a regular expression with an example.

use regex::bytes::Regex;
use regex_syntax::hir::{Hir, HirKind, Look};

use super::lint_values::is_branch_name;
use super::model::Branch;
use super::source::Spanned;
use super::template::Template;
use crate::content::compile_pattern;

/// What stands for an agent's id in an expression.
pub(super) const PLACEHOLDER: &str = "{agent}";
/// What that is in the regex crate's syntax: no slash, and as little as will do.
const GROUP: &str = "(?<agent>[^/]+?)";
/// The group that has the id.
pub(super) const AGENT: &str = "agent";
/// What names are tried with where a word does not fit.
const WORDS: [&str; 2] = ["work", "main"];

/// How branches of agents are named.
#[derive(Debug)]
pub struct BranchNames {
    /// The form; beside an expression, the example.
    form: Template,
    regex: Option<BranchRegex>,
}

/// A regular expression that whole names have to match.
#[derive(Debug)]
struct BranchRegex {
    text: String,
    /// `None`: it cannot be compiled, and no name matches.
    whole: Option<Regex>,
}

impl BranchRegex {
    fn new(text: &str) -> Self {
        let whole = compile_pattern(&whole(text)).ok();
        Self { text: text.to_owned(), whole }
    }

    fn parse<'t>(&self, name: &'t str) -> Option<&'t str> {
        let found = self.whole.as_ref()?.captures(name.as_bytes())?;
        let agent = found.name(AGENT).and_then(|agent| name.get(agent.range()));
        Some(agent.unwrap_or_default())
    }

    /// What stands before the first thing that could be several.
    fn beginning_for(&self, agent: &str) -> String {
        let mut beginning = Vec::new();
        if let Ok(hir) = parser().parse(&with_group(&self.text)) {
            begin(&hir, agent, &mut beginning);
        }
        String::from_utf8(beginning).unwrap_or_default()
    }
}

/// The parser of the regex crate, with the options of [`compile_pattern`].
pub(super) fn parser() -> regex_syntax::Parser {
    regex_syntax::ParserBuilder::new().multi_line(true).crlf(true).utf8(false).build()
}

/// An expression with a group where it says `{agent}`.
pub(super) fn with_group(text: &str) -> String {
    match placeholder(text) {
        Some(at) => format!("{}{GROUP}{}", &text[..at], &text[at + PLACEHOLDER.len()..]),
        None => text.to_owned(),
    }
}

/// The first place where `{agent}` is not written with a backslash.
fn placeholder(text: &str) -> Option<usize> {
    text.match_indices(PLACEHOLDER).map(|(at, _)| at).find(|at| !text[..*at].ends_with('\\'))
}

/// A place in [`with_group`] as one in what was written.
pub(super) fn written(text: &str, offset: usize) -> usize {
    match placeholder(text) {
        Some(at) if offset >= at + GROUP.len() => offset + PLACEHOLDER.len() - GROUP.len(),
        Some(at) => offset.min(at),
        None => offset,
    }
}

/// The expression that a whole name has to match.
pub(super) fn whole(text: &str) -> String {
    format!("^(?:{})$", with_group(text))
}

/// Adds what every match begins with; whether all of it could be told.
fn begin(hir: &Hir, agent: &str, beginning: &mut Vec<u8>) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Look(look) => matches!(look, Look::Start | Look::StartLF | Look::StartCRLF),
        HirKind::Literal(literal) => {
            beginning.extend_from_slice(&literal.0);
            true
        }
        HirKind::Capture(group) if group.name.as_deref() == Some(AGENT) => {
            beginning.extend_from_slice(agent.as_bytes());
            true
        }
        HirKind::Capture(group) => begin(&group.sub, agent, beginning),
        HirKind::Concat(parts) => parts.iter().all(|part| begin(part, agent, beginning)),
        _ => false,
    }
}

impl BranchNames {
    /// As the policy says it; nothing where it does not.
    ///
    /// # Errors
    /// The form cannot be read: where it stands, and why.
    pub(super) fn of_policy(branch: &Branch) -> Result<Option<Self>, (&Spanned<String>, String)> {
        let form = |text: &Spanned<String>| Template::new(&text.value);
        if let Some(text) = &branch.pattern {
            let form = form(text).map_err(|reason| (text, reason))?;
            return Ok(Some(Self { form, regex: None }));
        }
        // Without an example there is a mistake already, and without an expression another.
        let (Some(text), Some(example)) = (&branch.regex, &branch.example) else { return Ok(None) };
        let form = form(example).map_err(|reason| (example, reason))?;
        Ok(Some(Self { form, regex: Some(BranchRegex::new(&text.value)) }))
    }

    /// The form, or the example.
    pub(super) fn form(&self) -> &Template {
        &self.form
    }

    /// The regular expression, where names are told by one.
    pub fn regex(&self) -> Option<&str> {
        self.regex.as_ref().map(|regex| regex.text.as_str())
    }

    /// Whether a name is one of an agent's branches; then the id that it has, empty if it has none.
    pub fn parse<'t>(&self, name: &'t str) -> Option<&'t str> {
        match &self.regex {
            Some(regex) => regex.parse(name),
            None => self.form.parse(name),
        }
    }

    /// Whether a name is one of this agent's, and git takes it.
    pub fn is_of(&self, name: &str, agent: &str) -> bool {
        self.parse(name) == Some(agent) && is_branch_name(name)
    }

    /// How all names of an agent begin: `feat/a2/`.
    pub fn beginning_for(&self, agent: &str) -> String {
        match &self.regex {
            Some(regex) => regex.beginning_for(agent),
            None => self.form.beginning_for(agent),
        }
    }

    /// For people: `feat/a2/{feature}`, or a name such as `feat/a2/main`.
    pub fn for_agent(&self, agent: &str) -> String {
        match &self.regex {
            Some(_) => self.usual(agent),
            None => self.form.for_agent(agent),
        }
    }

    /// The name of an agent's first branch: `feat/a2/main`.
    pub fn usual(&self, agent: &str) -> String {
        let filled = self.form.filled(agent, "main");
        // An example may be of another word: what it says passes.
        if self.parse(&filled) == Some(agent) { filled } else { self.form.for_agent(agent) }
    }

    /// The agent's branch for a word; `None` where no such name matches.
    pub fn name(&self, agent: &str, word: &str) -> Option<String> {
        if self.regex.is_none() {
            return Some(self.form.filled(agent, word));
        }
        self.with_word(agent, word).into_iter().find(|name| self.is_of(name, agent))
    }

    /// The example with a word in place of its placeholders, or of its last part where it has none.
    fn with_word(&self, agent: &str, word: &str) -> Vec<String> {
        let example = self.form.for_agent(agent);
        match (self.form.others().next(), example.rsplit_once('/')) {
            (Some(_), _) => vec![self.form.filled(agent, word)],
            (None, Some((folder, _))) => vec![format!("{folder}/{word}")],
            (None, None) => vec![],
        }
    }

    /// A name of the agent's own for a branch: `feat/a2/my-fix` for `my-fix`. `suffix`: what keeps it apart.
    pub fn own_name(&self, agent: &str, branch: &str, suffix: &str) -> String {
        let last = branch.rsplit('/').next().unwrap_or(branch);
        let wanted = format!("{last}{suffix}");
        if self.regex.is_none() {
            return self.form.filled(agent, &wanted);
        }
        let own = self.parse(branch).filter(|id| !id.is_empty());
        let same = own.and_then(|id| Some((id, branch.find(id)?)));
        let same = same.map(|(id, at)| format!("{}{agent}{}", &branch[..at], &branch[at + id.len()..]));
        let same = same.into_iter().flat_map(|name| [format!("{name}{suffix}"), name]);
        let words = [wanted.as_str(), last].into_iter().chain(WORDS);
        // The example itself is often there already.
        let usual = self.usual(agent);
        let beside = [format!("{usual}-{wanted}"), format!("{usual}-2")];
        let mut names = same.chain(words.flat_map(|word| self.with_word(agent, word))).chain(beside);
        names.find(|name| self.is_of(name, agent)).unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(regex: &str, example: &str) -> BranchNames {
        let form = Template::new(example).expect("an example");
        BranchNames { form, regex: Some(BranchRegex::new(regex)) }
    }

    #[test]
    fn whole_names() {
        let any = names("(feat|fix)/{agent}/[a-z0-9-]+", "feat/{agent}/main");
        assert_eq!(any.parse("fix/a1/x"), Some("a1"));
        assert_eq!(any.parse("fix/a9/x-2"), Some("a9"));
        for name in ["xfix/a1/x", "fix/a1/x/y", "fix/a1/X", "fix/a1/", "fix//x", "main"] {
            assert_eq!(any.parse(name), None, "{name}");
        }
        let group = names(r"^(?P<agent>a\d)-(?<feature>.+)$", "{agent}-{feature}");
        assert_eq!((group.parse("a1-x/y"), group.parse("a1x")), (Some("a1"), None));
        assert_eq!(names("(?:{agent}/)?x", "{agent}/x").parse("x"), Some(""));
        assert_eq!(names(r"\{agent}(?<agent>a)", "x{agent}").parse("{agent}a"), Some("a"));
        assert_eq!(names("(a", "{agent}").parse("a"), None, "it cannot be compiled");
    }

    #[test]
    fn how_names_begin() {
        let begins = |regex: &str| names(regex, "{agent}").beginning_for("a1");
        assert_eq!(begins("feat/{agent}/[a-z]+"), "feat/a1/");
        assert_eq!(begins("^feat/(?<agent>[a-z0-9]+)/x(y|z)$"), "feat/a1/x");
        assert_eq!(begins("(feat|fix)/{agent}/x"), "");
        assert_eq!(begins("(?:wip/)?{agent}/x"), "");
        assert_eq!(begins("feat/{agent}/x|y/{agent}"), "", "the group twice is none");
        assert_eq!(begins("(?i)feat/{agent}/.+"), "");
    }

    #[test]
    fn names_that_match() {
        let ticket = names("(feat|fix)/{agent}/[A-Z]+-[0-9]+(-[a-z0-9-]+)?", "feat/{agent}/SHOP-1");
        assert_eq!(ticket.usual("a2"), "feat/a2/SHOP-1");
        assert_eq!(ticket.name("a2", "SHOP-7-x").as_deref(), Some("feat/a2/SHOP-7-x"));
        assert_eq!(ticket.name("a2", "x"), None);
        assert_eq!(ticket.own_name("a2", "my-fix", ""), "feat/a2/SHOP-1-my-fix");
        assert_eq!(ticket.own_name("a2", "My_Fix", ""), "feat/a2/SHOP-1-2");
        assert_eq!(ticket.own_name("a2", "fix/a1/SHOP-7", "-from-a1"), "fix/a2/SHOP-7-from-a1");
        let short = names("fix/{agent}/[a-z]+", "fix/{agent}/{what}");
        assert_eq!(short.own_name("a2", "fix/a1/x", "-from-a1"), "fix/a2/x");
        assert_eq!(short.own_name("a2", "Fix", ""), "fix/a2/work");
        assert_eq!((short.usual("a2"), short.for_agent("a2")), ("fix/a2/main".into(), "fix/a2/main".into()));
        let dash = names("{agent}-[0-9]+", "{agent}-1");
        assert_eq!((dash.own_name("a2", "x", ""), dash.name("a2", "7")), ("a2-1".into(), None));
    }

    #[test]
    fn places() {
        let text = "x/{agent}/(y";
        let offset = with_group(text).find("(y").expect("there");
        assert_eq!((written(text, offset), written(text, 3), written("(y", 0)), (10, 2, 0));
    }
}
