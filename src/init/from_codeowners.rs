//! A policy that says what a CODEOWNERS file says: whoever owns a path there is an agent that may change it here.
//!
//! Lines become areas in their order, as in both the last match decides. What a pattern of the one cannot say in the other is
//! put right afterwards, path by path, so that each tracked path has the same owners.

mod entries;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::agents::fresh;
use super::areas::LOCAL;
use super::files::ancestors;
use super::names::counted;
use super::{Kind, Survey};
use entries::{Entries, Entry};
use lane_core::codeowners::Codeowners;
use lane_core::policy::pattern::{Pattern, Segment, escape};
use lane_core::policy::{FILE, cases};

/// How many lines a note lists.
const LISTED: usize = 12;

/// What came of the file.
#[derive(Debug)]
pub struct Converted {
    /// The policy.
    pub text: String,
    /// What it does not say, or says otherwise, with lines of the file.
    pub notes: Vec<String>,
    /// How many agents there are.
    pub agents: usize,
    /// How many tracked files have owners.
    pub owned: usize,
}

/// Who has the paths of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Holder {
    /// These owners; none: whoever wants.
    Owners(Vec<String>),
    /// Maintainers.
    Maintainers,
    /// Nobody: it stays local.
    Nobody,
}

/// Writes the policy. `place`: the name of the file, for notes.
pub fn from_codeowners(survey: &Survey, place: &str, read: &Codeowners) -> Converted {
    let mut notes: Vec<String> =
        read.notes.iter().map(|note| format!("{place}:{}: {}", note.line, note.text)).collect();
    let answers: Vec<Vec<String>> =
        survey.files.iter().map(|file| owned(&read.owners(file.path.as_bytes()).owners)).collect();
    several(survey, read, &mut notes);
    let mut entries = direct(read);
    own_files(survey, &mut entries);
    let passed = correct(survey, &answers, &mut entries);
    let added = entries.list.iter().filter(|entry| entry.line.is_none() && !entry.is_own()).count();
    if added > 0 {
        notes.push(format!(
            "{place}: {} written out for the files as they are today: no pattern of a policy says the same",
            counted(added, "pattern")
        ));
    }
    if passed > 0 {
        notes.push(format!(
            "{} with a control character in the name could not be given their owners",
            counted(passed, "file")
        ));
    }
    let dead = entries.without_covered();
    if !dead.is_empty() {
        let lines: Vec<String> = dead.iter().take(LISTED).map(usize::to_string).collect();
        let more = if dead.len() > LISTED { ", …" } else { "" };
        notes.push(format!(
            "{place}: {} left out, as others decide over all that they have: {}{more}",
            counted(dead.len(), "line"),
            lines.join(", ")
        ));
    }
    let agents = agents(&entries.list);
    let owned = answers.iter().filter(|owners| !owners.is_empty()).count();
    let example = survey.files.iter().zip(&answers).find(|(file, owners)| {
        file.kind == Kind::File && !owners.is_empty() && super::names::quoted(&file.path) == file.path
    });
    let example = example.map(|(file, owners)| (file.path.as_str(), owners.as_slice()));
    let text = text::policy(survey, place, &agents, &entries.list, &notes, example);
    Converted { text, notes, agents: agents.len(), owned }
}

fn owned(owners: &[&str]) -> Vec<String> {
    owners.iter().map(|owner| (*owner).to_owned()).collect()
}

/// Several sections that each must approve are more than a policy says.
fn several(survey: &Survey, read: &Codeowners, notes: &mut Vec<String>) {
    if read.sections.len() < 2 {
        return;
    }
    let count = survey.files.iter().filter(|file| read.owners(file.path.as_bytes()).sections > 1).count();
    if count > 0 {
        notes.push(format!(
            "{} {} owners in several sections, each of which has to approve on {}; here any of them may change it",
            counted(count, "file"),
            if count == 1 { "has" } else { "have" },
            read.host.name()
        ));
    }
}

/// The lines as they are, each pattern in the words of a policy.
fn direct(read: &Codeowners) -> Entries {
    let mut entries = Entries::default();
    for rule in read.rules.iter().filter(|rule| !rule.is_optional) {
        let mut pattern = rule.pattern.clone();
        // GitLab's `x/` is `x/**/*`, of whole paths.
        if let [rest @ .., Segment::AnyDepth, Segment::Wild(wild)] = pattern.segments.as_slice()
            && rule.is_exact
            && wild == b"*"
            && rest.iter().any(|segment| *segment != Segment::AnyDepth)
        {
            pattern = Pattern { segments: rest.to_vec(), folder_only: true };
        }
        entries.add(&text_of(&pattern), Holder::Owners(rule.owners.clone()), Some(rule.line));
    }
    entries
}

