//! The agents of a first policy: one for each worktree that is there, or numbered ones.

use std::collections::HashSet;
use std::path::{Component, Path};

use super::Survey;
use lane_core::policy::is_name;

/// An agent without its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// Its worktree, from the main one.
    pub worktree: String,
    /// The branch that it is on.
    pub branch: Option<String>,
    /// Its database schema.
    pub schema: String,
}

/// The agents of the worktrees.
pub fn of_worktrees(survey: &Survey, notes: &mut Vec<String>) -> Vec<Agent> {
    let trees = &survey.worktrees;
    let is_nested = |folder: &str| {
        let holds = |(other, _): &(String, Option<String>)| other != folder && starts_with(folder, other);
        trees.iter().any(holds)
    };
    let mut agents = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        if tree.0.contains(char::is_control) {
            let folder = super::names::sanitize_name(&tree.0);
            notes.push(format!("the worktree {folder} got no agent: a policy cannot name it"));
        } else if is_nested(&tree.0) {
            let folder = super::names::sanitize_name(&tree.0);
            notes.push(format!(
                "the worktree {folder} got no agent: it is inside another one; move it beside that one"
            ));
        } else if !is_of_agent(tree) {
            let folder = super::names::sanitize_name(&tree.0);
            notes.push(format!(
                "the worktree {folder} got no agent: neither its branch (feat/ID/…) nor its folder (wt-ID) names one"
            ));
        } else {
            agents.push(of_worktree(tree, at));
        }
    }
    unique(agents)
}

/// As many agents as this.
pub fn numbered(survey: &Survey, count: usize) -> Vec<Agent> {
    let name = survey.name.replace(char::is_control, "-");
    let agent = |n| {
        let id = format!("a{n}");
        Agent { worktree: format!("../{name}-{id}"), id, branch: None, schema: String::new() }
    };
    unique((1..=count).map(agent).collect())
}

fn starts_with(folder: &str, outer: &str) -> bool {
    let names = |path: &str| -> Vec<String> {
        let kept = Path::new(path).components().filter(|part| *part != Component::CurDir);
        kept.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    names(folder).starts_with(&names(outer))
}

/// Whether a worktree looks like an agent's: somebody may have one for a hotfix.
fn is_of_agent((folder, branch): &(String, Option<String>)) -> bool {
    let last = folder.rsplit('/').next().unwrap_or_default();
    last.starts_with("wt-")
        || branch.as_deref().is_some_and(|name| name.split('/').count() >= 3 && name.starts_with("feat/"))
}

/// An agent for a worktree: its id is in the branch, `feat/<id>/…`, or in the folder, `wt-<id>-…`.
fn of_worktree((folder, branch): &(String, Option<String>), at: usize) -> Agent {
    let words = branch.as_deref().map(|branch| branch.split('/').collect::<Vec<_>>());
    let in_branch = words.as_deref().and_then(|words| match words {
        ["feat", id, _, ..] if is_name(id) => Some(*id),
        _ => None,
    });
    let last = folder.rsplit('/').next().unwrap_or_default();
    let in_worktree = last.strip_prefix("wt-").and_then(|rest| rest.split('-').next());
    let id = in_branch.or(in_worktree).or(Some(last)).filter(|id| is_name(id));
    Agent {
        id: id.map_or_else(|| format!("a{}", at + 1), str::to_owned),
        worktree: folder.clone(),
        branch: in_branch.and(branch.clone()),
        schema: String::new(),
    }
}

/// Gives each an id and a schema of its own.
fn unique(mut agents: Vec<Agent>) -> Vec<Agent> {
    let (mut ids, mut schemas) = (HashSet::new(), HashSet::new());
    for (at, agent) in agents.iter_mut().enumerate() {
        if !ids.insert(agent.id.to_lowercase()) {
            agent.id = fresh(&format!("{}-{}", agent.id, at + 1), "-", &mut ids);
            agent.branch = None;
        }
        let id = agent.id.to_lowercase();
        let schema: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        agent.schema = fresh(&format!("agent_{schema}"), "_", &mut schemas);
    }
    agents
}

/// A text that is not among those known, which it is added to.
pub(super) fn fresh(text: &str, glue: &str, known: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|n| format!("{text}{glue}{n}"));
    let mut all = std::iter::once(text.to_owned()).chain(numbered);
    all.find(|text| known.insert(text.to_lowercase())).unwrap_or_default()
}

