//! A first policy for a repository that nobody has described yet. What git tracks there is read as data ([`Survey`]), divided
//! into lanes ([`Proposal`]), and written as the text of a `policy.yaml`. Every agent that is proposed has a lane.

mod agents;
mod areas;
mod balance;
mod candidates;
mod cargo;
mod codeowners;
mod collapse;
pub mod dependencies;
pub mod files;
mod from_codeowners;
mod go_work;
mod job;
mod names;
mod package_json;
mod pnpm;
mod policy_text;
mod pyproject;
mod roots;
mod survey;
mod widen;
mod workspaces;

use std::collections::HashMap;

use serde::Serialize;

use agents::Agent;
use areas::Area;
use balance::Item;
use candidates::Structure;
use codeowners::Codeowners;
use collapse::collapse;
use files::{Files, ancestors, is_free, name, parent};
pub use files::{Kind, TrackedPath};
pub use from_codeowners::{Converted, from_codeowners};
pub use job::{JobFile, JobHost};
use names::counted;
pub use names::sanitize_name;
pub use survey::{Survey, Text};
use workspaces::MANIFESTS;

/// Where nothing tells how many agents there are to be, there are no more than this.
const MOST_BY_DEFAULT: usize = 4;

/// The files that are there for a harness, and which one.
const OF_HARNESSES: [(&str, &str); 10] = [
    (".claude/", "claude"),
    ("CLAUDE.md", "claude"),
    (".codex/", "codex"),
    (".gemini/", "gemini"),
    ("GEMINI.md", "gemini"),
    (".cursor/", "cursor"),
    (".cursorrules", "cursor"),
    (".github/copilot-instructions.md", "copilot"),
    (".opencode/", "opencode"),
    ("opencode.json", "opencode"),
];

fn harnesses(files: &[TrackedPath]) -> Vec<&'static str> {
    let is_there = |name: &str| {
        files
            .iter()
            .any(|file| if name.ends_with('/') { file.path.starts_with(name) } else { file.path == name })
    };
    let mut found: Vec<&str> =
        OF_HARNESSES.iter().filter(|(name, _)| is_there(name)).map(|(_, harness)| *harness).collect();
    found.dedup();
    found
}

/// The files whose content a [`Survey`] is to have.
pub fn input_files() -> impl Iterator<Item = &'static str> {
    MANIFESTS.iter().map(|manifest| manifest.file).chain(codeowners::PLACES)
}

/// What is proposed.
#[derive(Debug)]
pub struct Proposal {
    /// The agents, each with its lane.
    pub lanes: Vec<Lane>,
    /// What could not be read, and why there are fewer agents than were asked for.
    pub notes: Vec<String>,
    /// Whether the agents are those of worktrees that are there.
    pub is_of_worktrees: bool,
    base: String,
    remote: String,
    /// The folder that services lie in side by side.
    service_root: Option<String>,
    areas: Vec<Area>,
    /// Whose the migrations are, by place in `lanes`.
    migrations: usize,
    /// The agents that nothing was left for.
    without: Vec<Agent>,
    /// Folders at the root that are in no lane.
    open: Vec<String>,
    /// The harnesses that files of the repository are for.
    harnesses: Vec<&'static str>,
}

/// An agent and its lane.
#[derive(Debug, Serialize)]
pub struct Lane {
    /// The agent's id.
    #[serde(rename = "agent", serialize_with = "as_id")]
    agent: Agent,
    /// How many files it has.
    pub files: usize,
    /// How many of them are vendored, generated or fixtures: these do not count where lanes are balanced.
    pub uncounted: usize,
    /// The folders.
    pub folders: Vec<Folder>,
    /// A file in it.
    #[serde(skip)]
    example: Option<String>,
}

/// A folder of a lane.
#[derive(Debug, Serialize)]
pub struct Folder {
    /// From the root.
    pub path: String,
    /// How many files no area has.
    pub files: usize,
    /// How many of them are vendored, generated or fixtures.
    pub uncounted: usize,
    /// Where it was read.
    pub source: String,
    /// Whose it is by CODEOWNERS.
    pub owners: Option<String>,
    /// How many folders were found in it.
    #[serde(skip)]
    count: usize,
}

fn as_id<S: serde::Serializer>(agent: &Agent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&agent.id)
}

impl Lane {
    /// The agent's id.
    pub fn agent(&self) -> &str {
        &self.agent.id
    }

    /// How many files that is, in words.
    pub fn size(&self) -> String {
        size_of(self.files, self.uncounted)
    }
}

