//! Patterns that never decide, because a later line has all their paths.

use super::diagnostic::Diagnostic;
use super::pattern::{Pattern, Segment, wild_match};
use super::plan::{Entry, Owner, Plan};

/// Patterns that never decide. As the last match decides, what makes one unreachable is a later line.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for (id, entry) in plan.entries().iter().enumerate() {
        let Some((path, is_folder)) = sample(&entry.pattern) else {
            continue;
        };
        let mut later: Option<usize> = None;
        plan.paths().each_match(&path, is_folder, |other| {
            if other > id && later.is_none_or(|known| other < known) {
                let by = &plan.entries()[other];
                // A service in two lanes is told as that.
                let is_told = by.is_service && entry.is_service && by.text == entry.text;
                if !is_told && by.pattern.covers(&entry.pattern) {
                    later = Some(other);
                }
            }
        });
        if let Some(by) = later {
            let by = &plan.entries()[by];
            let message = if by.owner == entry.owner {
                format!("`{}` is already in `{}`", entry.text, by.text)
            } else {
                format!("`{}` never decides: {} has all of it", entry.text, described(plan, by))
            };
            diagnostics.push(
                Diagnostic::error(entry.span, message, "unreachable")
                    .related(by.span, format!("`{}` comes later and wins", by.text))
                    .help("the last match decides: take one away, or move the narrow one below the wide one"),
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

/// A path that a pattern has. Whatever covers the pattern has the path, so it tells at once which
/// other patterns can.
fn sample(pattern: &Pattern) -> Option<(Vec<u8>, bool)> {
    let mut path = Vec::new();
    for segment in &pattern.segments {
        if !path.is_empty() && *segment != Segment::AnyDepth {
            path.push(b'/');
        }
        match segment {
            Segment::AnyDepth => {}
            Segment::Literal(name) => path.extend_from_slice(name),
            Segment::Wild(wild) => path.extend(instance(wild)?),
        }
    }
    if pattern.is_below_only() {
        path.extend_from_slice(b"/\x01");
    }
    Some((path, pattern.folder_only))
}

fn instance(wild: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    let mut at = 0;
    while at < wild.len() {
        match wild[at] {
            b'*' => {
                name.push(1);
                at += 1;
            }
            b'\\' => {
                name.push(*wild.get(at + 1)?);
                at += 2;
            }
            b'[' => {
                let len = (at + 2..=wild.len()).find(|end| {
                    wild[*end - 1] == b']' && (1..=255).any(|b| wild_match(&wild[at..*end], &[b], false))
                })? - at;
                name.push((1..=255).find(|b| wild_match(&wild[at..at + len], &[*b], false))?);
                at += len;
            }
            b'?' => {
                name.push(1);
                at += 1;
            }
            byte => {
                name.push(byte);
                at += 1;
            }
        }
    }
    wild_match(wild, &name, false).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::pathset::PathSet;

    #[test]
    fn samples_match_their_pattern() {
        for text in ["a/**/b", "*.py", "x[0-9]?\\*", "helm/", "a/**", "[!a]*"] {
            let pattern = Pattern::new(text).expect("a pattern");
            let (path, is_folder) = sample(&pattern).expect("a sample");
            let mut set = PathSet::new(false);
            set.insert(&pattern, 0);
            assert_eq!(set.last_match(&path, is_folder), Some(0), "{text}");
        }
    }
}
