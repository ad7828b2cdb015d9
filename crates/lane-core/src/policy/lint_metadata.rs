//! Mistakes in what a policy says of messages and of those who make commits.

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::lint_regex;
use super::model::TagRule;
use super::pattern::Pattern;
use super::plan::Plan;
use super::unknown::unknown_agent;

pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let message = &plan.policy.message;
    let before = diagnostics.len();
    let people = [&plan.policy.author, &plan.policy.committer];
    let people = people.into_iter().flat_map(|person| person.email.iter().chain(&person.name));
    let regexes = plan.policy.tags.iter().filter_map(|rule| rule.regex.as_ref());
    for text in message.pattern.iter().chain(&message.forbid).chain(people).chain(regexes) {
        diagnostics.extend(lint_regex::check(plan, text));
    }
    if let Some(limit) = message.subject_max.as_ref().filter(|limit| limit.value == 0) {
        diagnostics.push(
            Diagnostic::error(at(limit), "`message.subject_max` is 0, which no subject keeps to", "0")
                .help("write the most characters that a subject may have, such as 72"),
        );
    }
    tags(plan, diagnostics);
    // What cannot be compiled matches nothing.
    if diagnostics.len() > before {
        return;
    }
    for (text, forbidden) in message.forbid.iter().zip(&plan.expressions.forbidden) {
        if forbidden.is_match("").unwrap_or(false) {
            diagnostics.push(
                Diagnostic::error(
                    at(text),
                    format!("`{}` matches every message, the empty one too", text.value),
                    "this pattern",
                )
                .help("write what may not be there, such as `(?i)\\bwip\\b`"),
            );
        }
    }
    example(plan, diagnostics);
}

fn tags(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for rule in &plan.policy.tags {
        if let Some(glob) = &rule.pattern
            && let Err(error) = Pattern::new(&glob.value)
        {
            let message = format!("`{}`: {}", glob.value, error.reason);
            diagnostics.push(Diagnostic::error(at(glob), message, "not a usable glob").help(error.help));
        }
        for by in &rule.by {
            let is_word = [TagRule::MAINTAINERS, TagRule::NOBODY].contains(&by.value.as_str());
            if is_word && rule.by.len() > 1 {
                diagnostics.push(
                    Diagnostic::error(at(by), format!("`{}` is not alone under `by`", by.value), "this word")
                        .help("write it alone, or agents alone: maintainers may what agents may"),
                );
            } else if !is_word && plan.policy.agent(&by.value).is_none() {
                let message = unknown_agent(&by.value, &plan.source.name);
                diagnostics.push(
                    Diagnostic::error(at(by), message, "unknown agent")
                        .help(plan.policy.agent_hint(&by.value)),
                );
            }
        }
    }
}

/// What findings show has to pass itself.
fn example(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let message = &plan.policy.message;
    let Some(example) = &message.example else { return };
    let Some(subject) = &plan.expressions.subject else {
        diagnostics.push(
            Diagnostic::error(at(example), "`message.example` is an example of nothing", "no effect")
                .help("it is shown where a subject does not match `message.pattern`"),
        );
        return;
    };
    let mut wrong = |message: String, related| {
        let diagnostic = Diagnostic::error(at(example), message, "this example");
        let diagnostic = match related {
            Some(span) => diagnostic.related(span, "by this"),
            None => diagnostic,
        };
        diagnostics.push(diagnostic.help("write a subject that passes"));
    };
    if !subject.is_match(&example.value).unwrap_or(true) {
        wrong(format!("`{}` does not match `{}`", example.value, subject.text()), subject.span());
    }
    for forbidden in &plan.expressions.forbidden {
        if forbidden.is_match(&example.value).unwrap_or(false) {
            wrong(format!("`{}` is forbidden by `{}`", example.value, forbidden.text()), forbidden.span());
        }
    }
    if let Some(limit) = &message.subject_max
        && example.value.chars().count() as u64 > limit.value
    {
        wrong(format!("`{}` has more than {} characters", example.value, limit.value), limit.span);
    }
}
