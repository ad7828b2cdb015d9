//! CODEOWNERS, as GitHub and GitLab read it: <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>,
//! <https://docs.gitlab.com/user/project/codeowners/reference/>.
//!
//! Both take the last line that has a path. GitHub's patterns are gitignore's, but for `!`, `[…]`, a `#` at the start, and
//! a `*` at the end, which stays in its folder. GitLab's are those of Ruby's `File.fnmatch`, in sections that each have their say.

mod compare;
mod github;
mod gitlab;
#[cfg(test)]
mod tests;
mod write;

use crate::policy::pathset::PathSet;
use crate::policy::pattern::{Pattern, Segment, takes_all, wild_match};

pub use compare::{Parting, partings, policy_owners};
pub use write::{HEADER, Written, write};

/// Where it may lie, in the order in which the hosts look: GitHub in `.github/`, the root and `docs/`, GitLab in the root, `docs/`
/// and `.gitlab/`.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Whose reading of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// GitHub's, which Gitea's and Forgejo's are like but for their regular expressions.
    GitHub,
    /// GitLab's.
    GitLab,
}

impl Host {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
        }
    }

    /// Whose a file is, by its place, its sections, and else the address of the remote.
    pub fn of(place: &str, text: &str, remote: Option<&str>) -> Self {
        let has_sections = || text.lines().any(gitlab::is_section);
        if place.ends_with(".github/CODEOWNERS") {
            Self::GitHub
        } else if place.ends_with(".gitlab/CODEOWNERS")
            || has_sections()
            || remote.is_some_and(|url| url.contains("gitlab"))
        {
            Self::GitLab
        } else {
            Self::GitHub
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct Codeowners {
    /// Whose reading it is.
    pub host: Host,
    /// Its rules, in the order in which they count.
    pub rules: Vec<Rule>,
    /// Its sections; GitHub has one.
    pub sections: Vec<Section>,
    /// Lines that say nothing, or less than was written.
    pub notes: Vec<Note>,
    paths: PathSet,
}

/// A line with a pattern.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The line, from 1.
    pub line: usize,
    /// Its owners as they are written, sorted; none: nobody owns what it has.
    pub owners: Vec<String>,
    /// What it has.
    pub pattern: Pattern,
    /// Whether it has whole paths alone, and not what lies below a folder that it has.
    pub is_exact: bool,
    /// Whether it takes files out of its section.
    pub is_exclusion: bool,
    /// Its section, by its place.
    pub section: usize,
    /// Whether its owners need not approve.
    pub is_optional: bool,
}

/// A section of GitLab.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its name; empty for what stands before the first.
    pub name: String,
    /// The line of its first heading, from 1.
    pub line: usize,
    /// How many approvals it asks for, where that is more than one.
    pub approvals: Option<u64>,
}

/// A line that does not say what was meant, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: usize,
    /// What is to be known of it.
    pub text: String,
}

/// Who owns a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer<'c> {
    /// The owners, sorted; none: nobody.
    pub owners: Vec<&'c str>,
    /// How many sections have owners for it, each of which must approve.
    pub sections: usize,
}

impl Codeowners {
    /// Reads a file. Lines that the host does not take are noted, and say nothing.
    pub fn parse(host: Host, text: &str) -> Self {
        let mut read = Self {
            host,
            rules: Vec::new(),
            sections: vec![Section { name: String::new(), line: 1, approvals: None }],
            notes: Vec::new(),
            paths: PathSet::new(false),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match host {
            Host::GitHub => github::parse(&mut read, text),
            Host::GitLab => gitlab::parse(&mut read, text),
        }
        // A section is optional where all its rules are.
        let required: std::collections::HashSet<usize> =
            read.rules.iter().filter(|rule| !rule.is_optional).map(|rule| rule.section).collect();
        read.rules.iter_mut().for_each(|rule| rule.is_optional &= !required.contains(&rule.section));
        for (id, rule) in read.rules.iter().enumerate() {
            read.paths.insert(&rule.pattern, id);
        }
        read
    }

    fn note(&mut self, line: usize, text: impl Into<String>) {
        self.notes.push(Note { line, text: text.into() });
    }

    /// The rules that decide over a path, one for each section that has one.
    pub fn deciding(&self, path: &[u8]) -> Vec<&Rule> {
        let mut of_sections: Vec<(usize, Option<usize>)> = Vec::new();
        self.paths.each_match(path, false, |id| {
            let rule = &self.rules[id];
            if rule.is_exact && !is_whole(&rule.pattern.segments, path) {
                return;
            }
            let at = match of_sections.iter().position(|(section, _)| *section == rule.section) {
                Some(at) => at,
                None => {
                    of_sections.push((rule.section, Some(id)));
                    of_sections.len() - 1
                }
            };
            let last = &mut of_sections[at].1;
            // What a section has excluded once stays out of it.
            *last = if rule.is_exclusion { None } else { last.map(|last| last.max(id)) };
        });
        of_sections.sort_unstable();
        of_sections.into_iter().filter_map(|(_, id)| Some(&self.rules[id?])).collect()
    }

    /// Who owns a path. Owners who need not approve do not count.
    pub fn owners(&self, path: &[u8]) -> Answer<'_> {
        let deciding = self.deciding(path);
        let mut owners: Vec<&str> = Vec::new();
        let mut sections = 0;
        for rule in deciding.iter().filter(|rule| !rule.is_optional) {
            sections += usize::from(!rule.owners.is_empty());
            owners.extend(rule.owners.iter().map(String::as_str));
        }
        owners.sort_unstable();
        owners.dedup();
        Answer { owners, sections }
    }
}

/// Whether the segments have all of a path, and not a folder above it.
fn is_whole(segments: &[Segment], path: &[u8]) -> bool {
    takes_all(segments, path.split(|byte| *byte == b'/'), |segment, name| match segment {
        Segment::Literal(literal) => literal.as_slice() == *name,
        Segment::Wild(wild) => wild_match(wild, name, false),
        Segment::AnyDepth => true,
    })
}

/// Owners as they are compared: hosts know no case in names. Sorted.
fn sorted(owners: impl Iterator<Item = String>) -> Vec<String> {
    let mut owners: Vec<String> = owners.map(|owner| owner.to_lowercase()).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// Whether a word can be an owner: `@user`, `@org/team`, `@@role`, or an e-mail address.
pub fn is_owner(word: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-_./+%".contains(c);
    match word.split_once('@') {
        Some(("", name)) => {
            let name = name.strip_prefix('@').unwrap_or(name);
            !name.is_empty() && name.chars().all(is_fine) && !name.starts_with('/') && !name.ends_with('/')
        }
        Some((user, domain)) => {
            user.chars().all(is_fine) && domain.contains('.') && domain.chars().all(is_fine)
        }
        None => false,
    }
}