fn size_of(files: usize, uncounted: usize) -> String {
    let files = counted(files - uncounted, "file");
    if uncounted > 0 { format!("{files} and {uncounted} vendored or fixtures") } else { files }
}

/// Divides a repository. `count`: how many agents, instead of one for each worktree.
pub fn propose(survey: &Survey, count: Option<u16>) -> Proposal {
    let mut notes = survey.notes.clone();
    let mut files = Files::new(&survey.files);
    let packages = workspaces::packages(&survey.texts, &files, &mut notes);
    let codeowners = Codeowners::read(&survey.texts, &mut notes);
    let mut drafts = match count {
        Some(count) => agents::numbered(survey, count.into()),
        None => agents::of_worktrees(survey, &mut notes),
    };
    let mut structure = candidates::structure(&files, packages);
    let (mut areas, _) = areas::areas(&files, &structure);
    files.assign(&areas::path_set(&areas));
    structure.keep_free(&files, &mut notes);
    structure.widen(&files, codeowners.as_ref(), drafts.len().max(2));
    let (again, migrations) = areas::areas(&files, &structure);
    areas = again;
    let path_set = areas::path_set(&areas);
    files.assign(&path_set);
    structure.keep_free(&files, &mut notes);
    let is_of_worktrees = count.is_none() && !drafts.is_empty();
    if drafts.is_empty() {
        drafts = agents::numbered(survey, structure.candidates.len().clamp(1, MOST_BY_DEFAULT));
    }
    let lanes = lanes(&structure, &files, &path_set, codeowners.as_ref(), drafts.len());
    let folders: Vec<Vec<&str>> =
        lanes.iter().map(|(folders, _)| folders.iter().map(|folder| name(&folder.path)).collect()).collect();
    let without = drafts.split_off(lanes.len());
    let mut order = agents::matched(&drafts, &folders).into_iter();
    let mut lanes: Vec<Option<_>> = lanes.into_iter().map(Some).collect();
    let lanes: Vec<Lane> = drafts
        .into_iter()
        .filter_map(|agent| {
            let (folders, example) = lanes.get_mut(order.next()?)?.take()?;
            let (files, uncounted) = folders
                .iter()
                .fold((0, 0), |(files, none), folder| (files + folder.files, none + folder.uncounted));
            Some(Lane { agent, files, uncounted, folders, example })
        })
        .collect();
    fewer(&lanes, &without, count, survey, &mut notes);
    Proposal {
        harnesses: harnesses(&survey.files),
        open: open(&files, &structure, &areas),
        migrations: owner_of(&migrations, &lanes, &files),
        service_root: candidates::service_root(&structure.candidates).map(str::to_owned),
        base: survey.base.clone(),
        remote: survey.remote.clone(),
        is_of_worktrees,
        lanes,
        notes,
        areas,
        without,
    }
}

/// The folders of each lane, and a file in it; one lane that has everything where nothing tells how to divide it.
fn lanes(
    structure: &Structure,
    files: &Files<'_>,
    areas: &lane_core::policy::pathset::PathSet,
    codeowners: Option<&Codeowners>,
    count: usize,
) -> Vec<(Vec<Folder>, Option<String>)> {
    let mut inside = Inside::new();
    for file in files.tracked().iter().filter(|file| is_free(file, areas)) {
        let folders = ancestors(&file.path).chain([file.path.as_str()]);
        let folder = folders.into_iter().find(|folder| structure.candidates.contains_key(*folder));
        inside.entry(folder.unwrap_or("")).or_default().push((&file.path, file.kind));
    }
    let example = |folders: &[Folder]| {
        let paths = folders.iter().filter_map(|folder| inside.get(folder.path.as_str())).flatten();
        let plain = |path: &str| names::quoted(path) == *path;
        paths
            .filter(|(_, kind)| *kind == Kind::File)
            .map(|(path, _)| *path)
            .find(|path| plain(path))
            .map(str::to_owned)
    };
    let mut folders = by_group(structure, files, &inside, codeowners);
    if folders.is_empty() {
        let whole = Folder {
            path: String::new(),
            files: files.free(""),
            uncounted: files.uncounted(""),
            source: "the whole repository".to_owned(),
            owners: None,
            count: 1,
        };
        let whole = vec![whole];
        let example = example(&whole);
        return vec![(whole, example)];
    }
    folders.sort_by(|one, two| (&one.0, &one.1.path).cmp(&(&two.0, &two.1.path)));
    let lanes = divide(folders, files, count);
    let root = candidates::service_root(&structure.candidates);
    let mut lanes: Vec<(Vec<Folder>, Option<String>)> = lanes
        .into_iter()
        .map(|lane| {
            let example = example(&lane);
            (collapse(lane, files, &structure.candidates, root), example)
        })
        .collect();
    lanes.sort_by(|(one, _), (two, _)| one.iter().map(|f| &f.path).cmp(two.iter().map(|f| &f.path)));
    lanes
}

