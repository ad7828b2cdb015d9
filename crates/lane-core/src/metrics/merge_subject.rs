//! What the message of a merge says: which branch was merged, from whose repository, by which pull request.

use crate::facts::Message;

/// What a message says of a merge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeSubject {
    /// The branch that was merged, without the owner of a fork.
    pub branch: Option<String>,
    /// The owner of the repository that it came from, as GitHub names it.
    pub owner: Option<String>,
    /// The branch that it was merged into, where that is said.
    pub into: Option<String>,
    /// The number of the pull request or merge request.
    pub pull_request: Option<u64>,
}

impl MergeSubject {
    /// What a message says. The forms are those of git itself, GitHub, GitLab, Gitea, Bitbucket and Azure DevOps.
    pub fn of(message: &Message) -> Self {
        let line = message.first_line().trim();
        let mut said = branches(line);
        said.pull_request =
            said.pull_request.or_else(|| at_the_end(line)).or_else(|| merge_request(&message.text));
        said
    }

    /// Whether the branch of this name was merged, here or as a remote has it. What a pull request brings is another one,
    /// whatever its name is: forks have a `main`, too.
    pub fn is_of(&self, base: &str, remote: &str) -> bool {
        if self.owner.is_some() || self.pull_request.is_some() {
            return false;
        }
        let tracked = self.branch.as_deref().map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
        tracked.is_some_and(|name| {
            name == base
                || name
                    .strip_prefix(remote)
                    .and_then(|rest| rest.strip_prefix('/'))
                    .is_some_and(|n| n == base)
        })
    }
}

fn branches(line: &str) -> MergeSubject {
    let text = |word: &str| Some(word.trim_matches(['\'', '"']).to_owned()).filter(|word| !word.is_empty());
    if let Some(rest) = line.strip_prefix("Merge pull request ") {
        return pull_request(rest);
    }
    if let Some(rest) = line.strip_prefix("Merged in ") {
        let (branch, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let number = rest.strip_prefix("(pull request #").and_then(number);
        return MergeSubject { branch: text(branch), pull_request: number, ..MergeSubject::default() };
    }
    if let Some(rest) = line.strip_prefix("Merged PR ") {
        return MergeSubject { pull_request: number(rest), ..MergeSubject::default() };
    }
    let rest =
        line.strip_prefix("Merge branch '").or_else(|| line.strip_prefix("Merge remote-tracking branch '"));
    if let Some((branch, rest)) = rest.and_then(|rest| rest.split_once('\'')) {
        let into = rest.rsplit_once(" into ").and_then(|(_, into)| text(into.trim()));
        return MergeSubject { branch: text(branch), into, ..MergeSubject::default() };
    }
    // `Merge main into feat/a1/x`, as GitHub's API writes it; no word of prose has no blank.
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["Merge", branch, "into", into] => {
            MergeSubject { branch: text(branch), into: text(into), ..MergeSubject::default() }
        }
        _ => MergeSubject::default(),
    }
}

/// What follows `Merge pull request `: `#12 from owner/branch` (GitHub), `#12 in GROUP/name from branch to main`
/// (Bitbucket Server), `'title' (#12) from branch into main` (Gitea).
fn pull_request(rest: &str) -> MergeSubject {
    let is_title = rest.starts_with(['\'', '"']);
    let (before, after) = match is_title {
        true => rest.rsplit_once(" from ").unwrap_or((rest, "")),
        false => rest.split_once(" from ").unwrap_or((rest, "")),
    };
    let number = match is_title {
        true => at_the_end(before),
        false => before.strip_prefix('#').and_then(number),
    };
    let mut words = after.split(' ');
    let branch = words.next().filter(|word| !word.is_empty());
    let into = match (words.next(), words.next()) {
        (Some("into" | "to"), Some(into)) => Some(into.to_owned()),
        _ => None,
    };
    let is_github = !is_title && !before.contains(" in ");
    let (owner, branch) = match branch.and_then(|name| name.split_once('/')).filter(|_| is_github) {
        Some((owner, branch)) => (Some(owner.to_owned()), Some(branch.to_owned())),
        None => match branch.and_then(|name| name.split_once(':')) {
            Some((owner, branch)) => (Some(owner.to_owned()), Some(branch.to_owned())),
            None => (None, branch.map(str::to_owned)),
        },
    };
    MergeSubject { branch, owner, into, pull_request: number }
}

