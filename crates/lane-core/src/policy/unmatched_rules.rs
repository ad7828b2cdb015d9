//! What of `content`, `files`, `tags` and expressions can never find or decide anything.

use regex_syntax::hir::{Hir, HirKind};

use super::branch_names::parser;
use super::diagnostic::Diagnostic;
use super::lint::at;
use super::model::TagRule;
use super::plan::{Plan, is_ref_match};
use super::source::Spanned;
use super::unmatched::{Inventory, unmatched_paths};

/// Entries of `content` that look at no file.
pub(super) fn paths(plan: &Plan, inventory: &Inventory, warnings: &mut Vec<Diagnostic>) {
    for (entry, rule) in plan.policy.content.0.iter().enumerate() {
        let before = warnings.len();
        unmatched_paths(plan, inventory, &rule.within, warnings);
        // What is in no file is told pattern by pattern.
        if warnings.len() > before || rule.except.is_empty() {
            continue;
        }
        if !inventory.files.iter().any(|(path, _)| plan.files.looks_at(entry, path)) {
            let message = "this entry of `content` looks at no file: `except` takes out all of them";
            warnings.push(
                Diagnostic::warning(at(&rule.except[0]), message, "no file is left")
                    .help("take out less, or remove the entry"),
            );
        }
    }
}

/// What decides nothing, whatever is in the repository.
pub(super) fn warnings(plan: &Plan, warnings: &mut Vec<Diagnostic>) {
    let files = &plan.policy.files;
    for text in &files.forbid {
        if let Some(except) = files.except.iter().find(|except| except.value == text.value) {
            let message = format!("`{}` is forbidden by no rule: `files.except` has it, too", text.value);
            warnings.push(
                Diagnostic::warning(at(text), message, "never found")
                    .related(at(except), "the exception")
                    .help("remove one of them"),
            );
        }
    }
    tags(plan, warnings);
    lines(plan, warnings);
}

/// Entries of `tags` that never decide.
fn tags(plan: &Plan, warnings: &mut Vec<Diagnostic>) {
    let tags = &plan.policy.tags;
    for (place, rule) in tags.iter().enumerate() {
        let Some(text) = rule.pattern.as_ref().or(rule.regex.as_ref()) else { continue };
        if rule.pattern.is_some() && text.value.starts_with("refs/") {
            let short = text.value.strip_prefix("refs/tags/").unwrap_or("v*");
            let message = format!("`{}` matches no tag: they are named without `refs/tags/`", text.value);
            warnings.push(
                Diagnostic::warning(at(text), message, "matches nothing").help(format!("write `{short}`")),
            );
            continue;
        }
        if let Some(by) = tags[place + 1..].iter().find_map(|later| covering(plan, rule, later)) {
            let message = format!("`{}` never decides: `{}` below has all of it", text.value, by.value);
            warnings.push(
                Diagnostic::warning(at(text), message, "never decides")
                    .related(at(by), "the last entry that matches decides")
                    .help("put the general entry first, or remove this one"),
            );
        }
    }
}

/// The text of a later entry, if that has all tags of one, as far as that is easily seen.
fn covering<'p>(plan: &Plan, rule: &TagRule, later: &'p TagRule) -> Option<&'p Spanned<String>> {
    let is_same = |one: &Option<Spanned<String>>, other: &Option<Spanned<String>>| match (one, other) {
        (Some(one), Some(other)) => one.value == other.value,
        _ => false,
    };
    let literal = rule.pattern.as_ref().filter(|text| !text.value.contains(['*', '?', '[', '\\']));
    let has = match (&later.pattern, &later.regex) {
        (Some(glob), _) => {
            glob.value == "**"
                || is_same(&rule.pattern, &later.pattern)
                || literal.is_some_and(|name| is_ref_match(&glob.value, &name.value))
        }
        (None, Some(_)) => {
            let at = plan.policy.tags.iter().position(|entry| std::ptr::eq(entry, later));
            is_same(&rule.regex, &later.regex)
                || literal.zip(at).is_some_and(|(name, at)| plan.is_tag_regex_match(at, &name.value))
        }
        (None, None) => false,
    };
    if has { later.pattern.as_ref().or(later.regex.as_ref()) } else { None }
}

