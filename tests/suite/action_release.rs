//! What `action.yml` does before it builds: it takes a release where everything about it can be seen to be right. GitHub's own program is a stand-in.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::action::step;
use crate::support::{Ran, Scratch, Worktree};

/// Stands for `gh`: releases are folders, and whether an attestation is right is a file's to say.
const GH: &str = r#"#!/bin/sh
echo "$*" >>"$HOME/asked"
case "$1 $2 $3" in
"attestation verify --help") ;;
"attestation verify "*) [ ! -e "$HOME/forged" ] ;;
"release view "*) [ -d "$HOME/releases/$3" ] ;;
"release download "*) while [ "$1" != --dir ]; do tag=${tag:-$3}; shift; done; cp "$HOME/releases/$tag"/* "$2" ;;
*) exit 9 ;;
esac
"#;

const ARCHIVE: &str = "git-lane-x86_64-unknown-linux-musl.tar.gz";

struct Runner {
    scratch: Scratch,
    tree: Worktree,
    output: PathBuf,
}

impl Runner {
    /// A repository of the action with some tags, two of which have releases.
    fn new() -> Self {
        let scratch = Scratch::empty();
        let home = scratch.home();
        let tree = scratch.main();
        let instead = format!("[url \"file://{}/\"]\n\tinsteadOf = https://github.com/\n", home.display());
        let config = fs::read_to_string(home.join("gitconfig")).unwrap() + &instead;
        fs::write(home.join("gitconfig"), config).unwrap();
        for (message, tag) in [
            ("one", &["tag", "-a", "-m", "x", "v1.2.3"][..]),
            ("two", &["tag", "v1.2.4"]),
            ("three", &["tag", "v2.0.0"]),
        ] {
            tree.git(&["commit", "-q", "--allow-empty", "-m", message]).ok();
            tree.git(tag).ok();
        }
        tree.git(&["commit", "-q", "--allow-empty", "-m", "later"]).ok();
        scratch.run(&home, "git", &["clone", "-q", "--bare", "repo", "acme/git-lane"]).ok();
        fs::create_dir(home.join("bin")).unwrap();
        put_program(&home.join("bin/gh"), GH);
        let runner = Self { output: home.join("output"), scratch, tree };
        runner.release("v1.2.3");
        runner.release("v1.2.4");
        runner
    }

    /// A release whose program says that it is 1.2.3.
    fn release(&self, tag: &str) {
        let home = self.scratch.home();
        let (stem, folder) = (ARCHIVE.trim_end_matches(".tar.gz"), home.join("releases").join(tag));
        fs::create_dir_all(home.join(stem).join("bin")).unwrap();
        fs::create_dir_all(&folder).unwrap();
        put_program(&home.join(stem).join("bin/git-lane"), "#!/bin/sh\necho git-lane 1.2.3\n");
        self.scratch.run(&home, "tar", &["-czf", folder.join(ARCHIVE).to_str().unwrap(), stem]).ok();
        let sum = xtask::sha256(&fs::read(folder.join(ARCHIVE)).unwrap());
        fs::write(folder.join("SHA256SUMS"), format!("{sum}  {ARCHIVE}\n")).unwrap();
    }

    fn commit(&self, name: &str) -> String {
        self.tree.git(&["rev-parse", &format!("{name}^{{commit}}")]).ok().out.trim().to_owned()
    }

    fn run(&self, env: &[(&str, &str)]) -> Ran {
        fs::write(&self.output, "").unwrap();
        let path =
            format!("{}:{}", self.scratch.home().join("bin").display(), std::env::var("PATH").unwrap());
        let temporary = self.scratch.home().join("temporary");
        let own = [
            ("PATH", path.as_str()),
            ("RUNNER_OS", "Linux"),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_TEMP", temporary.to_str().unwrap()),
            ("GITHUB_OUTPUT", self.output.to_str().unwrap()),
            ("GH_TOKEN", "x"),
            ("LANE_REPOSITORY", "acme/git-lane"),
            ("LANE_SERVER", "https://github.com"),
        ];
        step(&self.tree, "Download", &[&own[..], env].concat())
    }

    fn binary(&self) -> Option<PathBuf> {
        let text = fs::read_to_string(&self.output).unwrap();
        text.trim().strip_prefix("binary=").map(PathBuf::from)
    }
}

fn put_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_tag_or_the_commit_of_a_tag_has_its_release_and_all_else_is_built() {
    let runner = Runner::new();
    let commit = runner.commit("v1.2.3");
    for named in ["v1.2.3", &commit] {
        runner
            .run(&[("LANE_REF", named)])
            .ok()
            .says("git-lane 1.2.3: checksum, attestation and version are right");
        assert!(runner.binary().unwrap().ends_with(ARCHIVE.replace(".tar.gz", "/bin/git-lane")));
        let asked = fs::read_to_string(runner.scratch.home().join("asked")).unwrap();
        let wanted = format!(
            "attestation verify {ARCHIVE} --repo acme/git-lane --signer-workflow acme/git-lane/.github/workflows/release.yml \
             --source-ref refs/tags/v1.2.3 --source-digest {commit}\n"
        );
        assert!(asked.contains(&wanted), "{asked}");
    }
    let (later, unreleased) = (runner.commit("main"), runner.commit("v2.0.0"));
    for (env, says) in [
        (vec![("LANE_REF", "main")], "main has no release".to_owned()),
        (vec![("LANE_REF", later.as_str())], format!("{later} has no release")),
        (vec![("LANE_REF", &commit[..12])], format!("{} has no release", &commit[..12])),
        (vec![("LANE_REF", unreleased.as_str())], "the tag v2.0.0 has no release".to_owned()),
        (
            vec![("LANE_REF", ""), ("LANE_REPOSITORY", "")],
            "this action is a folder of the checkout".to_owned(),
        ),
        (
            vec![("LANE_REF", "v1.2.3"), ("LANE_SERVER", "https://git.example.org")],
            "there are no attestations on".to_owned(),
        ),
        (vec![("LANE_REF", "v1.2.3"), ("GH_TOKEN", "")], "attestations cannot be checked here".to_owned()),
        (
            vec![("LANE_REF", "v1.2.3"), ("RUNNER_ARCH", "RISCV")],
            "there is no release for Linux on RISCV".to_owned(),
        ),
    ] {
        runner.run(&env).ok().says(&format!("git-lane is built from its sources: {says}"));
        assert_eq!(runner.binary(), None, "{env:?}");
    }
}

#[test]
fn a_release_that_does_not_fit_is_an_error_and_nothing_else_is_taken() {
    let runner = Runner::new();
    let refused = |env: &[(&str, &str)], says: &str| {
        runner.run(env).fails(2).says(&format!("::error::git-lane: {says}"));
        assert_eq!(runner.binary(), None, "{says}");
    };
    let at = [("LANE_REF", "v1.2.3")];
    refused(&[("LANE_REF", "v1.2.4")], &format!("{ARCHIVE} of v1.2.4 says it is git-lane 1.2.3"));
    refused(&[at[0], ("LANE_REPOSITORY", "acme/other")], "acme/other could not be asked for its tags");
    let home = runner.scratch.home();
    fs::write(home.join("forged"), "").unwrap();
    refused(&at, &format!("{ARCHIVE} of v1.2.3 was not built from"));
    fs::remove_file(home.join("forged")).unwrap();
    let sums = home.join("releases/v1.2.3/SHA256SUMS");
    for (text, found) in
        [(format!("{}  {ARCHIVE}\n", "0".repeat(64)), "0".repeat(64)), (String::new(), "there".to_owned())]
    {
        fs::write(&sums, text).unwrap();
        runner
            .run(&at)
            .fails(2)
            .says(&format!("the checksum of {ARCHIVE} of v1.2.3 is "))
            .says(&format!("not {found}"));
    }
    fs::remove_file(&sums).unwrap();
    fs::remove_dir_all(home.join("temporary")).unwrap();
    assert_ne!(runner.run(&at).code, 0);
    assert_eq!(runner.binary(), None);
}

/// What pre-commit and prek start, as they start it.
#[test]
fn the_hooks_for_frameworks_judge() {
    let hooks: serde_json::Value =
        serde_yaml::from_str(include_str!("../../.pre-commit-hooks.yaml")).unwrap();
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let bin = Path::new(crate::support::LANE).parent().unwrap().display().to_string();
    let message = scratch.home().join("message");
    let run = |id: &str, args: &str, env: &[(&str, &str)]| {
        let hook = hooks.as_array().unwrap().iter().find(|hook| hook["id"] == id).unwrap();
        assert_eq!((&hook["language"], &hook["always_run"]), (&"system".into(), &true.into()), "{id}");
        let line = format!("{} {args}", hook["entry"].as_str().unwrap());
        let mut command = tree.command("sh");
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
        command.args(["-c", &line]).env("PATH", path).env("AGENT_ID", "a2").envs(env.iter().copied());
        Ran::from(command.output().unwrap())
    };
    tree.write("services/revenue/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    run("git-lane", "", &[]).fails(1).says("foreign-path");
    let file = message.to_str().unwrap();
    fs::write(&message, "[A4] feat: a\n").unwrap();
    run("git-lane-message", file, &[]).fails(1).says("untagged-message");
    fs::write(&message, "feat: a\n").unwrap();
    run("git-lane-tag", file, &[]).ok();
    assert_eq!(fs::read_to_string(&message).unwrap().lines().next(), Some("[A2] feat: a"));
    run("git-lane-message", file, &[]).ok();
    run("git-lane-merge", "", &[]).fails(1).says("foreign-path");
    tree.git(&["commit", "-q", "-m", "[A2] feat: a"]).ok();
    let head = tree.head();
    let pushed = [
        ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/feat/a2/x"),
        ("PRE_COMMIT_TO_REF", head.as_str()),
        ("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/feat/a2/x"),
        ("PRE_COMMIT_REMOTE_NAME", "origin"),
        ("PRE_COMMIT_REMOTE_URL", "../origin.git"),
    ];
    run("git-lane-push", "", &pushed).fails(1).says("foreign-path");
    // What the framework does not tell is no pass.
    run("git-lane-push", "", &[]).fails(2);
}

/// The component has the job of the template, with the image of this version.
#[test]
fn the_component_for_gitlab_is_the_job_of_the_template() {
    let text = include_str!("../../templates/git-lane.yml");
    let (inputs, job) = text.split_once("\n---\n").unwrap();
    let inputs: serde_json::Value = serde_yaml::from_str(inputs).unwrap();
    let inputs = &inputs["spec"]["inputs"];
    let image = format!("ghcr.io/git-lane/git-lane:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(inputs["image"]["default"], image.as_str());
    for text in [include_str!("../../docs/install.md"), include_str!("../../docs/ci/gitlab-ci.yml")] {
        assert!(text.contains(&image), "{text}");
    }
    let mut filled = job.to_owned();
    for (name, input) in inputs.as_object().unwrap() {
        filled = filled.replace(&format!("$[[ inputs.{name} ]]"), input["default"].as_str().unwrap());
    }
    let job: serde_json::Value = serde_yaml::from_str(&filled).unwrap();
    let template: serde_json::Value =
        serde_yaml::from_str(include_str!("../../docs/ci/gitlab-ci.yml")).unwrap();
    for key in ["stage", "rules", "variables", "script", "artifacts"] {
        assert_eq!(job["git-lane"][key], template["git-lane"][key], "{key}");
    }
}
