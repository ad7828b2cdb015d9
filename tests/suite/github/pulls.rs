//! Pull requests, labels, permissions, pushes.

use lane_github::{Error, NewPull, Permission, PushKind, RepositoryName};
use serde_json::{Value, json};

use super::description::example;
use super::fake::{Fake, fault};
use super::server::{Server, json_of, status};

const NEW: NewPull<'static> =
    NewPull { title: "[A1] X", head: "feat/a1/x", base: "main", body: "Why.", is_draft: true };

fn pull() -> Value {
    example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}")
}

#[test]
fn forks_bots_and_ghosts() {
    let mut own = pull();
    own["draft"] = json!(true);
    own["body"] = json!(null);
    let mut fork = pull();
    fork["head"]["repo"]["full_name"] = json!("stranger/Hello-World");
    fork["user"] = json!({ "login": "dependabot[bot]", "type": "Bot" });
    let mut orphan = pull();
    orphan["head"]["repo"] = json!(null);
    orphan["user"] = json!(null);
    orphan["state"] = json!("closed");
    let server = Server::with([own, fork, orphan].map(|pull| json_of(200, pull)));
    let github = server.github();
    let [own, fork, orphan] = [1, 2, 3].map(|number| github.pull_request(number).unwrap());
    assert!(own.is_draft && own.is_open && !own.is_fork && !own.author_is_bot);
    assert_eq!((own.author.as_str(), own.body.as_str()), ("octocat", ""));
    assert!(fork.is_fork && fork.author_is_bot);
    assert_eq!(fork.head_repository.as_deref(), Some("stranger/Hello-World"));
    assert!(orphan.is_fork && !orphan.is_open && orphan.head_repository.is_none());
    assert_eq!(orphan.author, "ghost");
}

#[test]
fn a_pull_request_is_opened_once() {
    for is_done in [true, false] {
        for status in [Some(502), None] {
            let fake = Fake::new(vec![fault("POST", "pulls", is_done, status)]);
            let pull = fake.server.github().create_pull(&NEW).unwrap();
            assert_eq!((pull.title.as_str(), pull.head_ref.as_str()), ("[A1] X", "feat/a1/x"));
            assert_eq!(fake.state.lock().unwrap().pulls.len(), 1);
            assert_eq!(fake.count("POST"), 1 + usize::from(!is_done));
            let asked = fake.server.asked();
            assert_eq!(asked[1], "GET /repos/o/n/pulls?state=open&head=o%3Afeat%2Fa1%2Fx&per_page=100");
        }
    }
}

#[test]
fn a_late_effect_of_the_first_try_is_met_by_the_second() {
    let fake = Fake::new(vec![fault("POST", "pulls", false, None)]);
    // It takes effect after we looked, before it is sent again.
    fake.state.lock().unwrap().meanwhile = Some(|state| {
        state.meanwhile = Some(|state| {
            state.meanwhile = Some(|state| {
                let mut late = example("GET", "/repos/{owner}/{repo}/pulls")[0].clone();
                late["head"]["ref"] = json!("feat/a1/x");
                late["base"]["ref"] = json!("main");
                state.pulls.push(late);
            });
        });
    });
    assert_eq!(fake.server.github().create_pull(&NEW).unwrap().head_ref, "feat/a1/x");
    assert_eq!(fake.state.lock().unwrap().pulls.len(), 1);
    assert_eq!(fake.count("POST"), 2);
}

#[test]
fn a_refusal_is_told_in_githubs_words() {
    let fake = Fake::new(vec![]);
    let github = fake.server.github();
    github.create_pull(&NEW).unwrap();
    let error = github.create_pull(&NEW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GitHub answered 422 to POST /repos/o/n/pulls: Validation Failed; \
         A pull request already exists for o:feat/a1/x."
    );
    assert_eq!(github.pull_requests_for("feat/a1/x", "o").unwrap().len(), 1);
    assert_eq!(github.pull_requests_for("feat/a1/y", "o").unwrap(), []);
}

#[test]
fn labels_are_made_once_and_given_as_often_as_need_be() {
    for is_done in [true, false] {
        let fake = Fake::new(vec![
            fault("POST", "/o/n/labels", is_done, None),
            fault("POST", "issues/7/labels", true, None),
        ]);
        let github = fake.server.github();
        github.ensure_label("agent: a1", "0e8a16", &"x".repeat(200)).unwrap();
        github.ensure_label("agent: a1", "0e8a16", "").unwrap();
        github.add_labels(7, &["agent: a1"]).unwrap();
        github.add_labels(7, &[]).unwrap();
        assert_eq!(fake.state.lock().unwrap().labels, ["agent: a1"]);
        assert!(fake.server.asked()[0].ends_with("/labels/agent:%20a1"), "{:?}", fake.server.asked());
        assert_eq!(fake.server.asked().iter().filter(|line| line.contains("issues/7")).count(), 2);
    }
}

