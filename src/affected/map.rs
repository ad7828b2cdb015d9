//! The projects of a tree, and what each depends on.

use std::collections::{BTreeSet, HashMap};

use super::services::{each_service, services};
use super::{Project, ProjectKind, Touch};
use crate::gather::{file_text, files_of_tree};
use crate::init::dependencies::{Located, TOOLS, packages};
use crate::init::files::{Files, ancestors};
use crate::init::{Kind, TrackedPath};
use lane_core::affected::{Edge, Node};
use lane_core::facts::{FileChange, Oid};
use lane_core::policy::model::Access;
use lane_core::policy::pathset::PathSet;
use lane_core::policy::{Owner, Plan};
use lane_git::{Read, Repository};

/// The files that a change removes, as a tree would have them.
fn removed(files: &[FileChange]) -> Vec<TrackedPath> {
    let gone = files.iter().filter(|file| file.new.is_none());
    let path = |file: &FileChange| {
        let kind = if file.is_folder() { Kind::Submodule } else { Kind::File };
        Some(TrackedPath { path: String::from_utf8(file.path.0.clone()).ok()?, kind })
    };
    gone.filter_map(path).collect()
}

/// The projects of a tree, and what each depends on.
pub struct Map<'p> {
    /// The projects.
    pub projects: Vec<Project>,
    /// The same as nodes: what each depends on.
    pub nodes: Vec<Node>,
    /// What the manifests of workspaces say that means nothing here.
    pub notes: Vec<String>,
    /// What could not be read or found, without which no answer is given.
    pub unread: Vec<String>,
    plan: &'p Plan,
    services: PathSet,
    /// Projects that are packages, by folder; empty for the root.
    packages: HashMap<String, usize>,
    /// The project of each area of the policy.
    areas: Vec<usize>,
    /// The projects that something depends on by the policy.
    needed: BTreeSet<usize>,
}

impl<'p> Map<'p> {
    /// Reads the projects of a tree; `None` is the empty one. `files`: those of the change, which may remove a project.
    ///
    /// # Errors
    /// The tree cannot be read.
    pub fn read(
        repo: &dyn Repository,
        plan: &'p Plan,
        tree: Option<Oid>,
        files: &[FileChange],
    ) -> Read<Self> {
        let list = tree.map(|tree| files_of_tree(repo, tree)).transpose()?.unwrap_or_default();
        let (mut notes, mut unread) = (Vec::new(), Vec::new());
        let (projects, services) = services(plan, &list, &removed(files));
        let folders: Vec<String> = projects
            .iter()
            .filter(|one| one.is_there && one.path != ".")
            .map(|one| one.path.clone())
            .collect();
        let mut read = |path: &str| match tree {
            Some(tree) => file_text(repo, tree, path),
            None => Ok(None),
        };
        let found = packages(&Files::new(&list), &folders, &mut read, &mut notes, &mut unread)?;
        let nodes = projects.iter().map(|one| Node { name: one.name.clone(), depends: Vec::new() }).collect();
        let mut map = Self {
            projects,
            nodes,
            notes,
            unread,
            plan,
            services,
            packages: HashMap::new(),
            areas: Vec::new(),
            needed: BTreeSet::new(),
        };
        map.add_packages(&found);
        map.add_areas();
        map.add_declared();
        Ok(map)
    }

    fn add(&mut self, project: Project) -> usize {
        self.nodes.push(Node { name: project.name.clone(), depends: Vec::new() });
        self.projects.push(project);
        self.projects.len() - 1
    }

    fn depend(&mut self, of: usize, on: usize, declared: &str) {
        let depends = &mut self.nodes[of].depends;
        if of != on && !depends.iter().any(|edge| edge.on == on) {
            depends.push(Edge { on, declared: declared.to_owned() });
        }
    }

    /// A package in a service's folder is the service; where the policy names no services, each package is one.
    fn add_packages(&mut self, found: &[Located]) {
        let kind = match self.plan.policy.services.paths {
            Some(_) => ProjectKind::Package,
            None => ProjectKind::Service,
        };
        let mut names: BTreeSet<String> = self.projects.iter().map(|one| one.name.clone()).collect();
        for package in found {
            let own = self.services.last_match(package.manifest().as_bytes(), false);
            let at = own.unwrap_or_else(|| {
                let path = if package.folder.is_empty() { ".".to_owned() } else { package.folder.clone() };
                // Two tools may have packages of one name.
                let is_new = names.insert(package.name.clone());
                let name = if is_new { package.name.clone() } else { path.clone() };
                self.add(Project { name, path, kind, lane: None, is_there: true, tools: Vec::new() })
            });
            self.projects[at].tools.extend(package.tools.iter().cloned());
            self.packages.insert(package.folder.clone(), at);
        }
        for package in found {
            let of = self.packages[&package.folder];
            for folder in &package.depends {
                if let Some(on) = self.packages.get(folder).copied() {
                    self.depend(of, on, &package.manifest());
                }
            }
        }
    }

