//! The policy job as a file of the repository, from the templates that the documentation shows.

use super::names::quoted;

/// Who runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobHost {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
}

/// What is written for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFile {
    /// Where, from the root.
    pub path: &'static str,
    /// What is in it.
    pub text: String,
    /// What is left to do before the job runs; one step a line.
    pub left: Vec<String>,
}

const GITHUB: &str = include_str!("../../docs/ci/github-workflow.yml");
const GITLAB: &str = include_str!("../../docs/ci/gitlab-ci.yml");
/// What the template calls the action.
const ACTION: &str = "OWNER/git-lane@COMMIT";
/// `owner/name` of the repository that released this program, which alone knows it: a job with a token runs what is there.
const REPOSITORY: Option<&str> = option_env!("LANE_REPOSITORY");
/// The file that GitLab reads by itself, which is not ours to edit.
const GITLAB_MAIN: &str = ".gitlab-ci.yml";

impl JobHost {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
        }
    }

    /// By the host of the remote, then by the files that are there; `None` where neither tells.
    pub fn of(host: Option<&str>, has: impl Fn(&str) -> bool) -> Option<Self> {
        let of_remote = [("github", Self::GitHub), ("gitlab", Self::GitLab)];
        let is_named = |word: &str| host.is_some_and(|host| host.split('.').any(|label| label == word));
        let named = of_remote.into_iter().find(|(word, _)| is_named(word));
        let of_files = [(".github/", Self::GitHub), (GITLAB_MAIN, Self::GitLab)];
        named.or_else(|| of_files.into_iter().find(|(path, _)| has(path))).map(|(_, host)| host)
    }

    /// Where its file lies.
    pub fn path(self) -> &'static str {
        match self {
            Self::GitHub => ".github/workflows/policy.yml",
            Self::GitLab => ".gitlab/git-lane.yml",
        }
    }

    /// What an agent must not change where this job judges it.
    pub fn guarded(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["/.github/workflows/"],
            Self::GitLab => &["/.gitlab/git-lane.yml", "/.gitlab-ci.yml"],
        }
    }

    /// The file. `base`: the branch that changes are merged into.
    pub fn file(self, base: &str) -> JobFile {
        let path = self.path();
        match self {
            Self::GitHub => {
                // A filter of branches has signs of its own: they stand for themselves behind a backslash.
                let special = |c: char| "*?+[]!".contains(c);
                let filter: String =
                    base.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect();
                let mut text =
                    GITHUB.replace("branches: [main]", &format!("branches: [{}]", quoted(&filter)));
                let mut left = Vec::new();
                match REPOSITORY {
                    Some(name) => {
                        text = text.replace(ACTION, &format!("{name}@v{}", env!("CARGO_PKG_VERSION")))
                    }
                    None => left.push(format!(
                        "in {path}, put a release that you trust in the place of {ACTION}, by its commit"
                    )),
                }
                left.push(format!("on GitHub, require the status check `git-lane` in a ruleset of {base}"));
                JobFile { path, text, left }
            }
            Self::GitLab => JobFile {
                path,
                text: GITLAB.to_owned(),
                left: vec![
                    format!("add to {GITLAB_MAIN}: include: [{{ local: {path} }}]"),
                    "set the CI/CD variable LANE_IMAGE: an image with git, git-lane and a shell".to_owned(),
                ],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_the_remote_tells_and_else_the_files_do() {
        let of = |host, files: &[&str]| JobHost::of(host, |path| files.contains(&path));
        assert_eq!(of(Some("github.com"), &[".gitlab-ci.yml"]), Some(JobHost::GitHub));
        assert_eq!(of(Some("gitlab.example.org"), &[".github/"]), Some(JobHost::GitLab));
        assert_eq!(of(Some("githubber.example.org"), &[]), None);
        assert_eq!(of(None, &[".gitlab-ci.yml"]), Some(JobHost::GitLab));
        assert_eq!(of(None, &[".github/"]), Some(JobHost::GitHub));
        assert_eq!(of(None, &[]), None);
    }

    #[test]
    fn a_job_is_for_the_base_and_runs_nothing_of_strangers() {
        let file = JobHost::GitHub.file("rel+1");
        assert!(file.text.contains("    branches: [\"rel\\\\+1\"]\n"), "{}", file.text);
        // A release says whose it is; any other build leaves that to whoever commits it.
        assert_eq!(file.text.contains(ACTION), REPOSITORY.is_none(), "{}", file.text);
        assert_eq!(file.left.len(), if REPOSITORY.is_none() { 2 } else { 1 });
    }
}