/// The digits that a text begins with.
fn number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// `(#12)` or `(!12)` at the end of a subject, as squash merges have it.
fn at_the_end(line: &str) -> Option<u64> {
    let inner = line.strip_suffix(')')?;
    let (_, inner) = inner.rsplit_once('(')?;
    let digits = inner.strip_prefix('#').or_else(|| inner.strip_prefix('!'))?;
    digits.parse().ok()
}

/// `See merge request group/project!12`, as GitLab ends its messages.
fn merge_request(text: &str) -> Option<u64> {
    let mut lines = text.lines().rev().filter_map(|line| line.trim().strip_prefix("See merge request "));
    lines.find_map(|line| line.rsplit_once('!').and_then(|(_, digits)| digits.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn said(text: &str, branch: &str, owner: &str, into: &str, number: u64) {
        let found = MergeSubject::of(&Message { text: text.into() });
        let some = |word: &str| Some(word.to_owned()).filter(|word| !word.is_empty());
        let wanted = MergeSubject {
            branch: some(branch),
            owner: some(owner),
            into: some(into),
            pull_request: Some(number).filter(|number| *number > 0),
        };
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn what_hosts_write() {
        said("Merge pull request #126 from vitamin33/feat/a3/x\n\nTitle", "feat/a3/x", "vitamin33", "", 126);
        said("Merge pull request #4 in TEAM/app from feat/a1/x to main", "feat/a1/x", "", "main", 4);
        said(
            "Merge pull request 'Fix (#3) from y' (#12) from feat/a1/x into main",
            "feat/a1/x",
            "",
            "main",
            12,
        );
        said(
            "Merge branch 'feat/a1/x' into 'main'\n\nT\n\nSee merge request g/p!7",
            "feat/a1/x",
            "",
            "main",
            7,
        );
        said("Merged in feat/a1/x (pull request #9)", "feat/a1/x", "", "", 9);
        said("Merged PR 33: Title", "", "", "", 33);
        said("feat: x (CRA-231) (#62)", "", "", "", 62);
        said("Revert \"x (#12)\" (#13)\n\nThis reverts", "", "", "", 13);
        said("feat: x (!5)", "", "", "", 5);
    }

    #[test]
    fn what_git_writes() {
        said("Merge branch 'main' of github.com:o/r", "main", "", "", 0);
        said("Merge branch 'main' of ../r into feat/a1/x", "main", "", "feat/a1/x", 0);
        said("Merge remote-tracking branch 'origin/main' into y", "origin/main", "", "y", 0);
        said("Merge branches 'a' and 'b'", "", "", "", 0);
        said("Merge main into feat/a1/x", "main", "", "feat/a1/x", 0);
        said("Merge tag 'v1'", "", "", "", 0);
        said("Merge pull request ", "", "", "", 0);
        said("fix(#12)", "", "", "", 12);
        said("fix (12) #x (#)", "", "", "", 0);
        said("", "", "", "", 0);
    }

    #[test]
    fn the_base_itself() {
        let is_base = |text: &str| MergeSubject::of(&Message { text: text.into() }).is_of("main", "origin");
        assert!(is_base("Merge branch 'main' of github.com:o/r"));
        assert!(is_base("Merge remote-tracking branch 'origin/main'"));
        assert!(!is_base("Merge branch 'feat/main'"));
        assert!(!is_base("Merge pull request #1 from fork/main"));
        assert!(!is_base("Merge pull request #1 from o/feat"));
    }
}
