//! What two policies say differently: in meaning, not in text.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Plan;
use super::model::{Access, Level};
use super::plan::Owner;
use crate::facts::RepoPath;
use crate::rules::RULES;

/// From how many files of one folder on they are counted instead of listed.
const MANY: usize = 4;

/// What is different.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "git-lane policy diff")]
pub struct Difference {
    /// Version of this format; 1. Keys are only ever added.
    pub schema: u32,
    /// The policy before.
    pub old: String,
    /// And after.
    pub new: String,
    /// How many files of the tree have another owner or access.
    pub files: usize,
    /// How many files were looked at.
    pub of: usize,
    /// Those files, by folder.
    pub paths: Vec<PathChange>,
    /// Agents that are new.
    pub agents_added: Vec<String>,
    /// Agents that are gone.
    pub agents_removed: Vec<String>,
    /// Rules whose level is another.
    pub rules: Vec<LevelChange>,
    /// Everything else that has another value.
    pub settings: Vec<SettingChange>,
}

/// Files that go from one owner to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathChange {
    /// A file, or a folder with a slash at its end.
    pub path: String,
    /// How many files it is.
    pub files: usize,
    /// How many files the folder has.
    pub of: usize,
    /// Who could change them.
    pub before: String,
    /// Who can.
    pub after: String,
}

/// A rule with another level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LevelChange {
    /// The rule.
    pub rule: &'static str,
    /// Its level before.
    pub before: Level,
    /// And after.
    pub after: Level,
}

/// A value of the policy that is another one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SettingChange {
    /// Where it stands: `change.max_lines`.
    pub key: String,
    /// Its value before; null where it had none.
    pub before: Value,
    /// And after.
    pub after: Value,
}

impl Difference {
    /// What `new` says differently from `old`, on these files: with each, whether it is a link or a submodule.
    pub fn between(old: &Plan, new: &Plan, files: &[(Vec<u8>, bool)]) -> Self {
        let mut known: Vec<&(Vec<u8>, bool)> = files.iter().collect();
        known.sort();
        known.dedup_by(|a, b| a.0 == b.0);
        let changes: Vec<Option<(String, String)>> = known
            .iter()
            .map(|(path, is_folder)| {
                let (before, after) = (access(old, path, *is_folder), access(new, path, *is_folder));
                (before != after).then_some((before, after))
            })
            .collect();
        let ids = |plan: &Plan, other: &Plan| -> Vec<String> {
            let ids = plan.policy.agent_ids().filter(|id| other.policy.agent(id).is_none());
            ids.map(str::to_owned).collect()
        };
        let paths: Vec<&[u8]> = known.iter().map(|(path, _)| path.as_slice()).collect();
        Self {
            schema: 1,
            old: old.source.name.clone(),
            new: new.source.name.clone(),
            files: changes.iter().flatten().count(),
            of: known.len(),
            paths: by_folder(&paths, &changes),
            agents_added: ids(new, old),
            agents_removed: ids(old, new),
            rules: levels(old, new),
            settings: settings(old, new),
        }
    }

    /// The JSON Schema of it.
    pub fn json_schema() -> Value {
        schemars::schema_for!(Difference).to_value()
    }

    /// Whether both say the same.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
            && self.agents_added.is_empty()
            && self.agents_removed.is_empty()
            && self.rules.is_empty()
            && self.settings.is_empty()
    }
}

/// Who may change a path, in the words of the policy.
fn access(plan: &Plan, path: &[u8], is_folder: bool) -> String {
    let decision = plan.decide(path, is_folder);
    match decision.owner {
        Some(Owner::Lane(agent)) => agent.id.value.clone(),
        Some(Owner::Area(area)) => match area.access.value {
            Access::Owner => decision.owner_ids().join(", "),
            Access::Lock => format!("lock `{}`", area.name.value),
            other => word(&other),
        },
        None => format!("unowned: {}", word(&plan.policy.unowned.value)),
    }
}

fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The folders above a path, the root first; each with its slash.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).map(|end| &path[..end])
}

/// A file or folder, and from whom to whom it goes.
type Move<'a> = (&'a [u8], &'a (String, String));

fn by_folder(paths: &[&[u8]], changes: &[Option<(String, String)>]) -> Vec<PathChange> {
    let mut totals: FxHashMap<&[u8], usize> = FxHashMap::default();
    let mut same: FxHashMap<Move<'_>, usize> = FxHashMap::default();
    for (path, change) in paths.iter().zip(changes) {
        for folder in folders(path) {
            *totals.entry(folder).or_default() += 1;
            if let Some(change) = change {
                *same.entry((folder, change)).or_default() += 1;
            }
        }
    }
    let mut found: BTreeMap<Move<'_>, (usize, usize)> = BTreeMap::new();
    for (path, change) in paths.iter().zip(changes) {
        let Some(change) = change else { continue };
        let whole = folders(path).find(|folder| totals[folder] == same[&(*folder, change)]);
        let parent = folders(path).last().unwrap_or_default();
        let (place, of) = match whole {
            Some(folder) => (folder, totals[folder]),
            None if same[&(parent, change)] >= MANY => (parent, totals[parent]),
            None => (*path, 1),
        };
        found.entry((place, change)).or_insert((0, of)).0 += 1;
    }
    let shown = |((path, (before, after)), (files, of)): (Move<'_>, (usize, usize))| {
        let path = if path.is_empty() { b"./" } else { path };
        let path = RepoPath(path.to_vec()).to_string();
        PathChange { path, files, of, before: before.clone(), after: after.clone() }
    };
    found.into_iter().map(shown).collect()
}

