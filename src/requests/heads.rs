//! Which accepted migrations are second heads: what is held against each other is read here.

use super::log::{RequestHead, RequestLog};
use lane_core::facts::{Oid, Unavailable};
use lane_core::policy::{Owner, Plan};
use lane_core::requests::migration::{Item, SecondHead, Source, read, second_heads};
use lane_core::requests::record::RequestState;
use lane_git::{FOLDER, Repository};

/// What is larger is no migration that somebody wrote.
const LARGEST: usize = 1 << 20;
/// In a lane only what lies below folders of these names is taken for a migration.
const FOLDERS: [&str; 3] = ["alembic", "migrations", "versions"];

/// The second heads among accepted and finished requests, and `also` as if it were accepted by now.
///
/// # Errors
/// What the base or a request holds cannot be read.
pub fn find(
    log: &RequestLog<'_>,
    plan: &Plan,
    base: Option<Oid>,
    tips: &[&RequestHead],
    also: Option<&str>,
) -> Result<Vec<SecondHead>, Unavailable> {
    let mut items = Vec::new();
    for tip in tips {
        let record = &tip.record;
        let is_meant = matches!(record.state, RequestState::Accepted | RequestState::Done);
        if !is_meant && also != Some(record.id.as_str()) {
            continue;
        }
        let (Some(file), Some(content)) = (&record.file, tip.content()) else {
            continue;
        };
        let text = String::from_utf8_lossy(&log.repo().blob(content)?).into_owned();
        let group = group(record.target.area.as_deref(), record.target.lane.as_deref());
        items.extend(read(file, &text).into_iter().map(|migration| Item {
            source: Source::Request(record.id.clone()),
            group: group.clone(),
            turn: record.turn.unwrap_or(u64::MAX),
            migration,
        }));
    }
    if let (Some(base), false) = (base, items.is_empty()) {
        let groups: Vec<String> = items.iter().map(|item| item.group.clone()).collect();
        let mut walk = Walk { repo: log.repo(), plan, groups, items: &mut items };
        walk.folder(walk.repo.commit(base)?.tree, "")?;
    }
    Ok(second_heads(&items))
}

fn group(area: Option<&str>, lane: Option<&str>) -> String {
    match (area, lane) {
        (Some(area), _) => format!("area {area}"),
        (None, Some(lane)) => format!("lane {lane}"),
        (None, None) => String::new(),
    }
}

/// Looks for the migrations of some areas and lanes on the base.
struct Walk<'a> {
    repo: &'a dyn Repository,
    plan: &'a Plan,
    groups: Vec<String>,
    items: &'a mut Vec<Item>,
}

impl Walk<'_> {
    fn folder(&mut self, tree: Oid, above: &str) -> Result<(), Unavailable> {
        for entry in self.repo.tree(tree)? {
            let Ok(name) = String::from_utf8(entry.name) else {
                continue;
            };
            let path = format!("{above}{name}");
            if entry.version.mode == FOLDER {
                self.folder(entry.version.oid, &format!("{path}/"))?;
            } else if name.ends_with(".py") || name.ends_with(".sql") {
                self.file(entry.version.oid, path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, blob: Oid, path: String) -> Result<(), Unavailable> {
        let group = match self.plan.decide(path.as_bytes(), false).owner {
            Some(Owner::Area(area)) => group(Some(&area.name.value), None),
            Some(Owner::Lane(agent)) if path.split('/').any(|part| FOLDERS.contains(&part)) => {
                group(None, Some(&agent.id.value))
            }
            _ => return Ok(()),
        };
        if !self.groups.contains(&group) {
            return Ok(());
        }
        let bytes = self.repo.blob(blob)?;
        if bytes.len() > LARGEST {
            return Ok(());
        }
        let migrations = read(&path, &String::from_utf8_lossy(&bytes));
        self.items.extend(migrations.into_iter().map(|migration| Item {
            source: Source::Base(path.clone()),
            group: group.clone(),
            turn: 0,
            migration,
        }));
        Ok(())
    }
}
