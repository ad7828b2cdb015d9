//! A first policy for a repository that nobody has described yet: what can be seen in its folders and
//! worktrees, as data, and as the text of a `policy.yaml`.

use std::fmt::Write;

use crate::policy::is_name;

/// What was seen of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The repository's name.
    pub name: String,
    /// The base branch.
    pub base: String,
    /// Top-level files and folders; folders end in a slash.
    pub top: Vec<String>,
    /// For each top-level folder, the folders in it.
    pub folders: Vec<(String, Vec<String>)>,
    /// Names of folders of database migrations, found anywhere.
    pub migrations: Vec<String>,
    /// Linked worktrees: folder relative to the main one, and branch.
    pub worktrees: Vec<(String, Option<String>)>,
}

/// Folders in which teams keep one folder for each service, best first.
const SERVICE_ROOTS: [&str; 9] =
    ["services", "apps", "packages", "crates", "modules", "components", "projects", "libs", "src"];
/// Names of folders that belong to everybody.
const COMMON: [&str; 8] = ["common", "shared", "core", "lib", "libs", "util", "utils", "_common"];
/// Files and folders that affect everybody at once.
const SHARED: [&str; 16] = [
    "requirements.txt",
    "pyproject.toml",
    "package.json",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "Gemfile",
    "Makefile",
    "justfile",
    "Dockerfile",
    "docker-compose.yml",
    "helm/",
    "chart/",
    "charts/",
    "k8s/",
];
/// What only maintainers change, beside the policy itself.
const PROTECTED: [&str; 5] = [".github/", ".gitlab-ci.yml", "hooks/", ".husky/", "CODEOWNERS"];

struct AgentDraft {
    id: String,
    worktree: String,
    branch: Option<String>,
    services: Vec<String>,
}

/// The text of a policy for what was seen; `agents`: how many, instead of one for each worktree.
pub fn policy_text(survey: &Survey, agents: Option<u16>) -> String {
    let root = service_root(survey);
    let (services, common) = match root {
        Some((_, folders)) => folders.iter().cloned().partition(|name| !COMMON.contains(&name.as_str())),
        None => (Vec::new(), Vec::new()),
    };
    let drafts = drafts(survey, &services, agents);
    let root = root.map_or("services", |(name, _)| name.as_str());
    let mut out = String::new();
    let _ = write!(
        out,
        "# Who may change what in this repository. `git lane policy check` finds mistakes in this file,\n\
         # `git lane who <path>` says what it says of a path. Written by `git lane init`: make it yours.\n\
         version: 1\nbase: {}\nremote: origin\n\
         maintainers: []                   # none listed: whoever has no agent identity is one\n\
         unidentified: maintainer          # or: deny\n\n\
         services:\n  paths: {}  # where a service lives\n\nagents:\n",
        quoted(&survey.base),
        quoted(&format!("{root}/{{service}}/**"))
    );
    for (at, draft) in drafts.iter().enumerate() {
        write_agent(&mut out, draft, at);
    }
    write_areas(&mut out, survey, root, &common, &drafts);
    let _ = write!(
        out,
        "unowned: allow                    # paths that no lane and no area has: allow | warn | deny\n\n\
         branch:  {{ pattern: \"feat/{{agent}}/{{feature}}\", protected: [{}, \"release/*\"] }}\n\
         message: {{ tag: [\"[{{AGENT}}]\", \"Agent: {{agent}}\"], types: [] }}   # any one form satisfies\n\
         change:  {{ max_lines: 300, warn_at: 240, exclude: [\"*.lock\", package-lock.json, pnpm-lock.yaml, go.sum] }}\n\
         history: {{ merges: deny, max_age: 3h }}\n\
         locks:   {{ ttl: 2h }}\n\n\
         rules: {{ stale-base: warn }}       # error | warn | off, by rule; `git lane rule` lists them\n",
        quoted(&survey.base)
    );
    write_tests(&mut out, root, &drafts);
    out
}

/// The folder with most subfolders among those that usually hold services.
fn service_root(survey: &Survey) -> Option<&(String, Vec<String>)> {
    let known = |name: &str| SERVICE_ROOTS.iter().position(|root| *root == name);
    let candidates = survey.folders.iter().filter(|(name, inner)| known(name).is_some() && inner.len() > 1);
    candidates.min_by_key(|(name, _)| known(name))
}

