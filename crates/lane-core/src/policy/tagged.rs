//! The agent's tag in a commit message.

use super::plan::Plan;
use super::source::Span;
use super::template::Template;
use crate::facts::{LOCK_TRAILER, Message};

impl Plan {
    /// The agents of the policy whose tags a message has, each once.
    pub fn tagged(&self, message: &Message) -> Vec<&str> {
        let mut agents = Vec::new();
        for form in &self.tags {
            for named in named_in(form, message) {
                let agent = self.policy.agent_ids().find(|id| {
                    if form.is_capitals() { id.to_uppercase() == named } else { *id == named.as_str() }
                });
                if let Some(agent) = agent
                    && !agents.contains(&agent)
                {
                    agents.push(agent);
                }
            }
        }
        agents
    }

    /// A subject without an agent's tag in brackets before it.
    pub fn without_bracket<'s>(&self, mut subject: &'s str) -> &'s str {
        for tag in self.tags.iter().filter(|tag| tag.is_bracketed()) {
            for id in self.policy.agent_ids() {
                if let Some(rest) = subject.strip_prefix(&tag.for_agent(id)) {
                    subject = rest.trim_start();
                }
            }
        }
        subject
    }

    /// The labels that a pull request of an agent has to have, each with its place in the policy.
    pub fn labels_of<'p>(&'p self, agent: &'p str) -> impl Iterator<Item = (String, Option<Span>)> + 'p {
        self.policy.pull_request.labels.iter().map(move |label| {
            let text = label.value.replace("{agent}", agent).replace("{AGENT}", &agent.to_uppercase());
            (text, label.span)
        })
    }

    /// Whether a message says nothing: somebody left it as it was prepared, with a tag and locks at most.
    pub fn is_bare(&self, message: &Message) -> bool {
        let is_lock = |line: &&str| line.strip_prefix(LOCK_TRAILER).is_some_and(|rest| rest.starts_with(':'));
        let own: Vec<&str> = message.text.lines().filter(|line| !is_lock(line)).collect();
        let text = own.join("\n");
        let is_tag = |agent: &str| self.tags.iter().any(|form| form.for_agent(agent) == text.trim());
        text.trim().is_empty() || self.policy.agent_ids().any(is_tag)
    }

    /// A message with an agent's tag put into it, in the first form that the policy lists; in another one where git
    /// would take it for a comment. `hides`: whether a line is one to git.
    /// `None` where it has a tag already, where the policy asks for none, or where there is no room for it.
    pub fn tag_message(
        &self,
        raw: &str,
        message: &Message,
        agent: &str,
        hides: &dyn Fn(&str) -> bool,
    ) -> Option<String> {
        if !self.tagged(message).is_empty() {
            return None;
        }
        let subject = message.first_line();
        let first = self.tags.first()?;
        let is_hidden = |form: &Template| hides(&form.for_agent(agent));
        let trailer = self.tags.iter().find(|form| form.as_trailer().is_some() && !is_hidden(form));
        // `git rebase --autosquash` finds the target by the words after `fixup! `.
        let keeps_subject = ["fixup! ", "squash! ", "amend! "].iter().any(|word| subject.starts_with(word));
        let form = match trailer {
            Some(trailer) if keeps_subject || is_hidden(first) => trailer,
            None if keeps_subject => return None,
            _ => first,
        };
        let tag = form.for_agent(agent);
        if form.as_trailer().is_some() {
            return (!is_hidden(form)).then(|| with_trailer(raw, message, &tag));
        }
        if subject.is_empty() {
            if is_hidden(form) {
                return None;
            }
            // The first line is the one that an editor opens on.
            let rest = raw.trim_start_matches(['\r', '\n']);
            let gap = if raw.len() > rest.len() || rest.is_empty() { "\n" } else { "\n\n" };
            return Some(format!("{tag} {gap}{rest}"));
        }
        let mut at = 0;
        for line in raw.split_inclusive('\n') {
            if line.trim() == subject.trim() {
                let begin = at + line.len() - line.trim_start().len();
                let end = at + line.trim_end().len();
                return Some(match is_hidden(form) {
                    false => format!("{}{tag} {}", &raw[..begin], &raw[begin..]),
                    true => format!("{} {tag}{}", &raw[..end], &raw[end..]),
                });
            }
            at += line.len();
        }
        None
    }

    /// The text of a bare message without what was put into it: [`Self::is_bare`].
    pub fn without_tag(&self, raw: &str, message: &Message) -> String {
        let mut own: Vec<&str> =
            message.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let kept =
            raw.split_inclusive('\n').map(|line| match own.iter().position(|own| *own == line.trim()) {
                Some(at) => {
                    own.remove(at);
                    if line.ends_with('\n') { "\n" } else { "" }
                }
                None => line,
            });
        kept.collect()
    }
}

fn named_in(form: &Template, message: &Message) -> Vec<String> {
    match form.as_trailer() {
        Some((key, value)) => {
            let values = message.trailer(key);
            values.iter().filter_map(|text| value.parse(text)).map(str::to_owned).collect()
        }
        None => {
            // What a revert quotes is the message of the commit that it reverts.
            let subject = message.subject();
            let quoted = ["Revert \"", "Reapply \""].iter().filter_map(|word| subject.find(word)).min();
            let own = &subject[..quoted.unwrap_or(subject.len())];
            form.find_all(own).into_iter().map(str::to_owned).collect()
        }
    }
}