/// A pattern as a policy has it.
fn text_of(pattern: &Pattern) -> String {
    let parts: Vec<String> = pattern.segments.iter().map(ToString::to_string).collect();
    let end = if pattern.folder_only { "/" } else { "" };
    match pattern.segments.as_slice() {
        [Segment::AnyDepth, _] if !parts[1].starts_with('!') => format!("{}{end}", parts[1]),
        [Segment::AnyDepth, _, ..] => format!("{}{end}", parts.join("/")),
        _ => format!("/{}{end}", parts.join("/")),
    }
}

/// The policy itself, and what stays local, as far as the file cannot speak of them yet.
fn own_files(survey: &Survey, entries: &mut Entries) {
    let is_tracked = |pattern: &str| {
        Pattern::new(pattern).is_ok_and(|pattern| {
            survey
                .files
                .iter()
                .any(|file| pattern.matches(file.path.as_bytes(), file.kind != Kind::File, false))
        })
    };
    let own = [FILE, cases::FILE].map(|name| (format!("/{name}"), Holder::Maintainers));
    let local = LOCAL.map(|pattern| (pattern.to_owned(), Holder::Nobody));
    for (pattern, holder) in own.into_iter().chain(local).filter(|(pattern, _)| !is_tracked(pattern)) {
        entries.add(&pattern, holder, None);
    }
}

/// Adds what is missing for each tracked path to have its owners: a folder where all of it has the same, else the path.
/// How many could not be named.
fn correct(survey: &Survey, answers: &[Vec<String>], entries: &mut Entries) -> usize {
    let mut uniform: HashMap<&str, Option<&Vec<String>>> = HashMap::new();
    for (file, owners) in survey.files.iter().zip(answers) {
        for folder in ancestors(&file.path) {
            let known = uniform.entry(folder).or_insert(Some(owners));
            if *known != Some(owners) {
                *known = None;
            }
        }
    }
    let mut missing: BTreeMap<String, &Vec<String>> = BTreeMap::new();
    let mut passed = 0;
    for (file, owners) in survey.files.iter().zip(answers) {
        let now = entries.holder(file.path.as_bytes(), file.kind != Kind::File);
        let is_right = match now {
            Some(Holder::Owners(now)) => now == owners,
            None => owners.is_empty(),
            _ => false,
        };
        if is_right {
            continue;
        }
        if file.path.contains(char::is_control) {
            passed += 1;
            continue;
        }
        let mut above: Vec<&str> = ancestors(&file.path).collect();
        above.sort_by_key(|folder| folder.len());
        let whole = above.into_iter().find(|folder| uniform.get(folder).copied().flatten().is_some());
        let pattern = match whole {
            Some(folder) => format!("/{}/", escape(folder)),
            None => format!("/{}", escape(&file.path)),
        };
        missing.insert(pattern, owners);
    }
    // Those of the same owners together, so that they are one area.
    let mut missing: Vec<(String, &Vec<String>)> = missing.into_iter().collect();
    missing.sort_by(|one, two| (one.1, &one.0).cmp(&(two.1, &two.0)));
    for (pattern, owners) in missing {
        entries.add(&pattern, Holder::Owners(owners.clone()), None);
    }
    passed
}

/// An id for each owner, by the owner.
fn agents(entries: &[Entry]) -> BTreeMap<String, String> {
    let mut ids: HashSet<String> = HashSet::new();
    let mut agents = BTreeMap::new();
    let owners = entries.iter().filter_map(|entry| match &entry.holder {
        Holder::Owners(owners) => Some(owners),
        _ => None,
    });
    let owners: std::collections::BTreeSet<&String> = owners.flatten().collect();
    for owner in owners {
        let name = match owner.split_once('@') {
            Some(("", name)) => name.rsplit('/').next().unwrap_or(name),
            Some((user, _)) => user,
            None => owner,
        };
        // Sentences under `tests:` have that word for everybody without an identity.
        let name = if name.trim_start_matches('@') == "maintainer" { "maintainer-role" } else { name };
        agents.insert(owner.clone(), fresh(&as_name(name, "agent"), "-", &mut ids));
    }
    agents
}

/// A text as a name of an agent or area, or another where nothing is left of it.
fn as_name(text: &str, other: &str) -> String {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let name: String = text.chars().map(|c| if is_fine(c) { c } else { '-' }).collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { other.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
