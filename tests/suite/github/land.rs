//! `git lane land` with a remote that is on GitHub.

use super::server::TOKEN;
use super::stand_in::repo::{Check, Settings, State};
use super::stand_in::{StandIn, refuse_pushes};
use crate::support::ci::Job;
use crate::support::{POLICY, Ran, Worktree};

struct Stage {
    job: Job,
    stand_in: StandIn,
}

impl Stage {
    /// A branch of a2 with one commit, pushed.
    fn new(settings: Settings) -> Self {
        let policy = POLICY.replace("max_age: 3h", "max_age: null");
        let policy =
            policy.replace("remote: null", "remote: origin").replace("locks:   {", "land: {}\nlocks:   {");
        let job = Job::with_policy(&policy);
        job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
        job.push();
        let stand_in = StandIn::start();
        stand_in.add("o/n", &job.scratch.home().join("origin.git"), settings);
        Self { job, stand_in }
    }

    fn pull(&self) -> u64 {
        self.stand_in.with("o/n", |repo| repo.open_pull("feat/a2/x", "main", "a", "", false)).unwrap()
    }

    fn state(&self, number: u64) -> State {
        self.stand_in.with("o/n", |repo| repo.pulls[&number].state)
    }

    fn land(&self, args: &[&str]) -> Ran {
        self.lane(&[&["land"], args].concat())
    }

    fn lane(&self, args: &[&str]) -> Ran {
        self.lane_at(&self.job.tree, args, &[])
    }

    /// The same in another worktree, with further variables.
    fn lane_at(&self, tree: &Worktree, args: &[&str], more: &[(&str, &str)]) -> Ran {
        let address = self.stand_in.address();
        let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GH_TOKEN", TOKEN)];
        tree.lane_env(args, &[&env, more].concat())
    }

    /// What git says on the remote.
    fn at_origin(&self, args: &[&str]) -> String {
        let origin = self.job.scratch.home().join("origin.git");
        self.job.scratch.run(&origin, "git", args).ok().out
    }

    /// The tip of a branch on the remote.
    fn tip(&self, branch: &str) -> String {
        self.at_origin(&["rev-parse", branch])
    }

    /// Somebody else's commit on the base.
    fn move_base(&self) {
        let main = self.job.scratch.main();
        main.sneak("services/revenue/b.py", "y\n", "[A3] feat: b");
        main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    }
}

#[test]
fn a_landing_of_our_own_marks_the_pull_request_as_merged() {
    let stage = Stage::new(Settings::default());
    let number = stage.pull();
    stage.move_base();
    stage.land(&[]).ok().says("landed feat/a2/x on main");
    assert_eq!(stage.state(number), State::Merged);
    assert_eq!(stage.tip("feat/a2/x"), stage.tip("main"));
    // Without one, the branch stays as it is.
    stage.job.tree.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    stage.job.commit("services/rag_pipeline/c.py", "x\n", "[A2] feat: c");
    stage.job.push();
    stage.move_base_again();
    let before = stage.tip("feat/a2/y");
    stage.land(&[]).ok().says("landed feat/a2/y on main");
    assert_eq!(stage.tip("feat/a2/y"), before);
}

impl Stage {
    fn move_base_again(&self) {
        let main = self.job.scratch.main();
        main.git(&["pull", "-q", "--rebase", "origin", "main"]).ok();
        main.sneak("services/revenue/d.py", "y\n", "[A3] feat: d");
        main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    }
}

#[test]
fn the_merge_queue_is_asked_instead() {
    let stage = Stage::new(Settings { queue: Some("SQUASH".to_owned()), ..Settings::default() });
    stage.stand_in.with("o/n", |repo| repo.other_checks = Check::Pending);
    let ran = stage.land(&[]).fails(1);
    ran.says("main has a merge queue on GitHub, and `feat/a2/x` has no open pull request into it")
        .says("git lane pr --yes");
    stage.lane(&["pr", "--yes"]).ok().says("opened pull request 1");
    let number = 1;
    let page = "https://github.com/o/n/pull/1";
    for _ in 0..2 {
        let ran = stage.land(&[]).ok();
        ran.says(&format!("feat/a2/x is number 1 in GitHub's merge queue of main: {page}"));
    }
    let json = stage.land(&["--format", "json"]).ok().json();
    assert_eq!((&json["state"], &json["position"]), (&"queued".into(), &1.into()));
    assert_eq!(json["pull_request"]["url"], page);
    // None of our own beside it.
    stage.land(&["--list"]).ok().says("nothing waits to land");
    stage.stand_in.with("o/n", |repo| repo.other_checks = Check::Passed);
    assert_eq!(stage.state(number), State::Merged);
    stage.land(&[]).ok().says("feat/a2/x is merged into main");
}

