//! `git lane pr` against a small GitHub.

use super::fake::{Fake, fault};
use super::server::{TOKEN, body_of};
use crate::support::ci::Job;
use crate::support::{POLICY, Ran};

struct Stage {
    job: Job,
    fake: Fake,
}

impl Stage {
    fn new(fake: Fake) -> Self {
        let policy = POLICY.replace("max_age: 3h", "max_age: null");
        let policy = policy
            .replace("locks:   {", "pull_request: { labels: [auto-merge, 'agent:{agent}'] }\nlocks:   {");
        let job = Job::with_policy(&policy);
        job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: retry @everyone");
        job.commit("services/rag_pipeline/b.py", "x\n", "[A2] fix: b");
        Self { job, fake }
    }

    fn runs(&self, args: &[&str]) -> Ran {
        let address = self.fake.server.address();
        let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GH_TOKEN", TOKEN)];
        self.job.tree.lane_env(&[&["pr"], args].concat(), &env)
    }

    fn is_pushed(&self) -> bool {
        let origin = self.job.scratch.home().join("origin.git");
        let refs = self.job.scratch.run(&origin, "git", &["for-each-ref", "refs/heads/feat"]);
        !refs.ok().out.is_empty()
    }
}

#[test]
fn opened_once_with_tag_and_labels() {
    let stage = Stage::new(Fake::new(vec![fault("POST", "/pulls", true, Some(502))]));
    let ran = stage.runs(&["--yes", "--body", "Why: it fails at night."]).ok();
    assert!(ran.out.starts_with("opened pull request "), "{}", ran.out);
    assert!(stage.is_pushed());
    let requests = stage.fake.server.requests();
    let sent =
        requests.iter().find(|r| r.method.as_str() == "POST" && r.url.path().ends_with("/pulls")).unwrap();
    let body = body_of(sent).unwrap();
    assert_eq!(body["title"], "[A2] feat: retry @everyone", "the tag is there once");
    assert_eq!((&body["head"], &body["base"]), (&"feat/a2/x".into(), &"main".into()));
    let text = body["body"].as_str().unwrap();
    assert!(text.starts_with("Why: it fails at night.\n\n### Commits\n\n- "), "{text}");
    assert!(text.contains("## ✅ git-lane: pass") && !text.contains("@everyone"), "{text}");
    assert_eq!(stage.fake.state.lock().unwrap().labels, ["auto-merge", "agent:a2"]);
    stage.runs(&["--yes"]).ok().says("already open: pull request");
    assert_eq!(stage.fake.state.lock().unwrap().pulls.len(), 1);
}

#[test]
fn nothing_is_pushed_before_all_is_well() {
    let stage = Stage::new(Fake::new(vec![]));
    stage
        .runs(&[])
        .fails(2)
        .says("this pushes and opens a pull request, but there is no terminal to confirm it")
        .says("--yes");
    let none = stage.job.tree.lane_env(&["pr", "--yes"], &[("GITHUB_REPOSITORY", "o/n")]).fails(2);
    none.says("GH_TOKEN");
    stage.job.commit("services/revenue/a.py", "x\n", "[A2] feat: foreign");
    stage
        .runs(&["--yes"])
        .fails(1)
        .says("foreign-path")
        .says("nothing was pushed, and no pull request was opened");
    assert!(!stage.is_pushed() && stage.fake.server.requests().is_empty());
    stage.job.tree.git(&["switch", "-q", "--detach"]).ok();
    stage.runs(&["--yes"]).fails(2).says("a pull request needs your own branch, but HEAD is on");
    stage.job.tree.git(&["switch", "-q", "-c", "feat/a2/empty", "main"]).ok();
    stage.runs(&["--yes"]).fails(2).says("nothing to propose");
}

#[test]
fn a_title_of_its_own_gets_the_tag() {
    let stage = Stage::new(Fake::new(vec![]));
    let ran = stage.runs(&["--yes", "--title", "feat: better", "--draft", "--format", "json"]).ok();
    assert_eq!(ran.json()["opened"], true);
    assert_eq!(stage.fake.state.lock().unwrap().pulls[0]["title"], "[A2] feat: better");
}

impl Stage {
    /// A lower branch that is on the remote, and an upper one on top of it, checked out.
    fn stacked() -> Self {
        let stage = Self::new(Fake::new(vec![]));
        let tree = &stage.job.tree;
        tree.git(&["branch", "-m", "feat/a2/lower"]).ok();
        tree.git(&["push", "-q", "origin", "HEAD"]).ok();
        tree.git(&["switch", "-q", "-c", "feat/a2/upper"]).ok();
        stage.job.commit("services/rag_pipeline/c.py", "x\n", "[A2] feat: upper");
        stage
    }