    fn add_areas(&mut self) {
        for area in &self.plan.policy.areas {
            let name = area.name.value.clone();
            // A service of the same name is the same thing to whoever depends on it.
            let same =
                self.projects.iter().position(|one| one.name == name && one.kind == ProjectKind::Service);
            let kind = ProjectKind::Area;
            let at = same.unwrap_or_else(|| {
                let (path, tools) = (String::new(), Vec::new());
                self.add(Project { name, path, kind, lane: None, is_there: true, tools })
            });
            self.areas.push(at);
        }
    }

    /// What `services.depends` says.
    fn add_declared(&mut self) {
        for one in &self.plan.policy.services.depends.0 {
            let Some(of) = self.named(&one.of.value) else { continue };
            for on in &one.on {
                if let Some(on) = self.named(&on.value) {
                    self.needed.insert(on);
                    self.depend(of, on, "services.depends");
                }
            }
        }
    }

    fn named(&mut self, name: &str) -> Option<usize> {
        let at = self.projects.iter().position(|one| one.name == name);
        if at.is_none() {
            self.unread.push(format!(
                "`services.depends` names `{name}`, which is no service, package or area here"
            ));
        }
        at
    }

    /// Whether something depends on a project by the policy.
    pub(super) fn is_needed(&self, at: usize) -> bool {
        self.needed.contains(&at)
    }

    /// The services.
    pub fn services(&self) -> impl Iterator<Item = usize> {
        let is_service = |at: &usize| self.projects[*at].kind == ProjectKind::Service;
        (0..self.projects.len()).filter(is_service)
    }

    /// The projects that a file touches, and why.
    pub(super) fn touched(&self, file: &FileChange) -> Vec<(usize, Touch)> {
        let mut found: Vec<(usize, Touch)> = Vec::new();
        let path = &file.path.0;
        each_service(&self.services, path, file.is_folder(), |at| found.push((at, Touch::Own)));
        let text = String::from_utf8_lossy(path);
        let package =
            ancestors(&text).chain([""]).find_map(|folder| Some((folder, *self.packages.get(folder)?)));
        if let Some((_, at)) = package
            && !found.iter().any(|(known, _)| *known == at)
        {
            found.push((at, Touch::Own));
        }
        let is_packaged = package.is_some_and(|(folder, _)| !folder.is_empty());
        let (exact, other) = self.plan.decide_both(path, file.is_folder());
        for owner in [exact.owner, other.and_then(|other| other.owner)].into_iter().flatten() {
            let Owner::Area(area) = owner else { continue };
            let Some(at) = self.plan.policy.areas.iter().position(|one| one.name.value == area.name.value)
            else {
                continue;
            };
            let at = self.areas[at];
            if !found.iter().any(|(known, _)| *known == at) {
                found.push((at, Touch::Own));
            }
            let is_shared = matches!(area.access.value, Access::Lock | Access::Coordinate | Access::Shared);
            // Of a package the manifests say who uses it, and of an area the policy, once it says so of one service.
            if is_shared && !is_packaged && !self.is_needed(at) {
                self.all(&mut found, &Touch::Shared(area.name.value.clone()), |_| true);
            }
        }
        for (tool, of) in TOOLS.iter().enumerate() {
            for name in of.global {
                let Some(root) = text.strip_suffix(name) else { continue };
                let Some(root) = root.strip_suffix('/').or(root.is_empty().then_some("")) else { continue };
                // Services of which no tool is known may use any of the root.
                let uses = |one: &Project| {
                    one.tools.is_empty() && root.is_empty()
                        || one.tools.iter().any(|(known, at)| *known == tool && at == root)
                };
                self.all(&mut found, &Touch::Global, uses);
            }
        }
        found
    }

    fn all(&self, found: &mut Vec<(usize, Touch)>, touch: &Touch, uses: impl Fn(&Project) -> bool) {
        for (at, project) in self.projects.iter().enumerate() {
            let is_known = found.iter().any(|(known, _)| *known == at);
            if project.kind != ProjectKind::Area && uses(project) && !is_known {
                found.push((at, touch.clone()));
            }
        }
    }
}