/// Adds a trailer after the text, before the comments that git wrote.
pub fn with_trailer(raw: &str, message: &Message, trailer: &str) -> String {
    let last = message.text.trim_end().lines().next_back().unwrap_or("");
    // The line itself, and not the same words in a comment or in the diff below it.
    let (mut end, mut at) = (0, 0);
    for line in raw.split_inclusive('\n') {
        if !last.is_empty() && line.trim() == last.trim() {
            end = at + line.trim_end_matches(['\r', '\n']).len();
        }
        at += line.len();
    }
    let (text, rest) = raw.split_at(end);
    // A message that begins with a blank line has no subject yet: what is there is a block of trailers.
    let is_prepared = text.starts_with('\n') && message.text.lines().all(is_trailer_line);
    let has_block = !message.trailers().is_empty() || (is_prepared && !message.text.is_empty());
    let gap = if has_block && !text.is_empty() { "\n" } else { "\n\n" };
    let rest = rest.trim_start_matches('\n');
    let end = if rest.is_empty() { "" } else { "\n" };
    format!("{text}{gap}{trailer}\n{end}{rest}")
}

/// `Key: value`.
fn is_trailer_line(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, value)| {
        !key.is_empty()
            && !value.is_empty()
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::reference_plan;
    use crate::facts::Message;

    fn tagged(text: &str) -> Option<String> {
        let message = Message { text: text.into() };
        reference_plan().tag_message(text, &message, "a1", &|_| false)
    }

    #[test]
    fn a_tag_is_put_before_the_subject() {
        assert_eq!(tagged("feat: x\n").as_deref(), Some("[A1] feat: x\n"));
        assert_eq!(tagged("\nfeat: x\n").as_deref(), Some("\n[A1] feat: x\n"));
    }

    #[test]
    fn a_tag_that_is_there_stays_alone() {
        assert_eq!(tagged("[A1] x\n"), None);
        assert_eq!(tagged("x\n\nAgent: a1\n"), None);
        assert_eq!(tagged("[A2] x\n"), None, "another's tag is for commit-msg to refuse");
    }

    #[test]
    fn an_editor_opens_on_the_tag() {
        let message = Message { text: String::new() };
        let tagged = reference_plan().tag_message("\n; comment\n", &message, "a1", &|_| false);
        assert_eq!(tagged.as_deref(), Some("[A1] \n; comment\n"));
    }

    #[test]
    fn fixup_gets_a_trailer() {
        assert_eq!(tagged("fixup! x\n").as_deref(), Some("fixup! x\n\nAgent: a1\n"));
        assert_eq!(
            tagged("squash! x\n\nmore\n\nSigned-off-by: y\n").as_deref(),
            Some("squash! x\n\nmore\n\nSigned-off-by: y\nAgent: a1\n")
        );
    }

    #[test]
    fn a_trailer_stands_before_the_comments() {
        let message = Message { text: "fixup! fix".into() };
        let raw = "fixup! fix\n\n# new file: fixup! fix.txt\n";
        let tagged = reference_plan().tag_message(raw, &message, "a1", &|_| false);
        assert_eq!(tagged.as_deref(), Some("fixup! fix\n\nAgent: a1\n\n# new file: fixup! fix.txt\n"));
    }

    #[test]
    fn a_tag_that_would_be_a_comment_goes_elsewhere() {
        let hides = |line: &str| line.starts_with('[');
        let message = Message { text: "feat: x".into() };
        let tagged = reference_plan().tag_message("feat: x\n", &message, "a1", &hides);
        assert_eq!(tagged.as_deref(), Some("feat: x\n\nAgent: a1\n"));
        let plan =
            crate::rules::testing::plan("{version: 1, agents: {a1: {}}, message: {tag: ['[{AGENT}]']}}");
        let tagged = |text: &str| {
            let message = Message { text: text.trim().into() };
            plan.tag_message(text, &message, "a1", &hides)
        };
        assert_eq!(tagged("\nfeat: x\r\n\nbody\n").as_deref(), Some("\nfeat: x [A1]\r\n\nbody\n"));
        assert_eq!(tagged("\n"), None, "commit-msg puts it in, when there is a subject");
    }

    #[test]
    fn an_indented_subject_is_one() {
        let message = Message { text: "feat: x".into() };
        let tagged = reference_plan().tag_message("  feat: x\n", &message, "a1", &|_| false);
        assert_eq!(tagged.as_deref(), Some("  [A1] feat: x\n"));
    }

    #[test]
    fn what_was_put_into_a_bare_message_is_taken_out() {
        let message = Message { text: "[A1]\n\nLane-Lock: c@1".into() };
        let text = reference_plan().without_tag("[A1] \n\nLane-Lock: c@1\n\n# [A1]\n", &message);
        assert_eq!(text, "\n\n\n\n# [A1]\n");
    }

    #[test]
    fn trailers_of_a_message_without_a_subject_are_one_block() {
        let message = Message { text: "Agent: a2".into() };
        let more = super::with_trailer("\n\nAgent: a2\n\n# x\n", &message, "Lane-Lock: c@1");
        assert_eq!(more, "\n\nAgent: a2\nLane-Lock: c@1\n\n# x\n");
    }

    #[test]
    fn tags_are_found_where_they_belong() {
        let plan = reference_plan();
        let of = |text: &str| plan.tagged(&Message { text: text.into() });
        assert_eq!(of("feat: x [A2]"), ["a2"]);
        assert_eq!(of("x\n\n[A2] in the body"), Vec::<&str>::new());
        assert_eq!(of("[A1] x\n\nAgent: a2"), ["a1", "a2"]);
        assert_eq!(of("[WIP] x"), Vec::<&str>::new());
        assert_eq!(of("[A1] Revert \"[A2] x\""), ["a1"]);
        assert_eq!(of("[a1] x"), Vec::<&str>::new());
    }
}
