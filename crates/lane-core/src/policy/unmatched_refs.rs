//! Branches and remotes of a policy that a repository does not have.

use std::collections::BTreeSet;

use super::Spanned;
use super::diagnostic::Diagnostic;
use super::lint::at;
use super::plan::Plan;
use super::unknown::did_you_mean;

/// What refs and remotes are there.
#[derive(Debug, Clone, Default)]
pub struct Refs {
    /// The branches, here or on a remote, without what they lie below.
    pub branches: BTreeSet<String>,
    /// The remotes.
    pub remotes: BTreeSet<String>,
}

/// How many names a help lists.
const LISTED: usize = 8;

pub(super) fn warnings(plan: &Plan, refs: &Refs, warnings: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    // Before the first commit, and before there is a remote, none is missing.
    if !refs.branches.is_empty() {
        warnings.extend(missing("branch", &policy.base, &refs.branches, true));
        // One that is yet to be made may be protected already.
        let literal =
            policy.branch.protected.iter().filter(|name| !name.value.contains(['*', '?', '[', '\\']));
        let other = literal.filter(|name| name.value != policy.base.value);
        warnings.extend(other.filter_map(|name| missing("branch", name, &refs.branches, false)));
    }
    if !refs.remotes.is_empty() {
        let all = std::iter::once(&policy.remote).chain(&policy.locks.remote);
        warnings.extend(all.filter_map(|name| missing("remote", name, &refs.remotes, true)));
    }
}

fn missing(
    kind: &str,
    name: &Spanned<String>,
    there: &BTreeSet<String>,
    is_needed: bool,
) -> Option<Diagnostic> {
    if there.contains(&name.value) {
        return None;
    }
    let help = match did_you_mean(&name.value, there.iter().map(String::as_str)) {
        Some(hint) => hint,
        None if is_needed => {
            let more = there.len().saturating_sub(LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let known: Vec<&str> = there.iter().map(String::as_str).take(LISTED).collect();
            format!("correct it; there is: {}{more}", known.join(", "))
        }
        None => return None,
    };
    let message = format!("no {kind} `{}` in this repository", name.value);
    Some(Diagnostic::warning(at(name), message, format!("no such {kind}")).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::{Source, load};
    use super::*;

    fn unmatched_in(policy: &str) -> Vec<String> {
        let source = Source::new("policy.yaml", format!("version: 1\n{policy}\n"));
        let plan = load(source, false).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let refs = Refs { branches: names(&["main", "develop", "release/1.0"]), remotes: names(&["origin"]) };
        let mut all = Vec::new();
        warnings(&plan, &refs, &mut all);
        all.into_iter().map(|it| format!("{} | {}", it.message, it.help.unwrap_or_default())).collect()
    }

    #[test]
    fn what_is_there_is_not_told() {
        assert_eq!(unmatched_in("base: main\nremote: origin"), [] as [&str; 0]);
        assert_eq!(unmatched_in("branch: { protected: [main, 'rel/*', develop] }"), [] as [&str; 0]);
        assert_eq!(unmatched_in("branch: { protected: [production] }"), [] as [&str; 0], "about to be made");
    }

    #[test]
    fn what_is_missing() {
        assert_eq!(
            unmatched_in("base: master"),
            ["no branch `master` in this repository | correct it; there is: develop, main, release/1.0"]
        );
        assert_eq!(
            unmatched_in("base: mian"),
            ["no branch `mian` in this repository | did you mean `main`?"]
        );
        assert!(unmatched_in("branch: { protected: [devlop] }")[0].ends_with("did you mean `develop`?"));
        assert!(unmatched_in("remote: orgin")[0].ends_with("did you mean `origin`?"));
        assert!(unmatched_in("locks: { remote: backup }")[0].starts_with("no remote `backup`"));
    }
}