#[test]
fn auto_merge_is_asked_where_checks_are_missing() {
    let settings = Settings { auto_merge: true, requires_checks: true, ..Settings::default() };
    let stage = Stage::new(settings);
    stage.stand_in.with("o/n", |repo| repo.other_checks = Check::Pending);
    let number = stage.pull();
    stage.land(&[]).ok().says("GitHub merges feat/a2/x into main when its checks pass");
    assert_eq!(stage.state(number), State::Open);
    stage.stand_in.with("o/n", |repo| repo.other_checks = Check::Passed);
    assert_eq!(stage.state(number), State::Merged);
    // What needs to wait for nothing is ours.
    stage.job.tree.git(&["fetch", "-q", "origin"]).ok();
    stage.job.tree.git(&["switch", "-q", "--no-track", "-c", "feat/a2/y", "origin/main"]).ok();
    stage.job.commit("services/rag_pipeline/c.py", "x\n", "[A2] feat: c");
    stage.land(&[]).ok().says("landed feat/a2/y on main");
}

#[test]
fn a_draft_does_not_land() {
    let stage = Stage::new(Settings::default());
    let number = stage.pull();
    stage.stand_in.with("o/n", |repo| repo.pulls.get_mut(&number).unwrap().is_draft = true);
    let before = stage.tip("main");
    let ran = stage.land(&[]).fails(1).says("feat/a2/x did not land: the pull request is a draft");
    ran.says("mark it as ready for review: https://github.com/o/n/pull/1");
    assert_eq!(stage.tip("main"), before);
}

#[test]
fn a_base_that_takes_pull_requests_alone_is_not_pushed_to() {
    let stage = Stage::new(Settings { requires_pull_request: true, ..Settings::default() });
    let origin = stage.job.scratch.home().join("origin.git");
    refuse_pushes(&origin, "main", "Changes must be made through a pull request.");
    stage.land(&[]).fails(1).says("main takes pull requests alone").says("git lane pr --yes");
    stage.lane(&["pr", "--yes"]).ok();
    let ran = stage.land(&[]).fails(1).says("main takes pull requests alone, and GitHub has no auto-merge");
    ran.says("merge it on GitHub: https://github.com/o/n/pull/1");
    stage.land(&["--list"]).ok().says("nothing waits to land");
}

#[test]
fn without_an_answer_nothing_lands() {
    let stage = Stage::new(Settings::default());
    stage.pull();
    let before = stage.tip("main");
    let address = stage.stand_in.address();
    let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n")];
    stage.job.tree.lane_env(&["land"], &env).fails(2).says("no token for ");
    let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/gone"), ("GH_TOKEN", TOKEN)];
    stage.job.tree.lane_env(&["land"], &env).fails(2).says("GitHub has nothing at");
    assert_eq!(stage.tip("main"), before);
}

#[test]
fn a_branch_that_moves_while_github_is_asked_is_looked_at_again() {
    let stage = Stage::new(Settings::default());
    stage.pull();
    let home = stage.job.scratch.home();
    // Somebody else's push comes right after the first look at the remote.
    let script = format!(
        "#!/bin/sh\nreal() {{ PATH=${{PATH#*:}} git \"$@\"; }}\ncase \" $* \" in *' ls-remote '*) ;; *) real \"$@\"; exit;; esac\n\
         real \"$@\"; code=$?\n[ -e {0}/moved ] || {{\n: >{0}/moved\nunset GIT_DIR GIT_INDEX_FILE\ncd {0}/origin.git\n\
         new=$(printf '[A2] feat: a, again\\n' | real commit-tree -p feat/a2/x 'feat/a2/x^{{tree}}')\n\
         real update-ref refs/heads/feat/a2/x $new\n}}\nexit $code\n",
        home.display()
    );
    crate::support::install::write(&home.join("bin/git"), &script);
    let path = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap());
    let ran = stage.lane_at(&stage.job.scratch.main(), &["land", "feat/a2/x"], &[("PATH", &path)]);
    assert!(home.join("moved").exists(), "{}", ran.all());
    ran.ok().says("landed feat/a2/x on main");
    assert!(stage.at_origin(&["log", "-1", "--format=%s", "main"]).contains("again"));
}
