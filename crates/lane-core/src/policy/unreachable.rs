//! Patterns that never decide, because a later line has all their paths.

use super::diagnostic::Diagnostic;
use super::plan::{Entry, Owner, Plan};

/// Patterns that never decide. As the last match decides, what makes one unreachable is a later line.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for (id, entry) in plan.entries().iter().enumerate().filter(|(_, entry)| !entry.is_of_policy) {
        // Whatever covers a pattern has each path of it: one tells at once which others can.
        let Some(path) = entry.pattern.example(plan.folds_case()) else {
            continue;
        };
        let mut later: Option<usize> = None;
        plan.paths().each_match(&path, false, |other| {
            if other > id && later.is_none_or(|known| other < known) {
                let by = &plan.entries()[other];
                // A service in two lanes is told as that.
                let is_told = by.is_service && entry.is_service && by.text == entry.text;
                if !is_told && !by.is_of_policy && by.pattern.covers(&entry.pattern) {
                    later = Some(other);
                }
            }
        });
        if let Some(by) = later {
            let by = &plan.entries()[by];
            let message = if by.owner == entry.owner {
                format!("`{}` is already in `{}`", entry.text, by.text)
            } else {
                format!("`{}` never applies: {} covers all of it", entry.text, described(plan, by))
            };
            diagnostics.push(
                Diagnostic::error(entry.span, message, "unreachable")
                    .related(by.span, format!("`{}` comes later and wins", by.text))
                    .help("the last match decides: remove one, or move the narrower one below the wider one"),
            );
        }
    }
}

fn described(plan: &Plan, entry: &Entry) -> String {
    match plan.owner(entry.owner) {
        Owner::Lane(agent) => format!("the lane of `{}`", agent.id.value),
        Owner::Area(area) => format!("the area `{}`", area.name.value),
    }
}
