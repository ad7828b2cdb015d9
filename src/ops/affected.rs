//! Which services a change touches, in the repository around the current folder.

use crate::affected::{Affected, Map, Project, Touch};
use crate::gather::{Subject, Touched, touched};
use crate::ops::Session;
use lane_core::affected::Entry;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::did_you_mean;
use lane_core::report::quote;

/// The services of a tree, and those that a change touches.
pub struct Survey<'s> {
    /// The projects.
    pub map: Map<'s>,
    /// The change.
    pub touched: Touched,
    /// What it affects.
    pub affected: Affected,
}

/// Looks at a change.
///
/// # Errors
/// The change or a manifest cannot be read.
pub fn survey<'s>(session: &'s Session, subject: &Subject) -> Result<Survey<'s>, Error> {
    let Session { repo, environment, loaded, .. } = session;
    let touched = touched(repo, environment, loaded, subject)?;
    let map = Map::read(repo, &loaded.plan, touched.tree, &touched.files)?;
    if let Some(first) = map.unread.first() {
        let more = match map.unread.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let why = format!("dependencies could not be determined: {first}{more}");
        return Err(Unavailable::new(why, "fix the file, then rerun the command").into());
    }
    let affected = map.affected(&touched.files);
    Ok(Survey { map, touched, affected })
}

impl Survey<'_> {
    /// The affected services that the change leaves, by their places in the map.
    pub fn services(&self) -> Vec<usize> {
        self.map.services().filter(|at| self.is_affected(*at) && self.project(*at).is_there).collect()
    }

    /// The affected services that have no files any more.
    pub fn removed(&self) -> Vec<usize> {
        let is_touched =
            |at: &usize| self.affected.projects.get(at).is_some_and(|because| because.touch == Touch::Own);
        self.map.services().filter(|at| is_touched(at) && !self.project(*at).is_there).collect()
    }

    /// All services that are there.
    pub fn all(&self) -> Vec<usize> {
        self.map.services().filter(|at| self.project(*at).is_there).collect()
    }

    /// The services of these names.
    ///
    /// # Errors
    /// One is not there.
    pub fn named(&self, names: &[String]) -> Result<Vec<usize>, Error> {
        let all = self.all();
        let find = |name: &String| {
            let known = || all.iter().map(|at| self.project(*at).name.as_str());
            let found = all.iter().copied().find(|at| self.project(*at).name == *name);
            found.ok_or_else(|| {
                let help = did_you_mean(name, known())
                    .unwrap_or_else(|| format!("services here: {}", known().collect::<Vec<_>>().join(", ")));
                Error::usage(format!("unknown service `{name}`"), help)
            })
        };
        let mut found = Vec::new();
        for name in names {
            let at = find(name)?;
            if !found.contains(&at) {
                found.push(at);
            }
        }
        Ok(found)
    }

    fn is_affected(&self, at: usize) -> bool {
        self.affected.projects.contains_key(&at)
    }

    /// A project.
    pub fn project(&self, at: usize) -> &Project {
        &self.map.projects[at]
    }

    /// Services as jobs.
    pub fn entries(&self, services: &[usize]) -> Vec<Entry> {
        let entry = |at: &usize| {
            let Project { name, path, .. } = self.project(*at);
            Entry { service: name.clone(), path: path.clone() }
        };
        services.iter().map(entry).collect()
    }

    /// Why a project is affected, in words.
    pub fn reason(&self, at: usize) -> String {
        let Some(because) = self.affected.projects.get(&at) else { return "not affected".to_owned() };
        let mut file = quote(&because.file.0);
        if because.files > 1 {
            file.push_str(&format!(" and {} more", because.files - 1));
        }
        let changed = match &because.touch {
            Touch::Own => file,
            Touch::Shared(area) => format!("{file} (area `{area}`, shared by all services)"),
            Touch::Global => format!("{file} (all packages are built with it)"),
        };
        match because.chain.get(1..) {
            None | Some([]) => changed,
            Some(rest) => {
                let names: Vec<&str> = rest.iter().map(|at| self.project(*at).name.as_str()).collect();
                format!("depends on {}: {changed}", names.join(", which depends on "))
            }
        }
    }
}