    /// What was sent to open the last pull request.
    fn sent(&self) -> serde_json::Value {
        let requests = self.fake.server.requests();
        let is_pull = |path: &str| path.ends_with("/pulls");
        let sent = requests.iter().rev().find(|r| r.method.as_str() == "POST" && is_pull(r.url.path()));
        body_of(sent.unwrap()).unwrap()
    }
}

#[test]
fn an_upper_branch_goes_into_the_one_it_stands_on() {
    let stage = Stage::stacked();
    let ran = stage.runs(&["--yes"]).ok();
    assert_eq!(stage.sent()["base"], "feat/a2/lower");
    let text = stage.sent()["body"].as_str().unwrap().to_owned();
    assert!(text.contains("Stacked on <code>feat/a2/lower</code>, which has to land first."), "{text}");
    assert_eq!(text.matches("\n- ").count(), 1, "its own commits alone: {text}");
    assert_eq!(stage.sent()["title"], "[A2] feat: upper");
    // Nobody has proposed the lower one: what it says does that.
    ran.says("has no open pull request").says("git switch feat/a2/lower");
    stage.job.tree.git(&["switch", "feat/a2/lower"]).ok();
    stage.runs(&["--yes"]).ok();
    assert_eq!(stage.sent()["base"], "main");
    let lower = stage.fake.state.lock().unwrap().pulls[1]["number"].clone();
    // A third one, on top of both.
    stage.job.tree.git(&["switch", "-q", "feat/a2/upper"]).ok();
    let ran = stage.runs(&["--yes", "--format", "json"]).ok().json();
    assert_eq!((&ran["opened"], &ran["stacked_on_pull"]), (&false.into(), &lower));
    stage.job.tree.git(&["switch", "-q", "-c", "feat/a2/top"]).ok();
    stage.job.commit("services/rag_pipeline/d.py", "x\n", "[A2] feat: top");
    let ran = stage.runs(&["--yes"]).ok();
    assert_eq!(stage.sent()["base"], "feat/a2/upper");
    ran.says("it goes into feat/a2/upper, the branch of pull request 1347, which has to land first: ");
    assert!(stage.sent()["body"].as_str().unwrap().contains("Stacked on <code>feat/a2/upper</code> (#1347)"));
}

#[test]
fn what_has_landed_is_stood_on_no_more() {
    for squash in [false, true] {
        let stage = Stage::stacked();
        let main = stage.job.scratch.main();
        let how: &[&str] = if squash { &["merge", "-q", "--squash"] } else { &["merge", "-q", "--ff-only"] };
        main.git(&[how, &["feat/a2/lower"]].concat()).ok();
        if squash {
            main.git(&["commit", "-q", "--no-verify", "-m", "[A2] feat: lower (#1)"]).ok();
        }
        main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        stage.runs(&["--yes"]).ok().does_not_say("lower");
        assert_eq!(stage.sent()["base"], "main", "{squash}");
        assert!(!stage.sent()["body"].as_str().unwrap().contains("Stacked"));
    }
    // Somebody opened it before the lower one landed: there is no second one.
    let stage = Stage::stacked();
    stage.runs(&["--yes"]).ok();
    let main = stage.job.scratch.main();
    main.git(&["merge", "-q", "--ff-only", "feat/a2/lower"]).ok();
    main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    stage.runs(&["--yes"]).ok().says("already open:").says("help: gh pr edit 1347 --base main");
    assert_eq!(stage.fake.state.lock().unwrap().pulls.len(), 1);
    // Whoever says into which gets it.
    let stage = Stage::stacked();
    stage.runs(&["--yes", "--base", "main"]).ok().does_not_say("lower");
    assert_eq!(stage.sent()["base"], "main");
}

#[test]
fn what_stands_on_an_older_edition_is_brought_onto_the_newer_one_first() {
    let stage = Stage::stacked();
    let tree = &stage.job.tree;
    tree.git(&["switch", "-q", "feat/a2/lower"]).ok();
    tree.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] fix: b, better"]).ok();
    tree.git(&["push", "-q", "-f", "--no-verify", "origin", "HEAD"]).ok();
    tree.git(&["switch", "-q", "feat/a2/upper"]).ok();
    stage
        .runs(&["--yes"])
        .fails(2)
        .says("origin/feat/a2/lower that was rewritten since")
        .says("git lane sync");
    tree.lane(&["sync"]).ok();
    stage.runs(&["--yes"]).ok();
    assert_eq!(stage.sent()["base"], "feat/a2/lower");
}

#[test]
fn a_clone_of_one_branch_knows_what_it_stands_on() {
    let stage = Stage::stacked();
    let tree = &stage.job.tree;
    tree.git(&["config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main"]).ok();
    tree.git(&["update-ref", "-d", "refs/remotes/origin/feat/a2/lower"]).ok();
    stage.runs(&["--yes"]).ok();
    assert_eq!(stage.sent()["base"], "feat/a2/lower");
}
