//! Reviews of pull requests, and the rule that wants them.

use serde_json::json;

use super::fake::{Fake, fault};
use super::server::TOKEN;
use crate::support::ci::Job;
use crate::support::{POLICY, Ran, Worktree};

/// A policy in which a1 has to approve what a2 changes in `requirements.txt`.
fn policy() -> String {
    let policy = POLICY.replace("max_age: 3h", "max_age: null");
    let policy = policy.replace("access: coordinate }", "access: open, approve: a1 }");
    let policy = policy.replace("  a1:\n", "  a1:\n    identity: { github: [mlops-bot] }\n");
    policy.replace("  a2:\n", "  a2:\n    identity: { github: [rag-bot] }\n")
}

/// What a job says of a pull request of a2 whose reviews these are.
fn judged(fake: &Fake, job: &Job, at: &Worktree, env: &[(&str, &str)]) -> Ran {
    fake.state.lock().unwrap().head = job.rev("HEAD");
    let address = fake.server.address();
    let own = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n")];
    job.on_github(at, &[], &job.payload(|_| {}), &[&own, env].concat())
}

#[test]
fn whose_review_counts() {
    let job = Job::with_policy(&policy());
    job.commit("requirements.txt", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    let fake = Fake::new(vec![]);
    {
        let mut state = fake.state.lock().unwrap();
        state.pushed = Some(("rag-bot", "2026-02-02T02:00:00Z"));
        state.pull = Some(|pull| pull["user"]["login"] = json!("rag-bot"));
    }
    let token = [("GITHUB_TOKEN", TOKEN)];
    let old = Some("ce587453ced02b1526dfb4cb910479d431683101");
    type Reviews = Vec<(&'static str, &'static str, Option<&'static str>)>;
    let cases: [(Reviews, Option<&str>); 9] = [
        (vec![], Some("is a file in the area `shared`, without the approval of a1 (MLOps)")),
        (vec![("mlops-bot", "APPROVED", None)], None),
        (vec![("alice", "APPROVED", None), ("mlops-bot", "COMMENTED", None)], None),
        (vec![("mallory", "APPROVED", None)], Some("missing-approval")),
        (vec![("rag-bot", "APPROVED", None)], Some("missing-approval")),
        (vec![("mlops-bot", "APPROVED", old)], Some("the approval of `mlops-bot` is of an earlier head")),
        (
            vec![("mlops-bot", "APPROVED", None), ("mlops-bot", "CHANGES_REQUESTED", None)],
            Some("missing-approval"),
        ),
        (vec![("mlops-bot", "DISMISSED", None)], Some("missing-approval")),
        (vec![("mlops-bot", "CHANGES_REQUESTED", None), ("mlops-bot", "APPROVED", None)], None),
    ];
    for (reviews, says) in cases {
        fake.state.lock().unwrap().reviews.clone_from(&reviews);
        let ran = judged(&fake, &job, &at, &token);
        match says {
            Some(says) => drop(ran.fails(1).says(says)),
            None => drop(ran.ok()),
        }
    }
    // What cannot be read is no approval, and no lack of one.
    judged(&fake, &job, &at, &[]).fails(2).says("the reviews of the pull request could not be read");
    let fake = Fake::new((0..9).map(|_| fault("GET", "/reviews", false, Some(403))).collect());
    judged(&fake, &job, &at, &token).fails(2).says("missing-approval");
}

#[test]
fn a_policy_without_approvals_asks_for_no_reviews() {
    let job = Job::new();
    job.commit("requirements.txt", "x\n", "[A2] feat: a\n\nCoordinated-with: a1");
    job.push();
    let (at, fake) = (job.checkout(&[]), Fake::new(vec![]));
    judged(&fake, &job, &at, &[("GITHUB_TOKEN", TOKEN)]).ok();
    assert!(!fake.server.asked().iter().any(|line| line.contains("/reviews")));
}
