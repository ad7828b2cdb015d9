//! Mistakes in `custom`, and what of it is not in the repository.

use std::collections::HashMap;

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::plan::Plan;
use super::source::{Span, Spanned};
use super::unmatched::Inventory;
use crate::custom::Program;
use crate::rules;

/// The longest id.
const LONGEST: usize = 60;
/// The longest time that a command may be given, in seconds: a hook waits for it.
const MAX_TIMEOUT: u64 = 3_600;
/// What SARIF calls a verdict that could not be given.
const RESERVED: &str = "undecided";

pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let mut ids: HashMap<&str, Span> = HashMap::new();
    for rule in &plan.policy.custom {
        diagnostics.extend(of_id(&rule.id));
        if let Some(first) = ids.insert(&rule.id.value, at(&rule.id)) {
            let message = format!("two entries of `custom` have the id `{}`", rule.id.value);
            diagnostics.push(
                Diagnostic::error(at(&rule.id), message, "the second")
                    .related(first, "the first")
                    .help("rename one of them"),
            );
        }
        if let Err(reason) = Program::of(&rule.run.value) {
            diagnostics
                .push(Diagnostic::error(at(&rule.run), format!("`run`: {reason}"), "not a command").help(
                "begin with a path in the repository, such as ./scripts/no-todo, or the name of a program",
            ));
        }
        for path in &rule.needs {
            if crate::custom::in_repository(&path.value).is_none() {
                let message = format!("`{}` is not a path in the repository", path.value);
                diagnostics.push(
                    Diagnostic::error(at(path), message, "not a path").help(
                        "name a file or folder from the root of the repository, such as scripts/lib.sh",
                    ),
                );
            }
        }
        if rule.timeout.value.seconds > MAX_TIMEOUT {
            let message = format!("`{}` is too long a time-out", rule.timeout.value);
            let help = "use at most 1h: whoever commits or pushes waits for it";
            diagnostics.push(Diagnostic::error(at(&rule.timeout), message, "too long").help(help));
        }
    }
}

fn of_id(id: &Spanned<String>) -> Option<Diagnostic> {
    let text = &id.value;
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if text.len() > LONGEST || !text.split('-').all(is_word) || text.starts_with(|c: char| c.is_ascii_digit())
    {
        let help = format!(
            "use small letters, digits and single dashes, a letter first, {LONGEST} at most: no-todo"
        );
        return Some(Diagnostic::error(at(id), format!("`{text}` is not a valid id"), "this id").help(help));
    }
    if rules::find(text).is_some() || text == RESERVED {
        let message = format!("`{text}` is a rule of git-lane itself");
        return Some(Diagnostic::error(at(id), message, "this id").help("choose another id"));
    }
    None
}

/// The files that entries name and the repository does not have.
pub fn missing(plan: &Plan, inventory: &Inventory) -> Vec<Diagnostic> {
    if inventory.files.is_empty() {
        return Vec::new();
    }
    missing_where(plan, &|path| {
        inventory.files.iter().any(|(file, is_folder)| {
            let rest = file.strip_prefix(path.as_bytes());
            // What lies behind a link is looked for when the rule runs.
            let is_behind = *is_folder
                && path.as_bytes().strip_prefix(file.as_slice()).is_some_and(|rest| rest.starts_with(b"/"));
            is_behind || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    })
}

/// The same by what is there: files, and folders.
pub fn missing_where(plan: &Plan, has: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
    let missing = named(plan).filter(|(_, path, _)| !has(path)).map(|(id, path, span)| {
        let message = format!("`{path}`, which `{id}` needs, is not in the repository");
        let help = "add the file to git, or correct the path: it begins at the root of the repository";
        Diagnostic::error(span, message, "no such file").help(help)
    });
    missing.collect()
}

/// The files and folders that entries name.
pub fn named_files(plan: &Plan) -> Vec<String> {
    named(plan).map(|(_, path, _)| path).collect()
}

fn named(plan: &Plan) -> impl Iterator<Item = (&str, String, Span)> {
    plan.policy.custom.iter().flat_map(|rule| {
        let program = match Program::of(&rule.run.value) {
            Ok(Program::File(path)) => Some((path, at(&rule.run))),
            _ => None,
        };
        let needs =
            rule.needs.iter().filter_map(|path| Some((crate::custom::in_repository(&path.value)?, at(path))));
        let id = rule.id.value.as_str();
        program.into_iter().chain(needs).map(move |(path, span)| (id, path, span))
    })
}

#[cfg(test)]
mod tests {
    use crate::policy::{Source, load};

    #[test]
    fn mistakes() {
        for (entry, expected) in [
            ("{ id: No_Todo, run: x }", "`No_Todo` is not a valid id"),
            ("{ id: a--b, run: x }", "`a--b` is not a valid id"),
            ("{ id: 1a, run: x }", "`1a` is not a valid id"),
            ("{ id: large-file, run: x }", "`large-file` is a rule of git-lane itself"),
            ("{ id: undecided, run: x }", "`undecided` is a rule of git-lane itself"),
            ("{ id: x, run: x }, { id: x, run: y }", "two entries of `custom` have the id `x`"),
            ("{ id: x }", "an entry of `custom` has no `run`"),
            ("{ run: x }", "an entry of `custom` has no `id`"),
            ("{ id: x, run: x, whn: a }", "unknown key `whn` in an entry of `custom`"),
            ("{ id: x, run: x, at: [] }", "`at` names no place, so the rule is never judged"),
            ("{ id: x, run: x, at: comit }", "`comit` is not a valid place for `at`"),
            ("{ id: x, run: x, level: warning }", "`warning` is not a valid level"),
            ("{ id: x, run: x, timeout: 2h }", "`2h` is too long a time-out"),
            (
                "{ id: x, run: x, timeout: soon }",
                "duration `soon`: expected a duration, such as 90m, 2h or 1d",
            ),
            ("{ id: x, run: $HOME/x }", "`run`: its first word is not a plain path or name"),
            ("{ id: x, run: /bin/x }", "`run`: `/bin/x` is not a path in the repository"),
            ("{ id: x, run: ../x }", "`run`: `../x` is not a path in the repository"),
            ("{ id: x, run: x, needs: [a/../..] }", "`a/../..` is not a path in the repository"),
            ("{ id: x, run: x, when: [\"a[\"] }", "`a[`: "),
        ] {
            let text = format!("version: 1\ncustom: [{entry}]\n");
            let error = load(Source::new("policy.yaml", text), false).expect_err(entry);
            let found = &error.diagnostics[0].message;
            assert!(found.starts_with(expected), "{entry}: {found}");
        }
    }
}