fn drafts(survey: &Survey, services: &[String], agents: Option<u16>) -> Vec<AgentDraft> {
    let mut drafts: Vec<AgentDraft> = match agents {
        Some(count) => (1..=count).map(|n| numbered(survey, n)).collect(),
        None => survey.worktrees.iter().enumerate().map(|(at, tree)| of_worktree(tree, at)).collect(),
    };
    if drafts.is_empty() {
        let count = u16::try_from(services.len().clamp(2, 4)).unwrap_or(4);
        drafts = (1..=count).map(|n| numbered(survey, n)).collect();
    }
    let mut seen = std::collections::HashSet::new();
    for (at, draft) in drafts.iter_mut().enumerate() {
        if !seen.insert(draft.id.to_lowercase()) {
            draft.id = format!("{}-{}", draft.id, at + 1);
            draft.branch = None;
        }
    }
    let count = drafts.len();
    for (at, draft) in drafts.iter_mut().enumerate() {
        // Neighbours stay together: the first agents get one more where it does not come out even.
        let (each, more) = (services.len() / count, services.len() % count);
        let start = at * each + at.min(more);
        draft.services = services[start..start + each + usize::from(at < more)].to_vec();
    }
    drafts
}

fn numbered(survey: &Survey, n: u16) -> AgentDraft {
    AgentDraft {
        id: format!("a{n}"),
        worktree: format!("../{}-a{n}", survey.name),
        branch: None,
        services: Vec::new(),
    }
}

/// An agent for a worktree: its id is in the branch, `feat/<id>/…`, or in the folder, `wt-<id>-…`.
fn of_worktree((folder, branch): &(String, Option<String>), at: usize) -> AgentDraft {
    let words = branch.as_deref().map(|branch| branch.split('/').collect::<Vec<_>>());
    let in_branch = words.as_deref().and_then(|words| match words {
        ["feat", id, _, ..] => Some(*id),
        _ => None,
    });
    let last = folder.rsplit('/').next().unwrap_or_default();
    let in_worktree = last.strip_prefix("wt-").and_then(|rest| rest.split('-').next());
    let id = in_branch.or(in_worktree).or(Some(last)).filter(|id| is_name(id));
    AgentDraft {
        id: id.map_or_else(|| format!("a{}", at + 1), str::to_owned),
        worktree: folder.clone(),
        branch: in_branch.and(branch.clone()),
        services: Vec::new(),
    }
}

fn write_agent(out: &mut String, draft: &AgentDraft, at: usize) {
    let AgentDraft { id, worktree, branch, services } = draft;
    let services: Vec<String> = services.iter().map(|name| quoted(name)).collect();
    let branch = branch.clone().unwrap_or_else(|| format!("feat/{id}/main"));
    let schema: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let _ = write!(
        out,
        "  {}:\n    services: [{}]\n    owns: []                      # further paths of this lane\n    \
         worktree: {}\n    branch: {}\n    database: {{ schema: {} }}\n",
        quoted(id),
        services.join(", "),
        quoted(worktree),
        quoted(&branch),
        quoted(&format!("agent_{}", schema.to_lowercase()))
    );
    if let Ok(at) = u16::try_from(at)
        && let Some(first) = at.checked_mul(100).and_then(|offset| offset.checked_add(8080))
    {
        let _ = writeln!(out, "    ports: {first}-{}", first + 19);
    }
}