fn levels(old: &Plan, new: &Plan) -> Vec<LevelChange> {
    let levels = RULES.iter().map(|rule| LevelChange {
        rule: rule.id,
        before: rule.level_in(old),
        after: rule.level_in(new),
    });
    levels.filter(|level| level.before != level.after).collect()
}

/// Every value that is another one; those of agents that only one of the two has are not listed.
fn settings(old: &Plan, new: &Plan) -> Vec<SettingChange> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    flatten(&value(old), String::new(), &mut before);
    flatten(&value(new), String::new(), &mut after);
    let is_of_one = |key: &str| {
        let id = key.strip_prefix("agents.").and_then(|rest| rest.split('.').next());
        id.is_some_and(|id| old.policy.agent(id).is_none() || new.policy.agent(id).is_none())
    };
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let changes = keys.into_iter().filter(|key| !key.starts_with("rules.") && !is_of_one(key)).map(|key| {
        let of = |all: &BTreeMap<String, Value>| all.get(key).cloned().unwrap_or_default();
        SettingChange { key: key.clone(), before: of(&before), after: of(&after) }
    });
    changes.filter(|change| change.before != change.after).collect()
}

fn value(plan: &Plan) -> Value {
    serde_json::to_value(&plan.policy).unwrap_or_default()
}

/// The key by which an entry of a list is known.
fn name_key(item: &Value) -> Option<&'static str> {
    ["name", "id"].into_iter().find(|key| item[key].is_string())
}

/// The values below a value, by the words that lead to them. What has a name in a list is found by it.
fn flatten(value: &Value, key: String, into: &mut BTreeMap<String, Value>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| flatten(value, below(name), into)),
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| name_key(item).is_some()) => {
            for item in items {
                let (Value::Object(map), Some(name)) = (item, name_key(item)) else { continue };
                let mut map = map.clone();
                let name = map.remove(name).and_then(|name| name.as_str().map(str::to_owned));
                flatten(&Value::Object(map), below(&name.unwrap_or_default()), into);
            }
        }
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        value => drop(into.insert(key, value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::plan;

    const OLD: &str = "version: 1
services: { paths: 'services/{service}/**' }
agents:
  a1: { services: [x, y] }
  a2: { owns: ['lib/**'] }
areas:
  - { name: common, paths: ['common/**'], access: lock }
change: { max_lines: 300 }
";

    fn between(new: &str) -> Difference {
        let files = [
            "services/x/a",
            "services/x/b/c",
            "services/y/a",
            "lib/a",
            "lib/b",
            "lib/c",
            "lib/d",
            "lib/e",
            "common/a",
            "README.md",
        ];
        let files: Vec<(Vec<u8>, bool)> =
            files.iter().map(|file| (file.as_bytes().to_vec(), false)).collect();
        Difference::between(&plan(OLD), &plan(new), &files)
    }

    fn paths(difference: &Difference) -> Vec<String> {
        let row = |row: &PathChange| {
            format!("{} {}/{}: {} -> {}", row.path, row.files, row.of, row.before, row.after)
        };
        difference.paths.iter().map(row).collect()
    }

    #[test]
    fn text_without_meaning_is_no_difference() {
        let same = "# a comment\nversion: 1\nmode: enforce\nagents:\n  a2: { owns: [\"lib/**\"] }\n  a1: { services: [x, y] }\n\
                    services: { paths: 'services/{service}/**' }\nchange: { max_lines: 300, exclude: [] }\n\
                    areas:\n  - name: common\n    access: lock\n    paths: ['common/**']\nrules: { foreign-path: error }\n";
        let found = between(same);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!((found.of, found.files), (10, 0));
    }

    #[test]
    fn files_are_told_by_the_largest_folder_that_changes_as_one() {
        let new = OLD
            .replace("services: [x, y]", "services: [y]")
            .replace("a2: { owns: ['lib/**'] }", "a2: { services: [x], owns: ['lib/**'] }");
        assert_eq!(paths(&between(&new)), ["services/x/ 2/2: a1 -> a2"]);
        let new = OLD.replace("lib/**'", "lib/e'");
        assert_eq!(paths(&between(&new)), ["lib/ 4/5: a2 -> unowned: allow"]);
        let new = OLD.replace("lib/**'", "lib/[!a]'");
        assert_eq!(paths(&between(&new)), ["lib/a 1/1: a2 -> unowned: allow"]);
        let new = OLD.replace("access: lock", "access: coordinate");
        assert_eq!(paths(&between(&new)), ["common/ 1/1: lock `common` -> coordinate"]);
        let new = OLD.replace("change:", "unowned: deny\nchange:");
        assert_eq!(paths(&between(&new)), ["README.md 1/1: unowned: allow -> unowned: deny"]);
    }

    #[test]
    fn agents_levels_and_values() {
        let new =
            OLD.replace("  a2: { owns: ['lib/**'] }", "  a3: { owns: ['lib/**'] }").replace("300", "200")
                + "mode: observe\nrules: { foreign-path: observe }\n";
        let found = between(&new);
        assert_eq!(
            (found.agents_added, found.agents_removed),
            (vec!["a3".to_owned()], vec!["a2".to_owned()])
        );
        let level = LevelChange { rule: "foreign-path", before: Level::Error, after: Level::Observe };
        assert_eq!(found.rules, [level]);
        let settings: Vec<String> =
            found.settings.iter().map(|it| format!("{} {} {}", it.key, it.before, it.after)).collect();
        assert_eq!(settings, ["change.max_lines 300 200", "mode \"enforce\" \"observe\""]);
    }
}