#[test]
fn label_events() {
    let event = |kind: &str, label: Value, actor: Value| json!({ "id": 1, "event": kind, "label": label, "actor": actor, "created_at": "2026-02-02T02:40:01Z" });
    let server = Server::with([json_of(
        200,
        json!([
            event(
                "labeled",
                json!({ "name": "override", "color": "red" }),
                json!({ "login": "alice", "type": "User" })
            ),
            event("renamed", json!(null), json!({ "login": "alice" })),
            event("unlabeled", json!({ "name": "override", "color": null }), json!(null)),
        ]),
    )]);
    let events = server.github().label_events(7).unwrap().events;
    let told: Vec<_> =
        events.iter().map(|e| (e.label.as_str(), e.is_added, e.actor.as_str(), e.at)).collect();
    assert_eq!(
        told,
        [("override", true, "alice", 1_770_000_001), ("override", false, "ghost", 1_770_000_001)]
    );
}

#[test]
fn permissions() {
    let answers = [
        ("admin", "admin", Permission::Admin),
        ("write", "maintain", Permission::Maintain),
        ("write", "write", Permission::Write),
        ("read", "triage", Permission::Triage),
        ("read", "read", Permission::Read),
        ("none", "none", Permission::None),
        ("write", "release engineer", Permission::Write),
        ("sudo", "", Permission::None),
    ];
    let body = |(permission, role, _): &(&str, &str, _)| {
        json_of(200, json!({ "permission": permission, "role_name": role, "user": null }))
    };
    let server = Server::with(answers.iter().map(body).chain([status(404)]));
    let github = server.github();
    for (permission, role, wanted) in answers {
        assert_eq!(github.permission("alice").unwrap(), wanted, "{permission} {role}");
    }
    let error = github.permission("dependabot[bot]").unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    assert!(server.asked()[8].ends_with("/collaborators/dependabot[bot]/permission"), "{:?}", server.asked());
    assert!(Permission::Admin > Permission::Maintain && Permission::Triage > Permission::Read);
}

#[test]
fn pushes_are_read_down_to_the_one_that_is_asked_for() {
    let move_to = |number: u32, kind: &str| {
        json!({ "id": number, "node_id": "x", "ref": "refs/heads/feat/a1/x", "timestamp": "2026-02-02T02:40:01Z",
            "before": format!("{:040}", number - 1), "after": format!("{number:040}"), "activity_type": kind,
            "actor": { "login": "alice", "type": "User" } })
    };
    let pages = std::sync::OnceLock::<String>::new();
    let pages = std::sync::Arc::new(pages);
    let address = pages.clone();
    let server = Server::new(move |request| {
        let is_second = request.url.query().unwrap().contains("after=");
        let body = match is_second {
            false => json!([move_to(6, "force_push"), move_to(5, "push")]),
            true => json!([move_to(4, "pr_merge"), move_to(3, "branch_creation"), move_to(2, "rewind")]),
        };
        let answer = json_of(200, body);
        let next = format!("<{}/repositories/1/activity?after=x>; rel=\"next\"", address.get().unwrap());
        let next = next.replace("repositories/1", "repos/fork/n");
        if is_second { answer.into() } else { answer.insert_header("link", next.as_str()).into() }
    });
    pages.set(server.address()).unwrap();
    let fork = RepositoryName::parse("fork/n").unwrap();
    let github = server.github();
    let all = github.pushes(&fork, "feat/a1/x", None).unwrap();
    let kinds: Vec<&PushKind> = all.iter().map(|push| &push.kind).collect();
    use PushKind::{Creation, ForcePush, Merge, Other, Push};
    assert_eq!(kinds, [&ForcePush, &Push, &Merge, &Creation, &Other("rewind".to_owned())]);
    assert_eq!((all[0].actor.as_str(), all[0].at), ("alice", 1_770_000_001));
    let asked = server.asked().len();
    assert_eq!(asked, 2);
    assert_eq!(server.asked()[0], "GET /repos/fork/n/activity?ref=refs%2Fheads%2Ffeat%2Fa1%2Fx&per_page=100");
    // On the first page: the second is not asked for.
    assert_eq!(github.pushes(&fork, "feat/a1/x", Some(&format!("{:040}", 5))).unwrap().len(), 2);
    assert_eq!(server.asked().len(), asked + 1);
    assert_eq!(github.pushes(&fork, "feat/a1/x", Some(&format!("{:040}", 4))).unwrap().len(), 3);
    assert_eq!(github.pushes(&fork, "feat/a1/x", Some("gone")).unwrap().len(), 5);
}