fn write_areas(out: &mut String, survey: &Survey, root: &str, common: &[String], drafts: &[AgentDraft]) {
    let list = |paths: Vec<String>| paths.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(", ");
    out.push_str("\n# As in CODEOWNERS, the LAST area that matches a path decides; every lane stands before the first.\nareas:\n");
    let mut area = |name: &str, paths: Vec<String>, access: &str| {
        if !paths.is_empty() {
            let _ = writeln!(out, "  - {{ name: {name}, paths: [{}], access: {access} }}", list(paths));
        }
    };
    let top = |names: &[&str]| -> Vec<String> {
        let there = names.iter().filter(|name| survey.top.iter().any(|top| top == *name));
        there.map(|name| format!("/{name}")).collect()
    };
    area("common", common.iter().map(|name| format!("{root}/{name}/**")).collect(), "lock");
    area("shared", top(&SHARED), "coordinate");
    let owner =
        drafts.first().map_or_else(String::new, |draft| format!("owner, owner: {}", quoted(&draft.id)));
    area("migrations", survey.migrations.iter().map(|name| format!("**/{name}/**")).collect(), &owner);
    let mut protected = vec!["/policy.yaml".to_owned(), "/policy.tests.yaml".to_owned()];
    protected.extend(top(&PROTECTED));
    area("policy", protected, "maintainer");
    let local = ["AGENT_FOCUS.md", ".agent.env", "*.local", ".locks/"];
    area("local", local.iter().map(|name| (*name).to_owned()).collect(), "never");
}

fn write_tests(out: &mut String, root: &str, drafts: &[AgentDraft]) {
    out.push_str("\n# Proven by `git lane policy test`.\ntests:\n");
    let owned = drafts.iter().find_map(|draft| Some((draft, draft.services.first()?)));
    if let Some((draft, service)) = owned {
        let _ = writeln!(out, "  - {}", quoted(&format!("{} may change {root}/{service}/x", draft.id)));
        if let Some(other) = drafts.iter().find(|other| other.id != draft.id) {
            let _ =
                writeln!(out, "  - {}", quoted(&format!("{} may not change {root}/{service}/x", other.id)));
        }
    }
    if let Some(draft) = drafts.first() {
        let _ = writeln!(out, "  - {}", quoted(&format!("{} may not change policy.yaml", draft.id)));
    }
}

/// A YAML scalar: plain where that is safe, else in double quotes as JSON has them.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        );
    let is_sentence = text.contains(" may ") && text.chars().all(|c| plain(c) || c == ' ');
    if is_plain || is_sentence { text.to_owned() } else { serde_json::json!(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Source, load};

    fn check(survey: &Survey, agents: Option<u16>) -> crate::policy::Plan {
        let text = policy_text(survey, agents);
        let source = Source { name: "policy.yaml".into(), text: text.clone() };
        load(source, false).unwrap_or_else(|error| panic!("{text}\n{:#?}", error.diagnostics))
    }

    fn survey(services: &[&str]) -> Survey {
        let folders = services.iter().map(|name| (*name).to_owned()).collect();
        Survey {
            name: "shop".into(),
            base: "main".into(),
            folders: vec![("docs".into(), vec!["a".into()]), ("services".into(), folders)],
            ..Survey::default()
        }
    }

    #[test]
    fn an_empty_repository_gets_a_sound_policy() {
        let plan = check(&Survey { name: "x".into(), base: "main".into(), ..Survey::default() }, None);
        assert_eq!(plan.policy.agents.0.len(), 2);
    }

    #[test]
    fn services_are_divided() {
        let plan = check(&survey(&["a", "b", "common", "no", "e f", "x*"]), Some(2));
        let services: Vec<usize> = plan.policy.agents.0.iter().map(|agent| agent.services.len()).collect();
        assert_eq!(services, [3, 2]);
        assert!(plan.decide(b"services/common/x", false).area().is_some());
        assert_eq!(plan.decide(b"services/x*/y", false).owner_ids(), ["a2"]);
    }

    #[test]
    fn many_agents() {
        assert_eq!(check(&survey(&["a", "b"]), Some(200)).policy.agents.0.len(), 200);
    }

    #[test]
    fn worktrees_become_agents() {
        let mut survey = survey(&["a", "b"]);
        survey.worktrees = vec![
            ("../wt-a1-mlops".into(), Some("feat/a1/main".into())),
            ("../wt-a2-genai".into(), Some("topic".into())),
            ("../odd name".into(), None),
            ("../x/wt-a1-again".into(), None),
        ];
        let plan = check(&survey, None);
        let ids: Vec<&str> = plan.policy.agent_ids().collect();
        assert_eq!(ids, ["a1", "a2", "a3", "a1-4"]);
    }
}
