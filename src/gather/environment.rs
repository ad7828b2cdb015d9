//! What the process was given: read once, then plain data.

use std::path::PathBuf;

use lane_core::facts::{Oid, Pusher};
use lane_core::harness::HARNESSES;
use lane_core::policy::Plan;

/// The environment of a hook or a command.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `AGENT_ID`, unless it is empty.
    pub agent_id: Option<String>,
    /// `GIT_INDEX_FILE`: the index that is being committed (`index.lock` under `commit -a`,
    /// `next-index-PID.lock` under `commit PATH`).
    pub index_file: Option<PathBuf>,
    /// git said that no editor will be opened (`GIT_EDITOR=:`), so comments in the message stay.
    pub no_editor: bool,
    /// `GIT_AUTHOR_NAME` and `GIT_AUTHOR_EMAIL`, where both are there.
    pub author: Option<(String, String)>,
    /// `GIT_COMMITTER_EMAIL`, unless it is empty.
    pub committer_email: Option<String>,
    /// `GIT_PREFIX`: the folder below the worktree's root in which git was started.
    pub prefix: Option<PathBuf>,
    /// What `git -c key=value` and `GIT_CONFIG_COUNT` set, which only the environment tells; the last one counts.
    pub config: Vec<(String, String)>,
    /// The account that pushes, where a host of repositories started the hook.
    pub pusher: Option<Pusher>,
    /// Branches that the remote was found to have, by their short names, where no ref here tells of them.
    pub remote_branches: Vec<(String, Oid)>,
    /// Which variables are not empty.
    pub set: VariableNames,
    /// The variable of the harness that has started this, where its own hook has.
    pub asking: Option<&'static str>,
    /// Whether somebody wants to know what each part of a verdict takes.
    pub timings: bool,
    /// Seconds since the epoch.
    pub now: i64,
}

/// The names of the variables that are set to something.
#[derive(Debug, Clone)]
pub enum VariableNames {
    /// Those of this process, looked up when they are asked for.
    OfProcess,
    /// These.
    Names(Vec<String>),
}

impl Default for VariableNames {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

impl VariableNames {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::OfProcess => std::env::var_os(name).is_some_and(|value| !value.is_empty()),
            Self::Names(names) => names.iter().any(|set| set == name),
        }
    }
}

/// Where hosts say who pushes: Gitea and Forgejo; GitLab, by name or (deploy keys) by id; gitolite; a web
/// server in front of git-http-backend(1).
const PUSHERS: [&str; 5] = ["GITEA_PUSHER_NAME", "GL_USERNAME", "GL_USER", "GL_ID", "REMOTE_USER"];

impl Environment {
    /// The last value that the environment gives a configuration key.
    pub fn config(&self, key: &str) -> Option<&str> {
        let said = self.config.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key));
        said.map(|(_, value)| value.as_str())
    }

    /// Reads this process's environment and clock.
    pub fn of_process() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        Self {
            agent_id: text("AGENT_ID").map(|id| id.trim().to_owned()),
            index_file: std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from),
            no_editor: text("GIT_EDITOR").as_deref() == Some(":"),
            author: text("GIT_AUTHOR_NAME").zip(text("GIT_AUTHOR_EMAIL")),
            committer_email: text("GIT_COMMITTER_EMAIL"),
            prefix: std::env::var_os("GIT_PREFIX").map(PathBuf::from),
            config: [
                config_pairs(&|name| std::env::var(name).ok()),
                config_parameters(&text("GIT_CONFIG_PARAMETERS").unwrap_or_default()),
            ]
            .concat(),
            pusher: PUSHERS
                .into_iter()
                .find_map(|source| Some(Pusher { source, name: text(source)?.trim().to_owned() })),
            remote_branches: Vec::new(),
            set: VariableNames::OfProcess,
            asking: None,
            timings: text("LANE_TIMINGS").is_some_and(|value| value != "0"),
            now: jiff::Timestamp::now().as_second(),
        }
    }

    /// Whether a variable says that the harness of any coding agent has started this process, whatever a policy says.
    pub fn is_of_agent() -> bool {
        let mut names = HARNESSES.iter().flat_map(|harness| harness.variables);
        names.any(|name| VariableNames::OfProcess.has(name))
    }

    /// The variable that says that the harness of a coding agent is at work. A policy adds some, and takes others out
    /// of account by a `!`.
    pub fn harness(&self, plan: &Plan) -> Option<String> {
        let told = &plan.policy.identity.harness;
        let is_out = |name: &str| told.iter().any(|told| told.value.strip_prefix('!') == Some(name));
        let known =
            HARNESSES.iter().flat_map(|harness| harness.variables).copied().filter(|name| !is_out(name));
        let mut names = known.chain(told.iter().map(|told| told.value.as_str()));
        names.find(|name| self.set.has(name)).or(self.asking).map(str::to_owned)
    }
}

/// The commits that a merge under way brings in, before MERGE_HEAD is written (`GITHEAD_<oid>`).
pub(super) fn merging() -> Vec<Oid> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter_map(|name| Oid::from_hex(name.to_str()?.strip_prefix("GITHEAD_")?)).collect()
}

/// `GIT_CONFIG_KEY_<n>` and `GIT_CONFIG_VALUE_<n>`: git-config(1).
fn config_pairs(variable: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let count = variable("GIT_CONFIG_COUNT").and_then(|count| count.trim().parse::<u16>().ok()).unwrap_or(0);
    let pair =
        |n| Some((variable(&format!("GIT_CONFIG_KEY_{n}"))?, variable(&format!("GIT_CONFIG_VALUE_{n}"))?));
    (0..count).filter_map(pair).collect()
}

/// `'key'='value' 'key'='value'`, or, before git 2.31, `'key=value'`: words quoted for a shell.
fn config_parameters(text: &str) -> Vec<(String, String)> {
    let mut words: Vec<String> = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let word = words.last_mut();
        match (c, word) {
            ('\'', _) => is_quoted = !is_quoted,
            ('\\', Some(word)) if !is_quoted => word.extend(chars.next()),
            (' ', _) if !is_quoted => words.push(String::new()),
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Environment, VariableNames, config_pairs, config_parameters};
    use crate::testing::plan;

    #[test]
    fn harnesses() {
        let found = |policy: &str, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Environment { set: VariableNames::Names(names), ..Environment::default() }.harness(&plan(policy))
        };
        assert_eq!(found("version: 1", &["HOME", "CLAUDECODE"]).as_deref(), Some("CLAUDECODE"));
        assert_eq!(found("version: 1", &["HOME", "MY_AGENT"]), None);
        let policy = "{version: 1, identity: {harness: [MY_AGENT, '!CURSOR_TRACE_ID']}}";
        assert_eq!(found(policy, &["MY_AGENT"]).as_deref(), Some("MY_AGENT"));
        assert_eq!(found(policy, &["CURSOR_TRACE_ID"]), None);
    }

    #[test]
    fn parameters() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            config_parameters("'a.b'='x y' 'c.d=it'\\''s'"),
            [pair("a.b", "x y"), pair("c.d", "it's")]
        );
        assert!(config_parameters("").is_empty());
    }

    #[test]
    fn pairs() {
        let variables = [("GIT_CONFIG_COUNT", "2"), ("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "x")];
        let variable =
            |name: &str| variables.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
        assert_eq!(config_pairs(&variable), [("a.b".to_owned(), "x".to_owned())]);
        assert!(config_pairs(&|_| None).is_empty());
    }
}
