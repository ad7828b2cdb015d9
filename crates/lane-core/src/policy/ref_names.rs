//! Refs whose names are taken for others: gitrevisions(7) says which ref a short name means, and a tag comes before
//! a branch, a branch before a remote's.

use super::fold;
use super::{Plan, Span, is_ref_match};

/// What stands before a full name of a branch or tag where it is typed.
const PREFIXES: [&str; 4] = ["refs/", "heads/", "tags/", "remotes/"];
/// Names that mean something else than a branch: gitrevisions(7).
const SPECIAL: [&str; 8] = [
    "head",
    "fetch_head",
    "orig_head",
    "merge_head",
    "rebase_head",
    "revert_head",
    "cherry_pick_head",
    "bisect_head",
];
/// Refs of which no short name is typed.
const ASIDE: [&str; 2] = ["notes/", "lane/"];

/// What a ref would be taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disguise {
    /// The name, as it is typed.
    pub name: String,
    /// What has that name by right.
    pub reserved: ReservedRef,
    /// Where the policy says so.
    pub span: Option<Span>,
}

/// What has a name by right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservedRef {
    /// A protected branch.
    Protected,
    /// A branch of an agent.
    Agents,
    /// A branch of the remote, in clones.
    Tracking,
    /// A place of git's own, such as HEAD.
    Git,
    /// The folder in which the refs of locks or of requests lie: where it is a ref, none of them can be written.
    Records,
}

impl Plan {
    /// What a ref would be taken for, if it has a name that belongs to another.
    pub fn disguise(&self, reference: &str) -> Option<Disguise> {
        let rest = reference.strip_prefix("refs/")?;
        if let Some(prefix) = self.conflicting_ref(reference) {
            return Some(Disguise {
                name: prefix,
                reserved: ReservedRef::Records,
                span: self.policy.locks.prefix.span,
            });
        }
        if ASIDE.iter().any(|prefix| rest.starts_with(prefix)) {
            return None;
        }
        let (kind, name) = match rest.split_once('/') {
            Some((kind @ ("heads" | "tags"), name)) => (kind, name),
            _ => ("", rest),
        };
        let bare = bare(name);
        let disguise = |taken, span| Some(Disguise { name: bare.to_owned(), reserved: taken, span });
        let folded = String::from_utf8_lossy(&fold::letters(bare.as_bytes())).into_owned();
        if SPECIAL.contains(&folded.as_str()) {
            return disguise(ReservedRef::Git, None);
        }
        let remote =
            String::from_utf8_lossy(&fold::letters(self.policy.remote.value.as_bytes())).into_owned();
        let tracked = folded.strip_prefix(&remote).and_then(|rest| rest.strip_prefix('/'));
        let protected = |name: &str| {
            self.policy.branch.protected.iter().find(|listed| {
                is_ref_match(&String::from_utf8_lossy(&fold::letters(listed.value.as_bytes())), name)
            })
        };
        // A branch may have the name of a branch: that is what other rules are about.
        let is_plain = kind == "heads" && bare.len() == name.len();
        let is_own = is_plain && (self.protected(bare).is_some() || folded == bare);
        match (protected(&folded), tracked) {
            (Some(listed), _) if !is_own => disguise(ReservedRef::Protected, listed.span),
            (_, Some(_)) => {
                disguise(ReservedRef::Tracking, tracked.and_then(protected).and_then(|listed| listed.span))
            }
            _ if folded == remote => disguise(ReservedRef::Tracking, self.policy.remote.span),
            _ if is_plain => None,
            _ if self.branch.as_ref().is_some_and(|pattern| pattern.parse(bare).is_some()) => {
                disguise(ReservedRef::Agents, self.policy.branch.names().and_then(|names| names.span))
            }
            // `tags/…` is not a name for a branch, nor `remotes/…` for a tag.
            _ if bare.len() < name.len() => disguise(ReservedRef::Git, None),
            _ => None,
        }
    }
}

