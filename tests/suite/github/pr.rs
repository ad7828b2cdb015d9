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
    stage.runs(&["--yes"]).ok().says("there is one already: pull request");
    assert_eq!(stage.fake.state.lock().unwrap().pulls.len(), 1);
}

#[test]
fn nothing_is_pushed_before_all_is_well() {
    let stage = Stage::new(Fake::new(vec![]));
    stage.runs(&[]).fails(2).says("nobody is here to be asked").says("--yes");
    let none = stage.job.tree.lane_env(&["pr", "--yes"], &[("GITHUB_REPOSITORY", "o/n")]).fails(2);
    none.says("GH_TOKEN");
    stage.job.commit("services/revenue/a.py", "x\n", "[A2] feat: foreign");
    stage.runs(&["--yes"]).fails(1).says("foreign-path").says("no pull request opened");
    assert!(!stage.is_pushed() && stage.fake.server.requests().is_empty());
    stage.job.tree.git(&["switch", "-q", "--detach"]).ok();
    stage.runs(&["--yes"]).fails(2).says("from a branch of your own");
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
