//! Which services a change touches: by their folders, by areas, and through dependencies that the policy and the manifests of
//! workspaces declare. All is read from the tree of the change, so nothing is checked out and nothing is fetched.

mod map;
mod services;

use std::collections::BTreeMap;

use lane_core::affected::{chain, reach};
use lane_core::facts::{FileChange, RepoPath};

pub use map::Map;
pub use services::service_folder;

/// A service, a package that services depend on, or an area.
#[derive(Debug, Clone)]
pub struct Project {
    /// What it is called.
    pub name: String,
    /// Its folder; `.` for the root, empty for an area.
    pub path: String,
    /// What it is.
    pub kind: ProjectKind,
    /// The agent whose lane has it.
    pub lane: Option<String>,
    /// Whether the change leaves any of its files.
    pub is_there: bool,
    /// The tools that have a package in it, by their places, each with the root of the workspace.
    tools: Vec<(usize, String)>,
}

/// What a project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectKind {
    /// What is tested, and what jobs are made for.
    Service,
    /// A package of a workspace beside the services of the policy.
    Package,
    /// An area of the policy.
    Area,
}

/// Why a file of the change touches a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// It is one of the project's own.
    Own,
    /// It lies in an area that all services share: nobody says in the policy who depends on it.
    Shared(String),
    /// All packages of a workspace are made with it.
    Global,
}

/// Why a project is affected.
#[derive(Debug, Clone)]
pub struct Because {
    /// A changed file.
    pub file: RepoPath,
    /// How many there are in all.
    pub files: usize,
    /// Why it touches the project that it touches.
    pub touch: Touch,
    /// From the project to the one that the file touches, each depending on the next.
    pub chain: Vec<usize>,
}

/// What a change affects.
#[derive(Debug)]
pub struct Affected {
    /// The projects, by their places in the map, each with the reason.
    pub projects: BTreeMap<usize, Because>,
    /// Changed files that affect nothing.
    pub elsewhere: Vec<RepoPath>,
}

impl Map<'_> {
    /// What changed files affect.
    pub fn affected(&self, files: &[FileChange]) -> Affected {
        let mut direct: BTreeMap<usize, (RepoPath, usize, Touch)> = BTreeMap::new();
        let mut elsewhere = Vec::new();
        for file in files {
            let touched = self.touched(file);
            if touched
                .iter()
                .all(|(at, _)| self.projects[*at].kind == ProjectKind::Area && !self.is_needed(*at))
            {
                elsewhere.push(file.path.clone());
            }
            for (at, touch) in touched {
                let entry = direct.entry(at).or_insert_with(|| (file.path.clone(), 0, touch.clone()));
                entry.1 += 1;
                // Its own files say more than what all share.
                if entry.2 != Touch::Own && touch == Touch::Own {
                    (entry.0, entry.2) = (file.path.clone(), touch);
                }
            }
        }
        let reached = reach(&self.nodes, direct.keys().copied());
        let mut projects = BTreeMap::new();
        for at in 0..self.projects.len() {
            if reached[at].is_none() {
                continue;
            }
            let chain = chain(&reached, at);
            let Some((file, files, touch)) = chain.last().and_then(|last| direct.get(last)) else { continue };
            let because = Because { file: file.clone(), files: *files, touch: touch.clone(), chain };
            projects.insert(at, because);
        }
        Affected { projects, elsewhere }
    }
}