/// Expressions that want the end of a line in their middle, and are held against one line at a time.
fn lines(plan: &Plan, warnings: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    let content = policy.content.0.iter().filter_map(|rule| rule.pattern.as_ref());
    let people = [&policy.author, &policy.committer].into_iter();
    let people = people.flat_map(|person| person.email.iter().chain(&person.name));
    let tags = policy.tags.iter().filter_map(|rule| rule.regex.as_ref());
    for text in content.chain(&policy.message.pattern).chain(people).chain(tags) {
        if parser().parse(&text.value).is_ok_and(|hir| wants_line_end(&hir)) {
            let message =
                format!("`{}` matches nothing: it wants the end of a line inside of one", text.value);
            warnings.push(
                Diagnostic::warning(at(text), message, "never matches")
                    .help("write it for one line: each is looked at by itself"),
            );
        }
    }
}

/// Whether all that an expression matches has the end of a line in it.
fn wants_line_end(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Capture(group) => wants_line_end(&group.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && wants_line_end(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().any(wants_line_end),
        HirKind::Alternation(parts) => parts.iter().all(wants_line_end),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::unmatched::{Inventory, warnings};
    use crate::policy::{Source, load};

    /// What is warned of, as the marked words and the message.
    fn found(text: &str) -> Vec<String> {
        let text = format!("version: 1\n{text}\n");
        let plan = load(Source::new("policy.yaml", text.as_str()), false).expect("a policy");
        let files = ["src/a.py", "docs/x.md"].map(|path| (path.as_bytes().to_vec(), false)).to_vec();
        let all = warnings(&plan, &Inventory { files, ..Inventory::default() });
        all.iter().map(|one| format!("{} | {}", &text[one.span.range()], one.message)).collect()
    }

    fn one(text: &str, says: &str) {
        let found = found(text);
        assert!(found.len() == 1 && found[0].contains(says), "{text}: {found:?}");
    }

    fn none(text: &str) {
        assert_eq!(found(text), [] as [&str; 0], "{text}");
    }

    #[test]
    fn entries_of_tags_that_never_decide() {
        one(
            "tags: [{pattern: 'v*', by: nobody}, {pattern: '**'}]",
            "'v*' | `v*` never decides: `**` below has all of it",
        );
        one("tags: [{pattern: v1}, {pattern: 'v*'}]", "`v1` never decides: `v*`");
        one("tags: [{pattern: v1}, {regex: '^v\\d$'}]", "`v1` never decides: `^v");
        one("tags: [{regex: '^v'}, {regex: '^v'}]", "`^v` never decides");
        one("tags: [{pattern: 'refs/tags/v*'}]", "`refs/tags/v*` matches no tag");
        none("tags: [{pattern: '**'}, {pattern: 'v*'}, {regex: '^v\\d$'}]");
        none("tags: [{pattern: 'v*'}, {pattern: 'w*'}, {pattern: v1}]");
    }

    #[test]
    fn patterns_that_never_match() {
        let entry = |more: &str| format!("content: [{{name: x, {more}}}]");
        one(&entry("pattern: a, in: /srcs/"), "`/srcs/` matches no file");
        one(&entry("pattern: a, in: src/, except: '*.py'"), "`except` takes out all of them");
        one(&entry("pattern: 'a\\nb'"), "wants the end of a line");
        none(&entry("pattern: 'a(\\n|b)', in: src/"));
        none(&entry("pattern: a, in: ['*.rs', src/]"));
        one("message: {pattern: 'a\\nb'}", "wants the end of a line");
        none("message: {forbid: 'a\\nb'}");
        one("files: {forbid: ['*.pem', '*.key'], except: '*.pem'}", "`*.pem` is forbidden by no rule");
    }
}
