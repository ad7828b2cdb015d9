//! The policy job as a file of the repository, from the templates that the documentation shows.

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
/// What the template calls the action, and this program's own repository.
const ACTION: &str = "OWNER/git-lane@COMMIT";
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
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

    /// By the address of the remote, then by the files that are there; `None` where neither tells.
    pub fn of(remote: Option<&str>, has: impl Fn(&str) -> bool) -> Option<Self> {
        let of_remote = [("github", Self::GitHub), ("gitlab", Self::GitLab)];
        let named = of_remote.into_iter().find(|(word, _)| remote.is_some_and(|url| url.contains(word)));
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

    /// The file. `base`: the branch that changes are merged into, as it stands in YAML.
    pub fn file(self, base: &str) -> JobFile {
        let path = self.path();
        match self {
            Self::GitHub => {
                let name = REPOSITORY.trim_start_matches("https://github.com/");
                let action = format!("{name}@v{}", env!("CARGO_PKG_VERSION"));
                let text = GITHUB
                    .replace("branches: [main]", &format!("branches: [{base}]"))
                    .replace(ACTION, if name.is_empty() { ACTION } else { &action });
                let left = "make it required: a ruleset of the base branch, with the status check `git-lane`";
                JobFile { path, text, left: vec![left.to_owned()] }
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
    fn the_remote_tells_the_host_and_else_the_files_do() {
        let of = |remote, files: &[&str]| JobHost::of(remote, |path| files.contains(&path));
        assert_eq!(of(Some("git@github.com:o/r.git"), &[".gitlab-ci.yml"]), Some(JobHost::GitHub));
        assert_eq!(of(Some("https://gitlab.example.org/o/r"), &[".github/"]), Some(JobHost::GitLab));
        assert_eq!(of(Some("/srv/r.git"), &[".gitlab-ci.yml"]), Some(JobHost::GitLab));
        assert_eq!(of(None, &[".github/"]), Some(JobHost::GitHub));
        assert_eq!(of(None, &[]), None);
    }

    #[test]
    fn a_job_is_for_the_base_and_names_a_version_that_is_this_one() {
        let file = JobHost::GitHub.file("\"release/1\"");
        assert!(file.text.contains("    branches: [\"release/1\"]\n"), "{}", file.text);
        assert!(!file.text.contains("COMMIT") && !file.text.contains("OWNER"), "{}", file.text);
        assert!(file.text.contains(concat!("/git-lane@v", env!("CARGO_PKG_VERSION"), "\n")), "{}", file.text);
    }
}
