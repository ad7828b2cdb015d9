//! Whom the files of a folder belong to that no one owner has.

use crate::facts::RepoPath;
use crate::policy::model::{Access, Agent};
use crate::policy::{Owner, Plan};

/// What one owner has below a folder.
#[derive(Debug, Clone)]
pub struct Holding<'p> {
    /// Who has it.
    pub owner: Owner<'p>,
    /// The highest folders and files that hold nothing of another.
    pub paths: Vec<RepoPath>,
}

/// What the owners have among the files of a folder, each once, in the order of the paths. What everybody may change, and
/// what stays out of git, belongs to no agent.
pub fn holdings<'p>(plan: &'p Plan, folder: &RepoPath, files: &[RepoPath]) -> Vec<Holding<'p>> {
    let mut files: Vec<(&[u8], Option<Owner<'p>>)> =
        files.iter().map(|file| (file.0.as_slice(), owner(plan, file))).collect();
    files.sort_by_key(|(path, _)| *path);
    let mut found = Vec::new();
    collect(&files, folder.0.len() + 1, &mut found);
    found
}

fn owner<'p>(plan: &'p Plan, file: &RepoPath) -> Option<Owner<'p>> {
    plan.decide(&file.0, false).owner.filter(|owner| match owner {
        Owner::Lane(_) => true,
        Owner::Area(area) => !matches!(area.access.value, Access::Open | Access::Never),
    })
}

/// Goes through files that lie in one folder; `from`: where their names in it begin.
fn collect<'p>(files: &[(&[u8], Option<Owner<'p>>)], from: usize, found: &mut Vec<Holding<'p>>) {
    let name =
        |path: &[u8]| path.get(from..).and_then(|rest| rest.split(|b| *b == b'/').next()).map(<[u8]>::len);
    let mut rest = files;
    while let Some((first, owner)) = rest.first() {
        let end = from + name(first).unwrap_or_default();
        let is_below =
            |path: &[u8]| path.get(..end) == first.get(..end) && matches!(path.get(end), None | Some(b'/'));
        let count = rest.iter().take_while(|(path, _)| is_below(path)).count().max(1);
        let (inside, after) = rest.split_at(count);
        rest = after;
        if inside.iter().all(|(_, other)| is_same(*other, *owner)) {
            if let Some(owner) = *owner {
                add(found, owner, RepoPath(first[..end.min(first.len())].to_vec()));
            }
        } else {
            collect(inside, end + 1, found);
        }
    }
}

fn add<'p>(found: &mut Vec<Holding<'p>>, owner: Owner<'p>, path: RepoPath) {
    match found.iter_mut().find(|holding| is_same(Some(holding.owner), Some(owner))) {
        Some(holding) => holding.paths.push(path),
        None => found.push(Holding { owner, paths: vec![path] }),
    }
}

fn is_same(one: Option<Owner<'_>>, other: Option<Owner<'_>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(Owner::Lane(one)), Some(Owner::Lane(other))) => one.id.value == other.id.value,
        (Some(Owner::Area(one)), Some(Owner::Area(other))) => one.name.value == other.name.value,
        _ => false,
    }
}

impl Holding<'_> {
    /// Whose it is: `a1 (Platform)`, `area `common``.
    pub fn whose(&self) -> String {
        match self.owner {
            Owner::Lane(agent) => Agent::title(agent),
            Owner::Area(area) => format!("area `{}`", area.name.value),
        }
    }

    /// Whether it is the lane of this agent.
    pub fn is_lane_of(&self, agent: Option<&str>) -> bool {
        matches!(self.owner, Owner::Lane(lane) if Some(lane.id.value.as_str()) == agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::plan;

    fn of(folder: &str, files: &[&str]) -> String {
        let plan = plan(include_str!("../../../../policy.yaml"));
        let path = |name: &&str| RepoPath(name.as_bytes().to_vec());
        let files: Vec<_> = files.iter().map(path).collect();
        let found = holdings(&plan, &path(&folder), &files);
        let words = |holding: &Holding<'_>| {
            let paths: Vec<String> = holding.paths.iter().map(ToString::to_string).collect();
            format!("{}: {}", holding.whose(), paths.join(" "))
        };
        found.iter().map(words).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_highest_folders_that_one_owner_has_alone() {
        assert_eq!(
            of("services", &["services/revenue/a.py", "services/revenue/b/c.py"]),
            "a4 (Platform): services/revenue"
        );
        assert_eq!(
            of("services", &["services/revenue/a.py", "services/event_bus/x", "services/rag_pipeline/y"]),
            "a4 (Platform): services/event_bus services/revenue; a2 (GenAI): services/rag_pipeline"
        );
        // Files of another among them, and a name that begins like another.
        assert_eq!(
            of(
                "services",
                &[
                    "services/revenue/a.py",
                    "services/revenue/alembic/1.py",
                    "services/revenue.md",
                    "services/revenue/z/z"
                ]
            ),
            "a4 (Platform): services/revenue/a.py services/revenue/z; area `migrations`: services/revenue/alembic"
        );
        assert_eq!(of("docs", &["docs/a.md", "docs/b/c.md"]), "");
        assert_eq!(of("x", &[]), "");
    }
}