impl Plan {
    /// The folder of records that could not be written any more, were there such a ref: git keeps a ref as a file, and
    /// those below it in a folder of that name.
    fn conflicting_ref(&self, reference: &str) -> Option<String> {
        let locks = &self.policy.locks;
        let prefixes = [locks.locks_prefix().to_owned(), locks.requests_prefix(), locks.landings_prefix()];
        prefixes.into_iter().find(|prefix| {
            let (prefix, reference) = (prefix.to_ascii_lowercase(), reference.to_ascii_lowercase());
            let above =
                prefix.strip_prefix(&reference).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            let below = reference.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix('/'));
            above || below.is_some_and(|name| name.contains('/'))
        })
    }
}

/// A name without what may stand before it.
fn bare(mut name: &str) -> &str {
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| {
        let (head, rest) = name.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(rest)
    }) {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::ReservedRef::{self, Agents, Git, Protected, Records, Tracking};
    use crate::policy::tests::reference_plan;

    fn reserved_ref(reference: &str) -> Option<ReservedRef> {
        reference_plan().disguise(reference).map(|disguise| disguise.reserved)
    }

    #[test]
    fn tags_with_names_of_branches() {
        for name in ["main", "MAIN", "release/9", "heads/main", "refs/heads/main", "refs/tags/main"] {
            assert_eq!(reserved_ref(&format!("refs/tags/{name}")), Some(Protected), "{name}");
        }
        for name in ["origin", "origin/main", "origin/feat/a1/x", "remotes/origin/main", "Origin/Main"] {
            assert_eq!(reserved_ref(&format!("refs/tags/{name}")), Some(Tracking), "{name}");
        }
        assert_eq!(reserved_ref("refs/tags/feat/a1/x"), Some(Agents));
        assert_eq!(reserved_ref("refs/tags/heads/feat/a1/x"), Some(Agents));
        assert_eq!(reserved_ref("refs/tags/HEAD"), Some(Git));
        for name in ["v1", "v1.0/main", "release", "a1/x", "originals"] {
            assert_eq!(reserved_ref(&format!("refs/tags/{name}")), None, "{name}");
        }
    }

    #[test]
    fn branches_with_names_of_others() {
        for name in ["origin", "origin/main", "origin/x", "remotes/origin/main"] {
            assert_eq!(reserved_ref(&format!("refs/heads/{name}")), Some(Tracking), "{name}");
        }
        for name in ["heads/main", "refs/heads/main", "Main", "tags/main", "RELEASE/1"] {
            assert_eq!(reserved_ref(&format!("refs/heads/{name}")), Some(Protected), "{name}");
        }
        assert_eq!(reserved_ref("refs/heads/HEAD"), Some(Git));
        assert_eq!(reserved_ref("refs/heads/tags/v1"), Some(Git));
        for name in ["main", "release/9", "feat/a1/x", "hotfix", "heads"] {
            assert_eq!(reserved_ref(&format!("refs/heads/{name}")), None, "{name}");
        }
    }

    #[test]
    fn other_refs() {
        assert_eq!(reserved_ref("refs/main"), Some(Protected));
        assert_eq!(reserved_ref("refs/origin/main"), Some(Tracking));
        assert_eq!(reserved_ref("refs/remotes/origin/main"), Some(Tracking));
        for name in [
            "refs/notes/main",
            "refs/notes/commits",
            "refs/lane/locks/0123",
            "refs/for/main",
            "refs/pull/1/head",
        ] {
            assert_eq!(reserved_ref(name), None, "{name}");
        }
    }

    #[test]
    fn folders_of_records() {
        for reference in [
            "refs/lane",
            "refs/lane/locks",
            "refs/Lane/Locks",
            "refs/lane/requests",
            "refs/lane/locks/0123/0123",
            "refs/lane/requests/1/x",
        ] {
            assert_eq!(reserved_ref(reference), Some(Records), "{reference}");
        }
        for reference in ["refs/lane/locks/0123", "refs/lane/requests/1", "refs/lane/other", "refs/notes/x"] {
            assert_eq!(reserved_ref(reference), None, "{reference}");
        }
    }
}
