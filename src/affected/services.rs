//! The services of a policy: those of lanes, and those that lie where `services.paths` says.

use std::collections::{BTreeMap, BTreeSet};

use super::{Project, ProjectKind};
use crate::init::Kind;
use crate::init::TrackedPath;
use lane_core::policy::model::Access;
use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::{Pattern, escape};
use lane_core::policy::{Owner, Plan};

/// The services, and the set in which the files of each are found by its place. `removed`: files that are there no more.
pub(super) fn services(
    plan: &Plan,
    files: &[TrackedPath],
    removed: &[TrackedPath],
) -> (Vec<Project>, PathSet) {
    let mut set = PathSet::new(plan.folds_case());
    let Some(template) = plan.policy.services.paths.as_ref().map(|paths| paths.value.as_str()) else {
        return (Vec::new(), set);
    };
    let mut lanes: BTreeMap<String, Option<String>> = BTreeMap::new();
    for agent in &plan.policy.agents.0 {
        for service in &agent.services {
            lanes.entry(service.value.clone()).or_insert_with(|| Some(agent.id.value.clone()));
        }
    }
    for name in unassigned(plan, template, files.iter().chain(removed)) {
        lanes.entry(name).or_insert(None);
    }
    let mut projects = Vec::new();
    for (name, lane) in lanes {
        let text = template.replace("{service}", &escape(&name));
        if let Ok(pattern) = Pattern::new(&text) {
            set.insert(&pattern, projects.len());
        }
        projects.push(Project {
            path: service_folder(template, &name),
            name,
            kind: ProjectKind::Service,
            lane,
            is_there: false,
            tools: Vec::new(),
        });
    }
    let mut folders: BTreeMap<usize, String> = BTreeMap::new();
    for file in files {
        each_service(&set, file.path.as_bytes(), file.kind != Kind::File, |at| {
            projects[at].is_there = true;
            if projects[at].path.is_empty() {
                let common = folders.entry(at).or_insert_with(|| parent(&file.path).to_owned());
                while !common.is_empty() && !file.path.starts_with(&format!("{common}/")) {
                    *common = parent(common).to_owned();
                }
            }
        });
    }
    for (at, folder) in folders {
        projects[at].path = if folder.is_empty() { ".".to_owned() } else { folder };
    }
    (projects, set)
}

/// The services that a path belongs to. `is_folder`: it is a link or a submodule, which may stand in the place of a service's
/// folder.
pub(super) fn each_service(set: &PathSet, path: &[u8], is_folder: bool, mut found: impl FnMut(usize)) {
    let mut seen = BTreeSet::new();
    set.each_match(path, is_folder, |at| {
        seen.insert(at);
    });
    if is_folder {
        set.each_match(&[path, b"/\x01"].concat(), false, |at| {
            seen.insert(at);
        });
    }
    seen.into_iter().for_each(&mut found);
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder of a service by the pattern of `services.paths`; empty where that has globs before it.
pub fn service_folder(template: &str, service: &str) -> String {
    folder(&template.replace("{service}", service))
}

/// The folder that a pattern speaks of: all of it before the first glob.
fn folder(pattern: &str) -> String {
    let names = pattern.split('/').filter(|name| !name.is_empty());
    let names: Vec<&str> = names.take_while(|name| !name.contains(['*', '?', '['])).collect();
    names.join("/")
}

/// The services that no lane has: folders where the pattern has `{service}`, with files that no area keeps from agents.
fn unassigned<'f>(
    plan: &Plan,
    template: &str,
    files: impl Iterator<Item = &'f TrackedPath>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let template = template.trim_start_matches('/');
    let Some((before, after)) = template.split_once("{service}") else { return found };
    let is_plain = !before.contains(['*', '?', '[', '\\']) && (before.is_empty() || before.ends_with('/'));
    if !is_plain || !after.starts_with('/') {
        return found;
    }
    let areas: BTreeSet<&str> = plan.policy.areas.iter().map(|area| area.name.value.as_str()).collect();
    for file in files {
        let Some((name, _)) = file.path.strip_prefix(before).and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if found.contains(name) || areas.contains(name) {
            continue;
        }
        let is_folder = file.kind != Kind::File;
        let is_open = match plan.decide(file.path.as_bytes(), is_folder).owner {
            Some(Owner::Area(area)) => {
                matches!(area.access.value, Access::Shared | Access::Open | Access::Append | Access::Owner)
            }
            Some(Owner::Lane(_)) | None => true,
        };
        let text = template.replace("{service}", &escape(name));
        let pattern = Pattern::new(&format!("/{text}"));
        if is_open
            && pattern.is_ok_and(|pattern| {
                let mut set = PathSet::new(plan.folds_case());
                set.insert(&pattern, 0);
                set.last_match(file.path.as_bytes(), is_folder).is_some()
            })
        {
            found.insert(name.to_owned());
        }
    }
    found
}