/// Which lane each agent is to have: one whose folder its worktree is named after, or else the next. `folders`: the last
/// names of the folders in each lane.
pub fn matched(agents: &[Agent], folders: &[Vec<&str>]) -> Vec<usize> {
    let mut lanes: Vec<Option<usize>> = vec![None; agents.len()];
    let mut free: Vec<usize> = (0..folders.len()).collect();
    for (agent, lane) in agents.iter().zip(&mut lanes) {
        let last = agent.worktree.rsplit('/').next().unwrap_or_default();
        let words = [last, agent.branch.as_deref().unwrap_or_default()];
        let mut words = words.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let named = words.find_map(|word| free.iter().position(|lane| folders[*lane].contains(&word)));
        *lane = named.map(|at| free.remove(at));
    }
    lanes.into_iter().map(|lane| lane.unwrap_or_else(|| free.remove(0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(trees: &[(&str, Option<&str>)]) -> Survey {
        let own = |(folder, branch): &(&str, Option<&str>)| ((*folder).to_owned(), branch.map(str::to_owned));
        Survey { name: "shop".into(), worktrees: trees.iter().map(own).collect(), ..Survey::default() }
    }

    #[test]
    fn ids_and_schemas_are_unique() {
        let survey = survey(&[
            ("../wt-a1-mlops", Some("feat/a1/main")),
            ("../wt-a2-genai", Some("topic")),
            ("../wt-odd name", None),
            ("../x/wt-a1-again", None),
            ("../a1-4", Some("feat/a1-4/x")),
            ("../wt-b.c", None),
            ("../wt-b_c", None),
        ]);
        let agents = of_worktrees(&survey, &mut Vec::new());
        let ids: Vec<&str> = agents.iter().map(|agent| agent.id.as_str()).collect();
        assert_eq!(ids, ["a1", "a2", "a3", "a1-4", "a1-4-5", "b.c", "b_c"]);
        let schemas: HashSet<&str> = agents.iter().map(|agent| agent.schema.as_str()).collect();
        assert_eq!(schemas.len(), 7, "{schemas:?}");
    }

    #[test]
    fn a_worktree_that_looks_like_no_agents_is_left_out() {
        let mut notes = Vec::new();
        let trees =
            [("../hotfix", Some("hotfix/1")), ("../x", Some("feat/x")), ("../y", None), ("../wt-a1", None)];
        let agents = of_worktrees(&survey(&trees), &mut notes);
        assert_eq!((agents.len(), notes.len()), (1, 3), "{notes:?}");
    }

    #[test]
    fn a_worktree_inside_another_is_left_out() {
        let mut notes = Vec::new();
        let agents = of_worktrees(
            &survey(&[("../wt-1", None), ("../wt-1/wt-3", None), ("../wt-2", None)]),
            &mut notes,
        );
        assert_eq!((agents.len(), notes.len()), (2, 1));
    }

    #[test]
    fn lanes_by_name() {
        let agents = of_worktrees(
            &survey(&[("../wt-a1-web", None), ("../wt-a2", Some("feat/a2/api"))]),
            &mut Vec::new(),
        );
        assert_eq!(matched(&agents, &[vec!["api", "x"], vec!["web"]]), [1, 0]);
        assert_eq!(matched(&numbered(&survey(&[]), 2), &[vec!["a"], vec!["b"]]), [0, 1]);
    }
}