/// The files that are free for a lane, by the folder that they are counted for.
type Inside<'a> = HashMap<&'a str, Vec<(&'a str, Kind)>>;

/// The folders that lanes are made of, each with what it is kept together by: its owners, else the folder around it.
fn by_group(
    structure: &Structure,
    files: &Files<'_>,
    inside: &Inside<'_>,
    codeowners: Option<&Codeowners>,
) -> Vec<(String, Folder)> {
    let candidates = structure.candidates.iter();
    let folders = candidates.map(|(path, found)| {
        let owners =
            inside.get(path.as_str()).and_then(|files| codeowners?.owners_of(files)).map(str::to_owned);
        let group = owners.clone().unwrap_or_else(|| parent(path).to_owned());
        let folder = Folder {
            files: files.free(path),
            uncounted: files.uncounted(path),
            source: found.to_string(),
            owners,
            count: 1,
            path: path.clone(),
        };
        (group, folder)
    });
    folders.collect()
}

/// As many lanes as asked for, or as there are folders, of about the same size.
fn divide(folders: Vec<(String, Folder)>, files: &Files<'_>, count: usize) -> Vec<Vec<Folder>> {
    let size = |folder: &Folder| files.weight(&folder.path);
    let items: Vec<Item> =
        folders.iter().map(|(group, folder)| Item { size: size(folder), group: group.clone() }).collect();
    let divided = balance::divide(&items, count.min(items.len()));
    let mut folders: Vec<Option<Folder>> = folders.into_iter().map(|(_, folder)| Some(folder)).collect();
    let mut lanes: Vec<Vec<Folder>> =
        divided.iter().map(|lane| lane.iter().filter_map(|at| folders[*at].take()).collect()).collect();
    lanes.iter_mut().for_each(|lane| lane.sort_by(|one, two| one.path.cmp(&two.path)));
    lanes
}

/// Says why there are fewer agents than were asked for, or than there are worktrees.
fn fewer(lanes: &[Lane], without: &[Agent], count: Option<u16>, survey: &Survey, notes: &mut Vec<String>) {
    let is_whole = lanes.iter().any(|lane| lane.folders.iter().any(|folder| folder.path.is_empty()));
    let there = match () {
        () if survey.files.is_empty() => "git tracks no files here yet",
        () if is_whole => "no folders to divide these files by",
        () => "no further folder can be split",
    };
    if let Some(count) = count
        && !without.is_empty()
    {
        let (asked, made) = (counted(count.into(), "agent"), lanes.len());
        notes.push(format!(
            "{asked} asked for, {made} proposed: {there}, and an agent without a lane cannot change anything"
        ));
    } else if !without.is_empty() {
        let trees: Vec<&str> = without.iter().map(|agent| agent.worktree.as_str()).collect();
        notes.push(format!(
            "no agent proposed for {} ({}): {there}, and an agent without a lane cannot change anything",
            if trees.len() == 1 { "a worktree" } else { "some worktrees" },
            names::list(&trees)
        ));
    } else if is_whole {
        notes.push(format!("one agent has everything: {there}"));
    }
}

/// The folders at the root in which every agent may change files.
fn open(files: &Files<'_>, structure: &Structure, areas: &[Area]) -> Vec<String> {
    let is_open = |folder: &&&str| {
        let pattern = format!("/{folder}/");
        let is_area = areas.iter().any(|area| area.paths.contains(&pattern));
        files.free(folder) > 0 && !is_area && !structure.has(folder) && !structure.common.contains(**folder)
    };
    let is_divided = !structure.candidates.is_empty();
    files
        .folders_in("")
        .iter()
        .filter(is_open)
        .filter(|_| is_divided)
        .map(|folder| (*folder).to_owned())
        .collect()
}

/// The lane that has most of the migrations.
fn owner_of(migrations: &[String], lanes: &[Lane], files: &Files<'_>) -> usize {
    let share = |lane: &Lane| -> usize {
        let is_in = |migration: &&String| {
            lane.folders.iter().any(|folder| ancestors(migration).any(|above| above == folder.path))
        };
        migrations.iter().filter(is_in).map(|migration| files.count(migration)).sum()
    };
    let most = lanes.iter().map(share).max().unwrap_or_default();
    lanes.iter().position(|lane| share(lane) == most).unwrap_or_default()
}

#[cfg(test)]
mod tests;
