use crate::facts::Event::{Check, PreCommit, PrePush, PreReceive};
use crate::facts::RefUpdate::{Create, Forward};
use crate::facts::{IdentityClaim, IdentityProof, IdentitySource, LockEvents, Pusher};
use crate::report::Identity;
use crate::rules::testing::Scene;
use crate::signature::{Key, Kind, Signature};

const KEYS: [&str; 3] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE0C0zAcpCCZ4jhNpwf5m5vHSvwuZJD1dYkzvGbrP3Uv",
];

fn key(n: usize) -> Key {
    Key::parse(KEYS[n]).unwrap()
}

fn valid(n: usize) -> Signature {
    Signature::Valid { key: key(n) }
}

fn invalid(n: usize) -> Signature {
    Signature::Invalid { reason: "does not fit the commit".into(), key: Some(key(n)) }
}

/// a1 has the first key, a2 the second and an account; the third belongs to no agent.
fn signing(event: crate::facts::Event, require: &str) -> Scene {
    Scene::new(event, "a2").policy(&format!(
        "{{version: 1, identity: {{require: {require}}}, agents: {{a1: {{identity: {{signing_keys: [{}]}}}}, \
         a2: {{identity: {{github: [Bot-2], signing_keys: [{}]}}}}}}}}",
        KEYS[0], KEYS[1]
    ))
}

#[test]
fn signed_by_the_agent() {
    for require in ["claimed", "proven"] {
        let scene = signing(PrePush, require).signed(3, valid(1)).signed(4, valid(1));
        assert_eq!((scene.findings().len(), scene.identity()), (0, Identity::Proven));
    }
    // One that is not signed, and nothing is proven.
    let scene = signing(PrePush, "claimed").signed(3, valid(1)).signed(4, Signature::None);
    assert_eq!((scene.findings().len(), scene.identity()), (0, Identity::Claimed));
    assert_eq!(signing(PrePush, "claimed").identity(), Identity::Claimed);
}

#[test]
fn signed_by_another() {
    for require in ["claimed", "proven"] {
        let scene = signing(PrePush, require).signed(3, valid(0));
        assert_eq!(scene.findings(), ["error identity @03 (a1)"]);
        assert_eq!(scene.headlines(), ["signed with the key of a1, but you are a2"]);
        assert_eq!(scene.identity(), Identity::Claimed);
    }
}

#[test]
fn a_signature_that_does_not_fit() {
    assert_eq!(signing(PrePush, "claimed").signed(3, invalid(1)).findings(), ["error identity @03"]);
    assert_eq!(signing(PrePush, "claimed").signed(3, invalid(0)).findings(), ["error identity @03 (a1)"]);
    // By a key that nobody knows it says nothing of anybody.
    assert_eq!(signing(PrePush, "claimed").signed(3, invalid(2)).findings().len(), 0);
}

#[test]
fn proofs_are_wanted_at_push_and_after() {
    let all = [Signature::None, Signature::OtherKind(Kind::OpenPgp), valid(2), invalid(2)];
    for signature in all {
        let of = |event, require| signing(event, require).signed(3, signature.clone());
        assert_eq!(of(PrePush, "claimed").findings().len(), 0);
        assert_eq!(of(PrePush, "proven").findings(), ["error identity @03"], "{signature:?}");
        assert_eq!(of(Check, "proven").findings(), ["error identity @03"], "{signature:?}");
        let help = of(PrePush, "proven").helps().remove(0);
        for step in
            ["gpg.format ssh", "user.signingKey", "commit.gpgSign true", "git commit --amend --no-edit -S"]
        {
            assert!(help.contains(step), "{help}");
        }
    }
    let many = signing(PrePush, "proven").signed(3, Signature::None).signed(4, Signature::None);
    assert!(
        many.helps()[0].contains("git rebase --exec 'git commit --amend --no-edit -S' --autostash 01010101")
    );
    assert_eq!(signing(PreCommit, "proven").findings().len(), 0);
}

#[test]
fn signatures_that_nobody_read_prove_nothing() {
    let scene = signing(PrePush, "claimed").commit(3, "x", &[]);
    assert!(scene.findings()[0].starts_with("undecided: "), "{:?}", scene.findings());
}

#[test]
fn accounts() {
    let by = |login: &str| {
        let proof = IdentityProof::GithubAccount(login.into());
        signing(Check, "proven").signed(3, Signature::None).facts(|facts| facts.proofs.push(proof))
    };
    assert_eq!((by("bot-2").findings().len(), by("bot-2").identity()), (0, Identity::Proven));
    assert_eq!(by("stranger").findings(), ["error identity", "error identity @03"]);
    let other = "{version: 1, agents: {a1: {identity: {github: [bot-1]}}, a2: {}}}";
    let scene = Scene::new(Check, "a2").policy(other);
    let scene = scene.facts(|facts| facts.proofs.push(IdentityProof::GithubAccount("Bot-1".into())));
    assert_eq!(scene.findings(), ["error identity (a1)"]);
}

fn claim(source: IdentitySource, agent: &str) -> IdentityClaim {
    IdentityClaim { source, agent: agent.into() }
}

#[test]
fn sources_that_disagree() {
    let scene = Scene::new(PreCommit, "a1").files(&["services/revenue/x"]);
    let scene = scene.facts(|facts| facts.claims.push(claim(IdentitySource::Environment, "a2")));
    let found = scene.findings();
    assert_eq!(found[0], "error identity");
    assert!(found[1].starts_with("undecided: could not determine whose change this is"), "{found:?}");
}

#[test]
fn an_agent_that_nobody_knows() {
    let scene =
        Scene::new(PreCommit, "").facts(|facts| facts.claims.push(claim(IdentitySource::Config, "a9")));
    assert_eq!(scene.findings()[0], "error identity");
}

#[test]
fn turned_off_it_opens_no_door() {
    let off = || Scene::new(PreCommit, "a1").with("{ stale-base: warn }", "{ identity: off }");
    let scene = off().facts(|facts| facts.claims.push(claim(IdentitySource::Environment, "a2")));
    assert!(scene.findings()[0].starts_with("undecided: could not determine whose change this is"));
    let policy = "{version: 1, unidentified: deny, rules: {identity: warn}, \
                  areas: [{name: l, paths: [x.local], access: never}]}";
    let scene = Scene::new(PreCommit, "").policy(policy).files(&["x.local"]);
    assert_eq!(scene.findings(), ["warn identity", "error local-file x.local"]);
}

#[test]
fn an_option_stands_above_all() {
    let scene = Scene::new(PreCommit, "a1").branch("feat/a2/x");
    let scene = scene.facts(|facts| facts.claims.push(claim(IdentitySource::Option, "a2")));
    assert_eq!(scene.findings().len(), 0);
}

#[test]
fn strangers() {
    let denied = || Scene::new(PreCommit, "").with("unidentified: maintainer", "unidentified: deny");
    assert_eq!(denied().findings(), ["error identity"]);
    let listed = Scene::new(PreCommit, "").policy("{version: 1, maintainers: [x@y.z]}");
    assert_eq!(listed.findings(), ["error identity"]);
    let listed = Scene::new(PreCommit, "").policy("{version: 1, maintainers: [x@y.z]}");
    assert_eq!(listed.facts(|facts| facts.email = Some("X@y.z".into())).findings().len(), 0);
}

/// A push to a branch, by an account, where a2 and the maintainers have one.
fn received(account: &str, branch: &str, message: &str) -> Scene {
    let scene = Scene::new(PreReceive, "")
        .with("    worktree: ../wt-a2-genai\n", "    identity: { accounts: [bot-2] }\n")
        .pushed_to(branch, Forward)
        .commit(7, message, &[]);
    let pusher = Pusher { source: "GL_USERNAME", name: account.into() };
    scene.facts(|facts| facts.pusher = (!account.is_empty()).then_some(pusher))
}

#[test]
fn agents_without_a_lane() {
    let scene = |event, old: &str, new: &str| {
        Scene::new(event, "").with(old, new).facts(|facts| facts.harness = Some("CLAUDECODE".into()))
    };
    let unidentified = |new: &str| scene(PreCommit, "unidentified: maintainer", new).of("identity").len();
    assert_eq!(unidentified("unidentified: maintainer"), 1, "one word speaks of humans");
    assert_eq!(unidentified("unidentified: { human: maintainer }"), 1);
    assert_eq!(unidentified("unidentified: { agent: maintainer }"), 0);
    assert_eq!(unidentified("unidentified: { human: deny, agent: maintainer }"), 1, "as a human would be");
    for event in [PreCommit, PrePush, Check] {
        let listed = || scene(event, "maintainers: []", "maintainers: [x@y.z]");
        let found = listed().facts(|facts| facts.email = Some("x@y.z".into())).of("identity");
        assert_eq!(found, ["error identity"], "whose e-mail it is does not matter");
        assert_eq!(listed().branch("feat/a2/x").of("identity").len(), 0);
        let claimed = listed().facts(|facts| facts.claims = vec![claim(IdentitySource::Config, "a2")]);
        assert_eq!(claimed.of("identity").len(), 0);
    }
    let helps = scene(PreCommit, "version: 1", "version: 1").helps();
    assert!(helps[0].contains("\ngit lane join a2"), "{helps:?}");
    assert_eq!(Scene::new(PreCommit, "").findings().len(), 0, "a human");
}

#[test]
fn on_a_server_an_unlisted_account_is_nobody() {
    let push = |unidentified: &str, account: &str, branch: &str| {
        let policy = format!(
            "{{version: 1, maintainers: ['account:lead'], unidentified: {unidentified}, \
             branch: {{pattern: 'feat/{{agent}}/{{f}}'}}, \
             agents: {{a1: {{}}, a2: {{identity: {{accounts: [bot-2]}}}}}}}}"
        );
        let scene = Scene::new(PreReceive, "").policy(&policy).pushed_to(branch, Forward);
        let pusher = Pusher { source: "GL_USERNAME", name: account.into() };
        scene.facts(|facts| facts.pusher = (!account.is_empty()).then_some(pusher)).findings()
    };
    let none: [&str; 0] = [];
    assert_eq!(push("deny", "bot-2", "feat/a2/x"), none);
    assert_eq!(push("deny", "stranger", "feat/a2/x"), ["error identity"]);
    assert_eq!(push("maintainer", "stranger", "feat/a2/x"), ["error identity (a2)"]);
    assert_eq!(push("maintainer", "stranger", "hotfix"), none, "the policy takes whoever is unknown for one");
    assert_eq!(push("deny", "lead", "feat/a2/x"), none, "in the agent's stead");
    // An agent without an account of its own is told by its branch, as everybody is where no account is known.
    assert_eq!(push("deny", "stranger", "feat/a1/x"), none);
    assert_eq!(push("deny", "", "feat/a2/x"), none);
    assert_eq!(push("deny", "bot-2", "feat/a1/x"), ["error branch-name (a1)", "error identity (a1)"]);
}

#[test]
fn on_a_server_the_account_stands_above_the_rest() {
    assert_eq!(received("Bot-2", "feat/a2/x", "[A2] x").findings().len(), 0);
    assert_eq!(
        received("bot-2", "feat/a1/x", "[A2] x").findings(),
        ["error branch-name (a1)", "error identity (a1)"]
    );
    assert_eq!(
        received("bot-2", "feat/a2/x", "[A1] x").findings(),
        ["error identity (a1)", "error untagged-message @07 (a1)"]
    );
    let untagged = received("bot-2", "hotfix", "x").findings();
    assert_eq!(untagged, ["error branch-name", "error untagged-message @07"], "no tag is no way out");
    let lock = received("bot-2", "feat/a2/x", "[A2] x").change(|change| {
        change.lock_events = Some(LockEvents { agents: vec!["a1".into()], fault: None });
    });
    assert_eq!(lock.findings(), ["error identity (a1)"]);
}

#[test]
fn on_a_server_without_accounts_claims_count() {
    let protected = |account: &str, message: &str| received(account, "main", message).of("protected-branch");
    assert_eq!(protected("", "[A1] x").len(), 1, "an agent pushes to the base");
    assert_eq!(protected("", "Merge branch 'feat/a1/x'").len(), 0, "a maintainer");
    assert_eq!(protected("alice", "[A1] x").len(), 1, "a1 has no account: who else should it be");
    assert_eq!(protected("alice", "[A2] x").len(), 0, "a2 has one, and it is not this");
    let of_two = received("", "main", "[A1] x").commit(8, "[A2] y", &[]);
    assert_eq!(of_two.of("protected-branch").len(), 0, "somebody puts work together");
    let tag = received("", "x", "[A2] x").change(|change| {
        (change.branch, change.update) = (None, Some(Create));
        change.reference = Some("refs/tags/v1".into());
    });
    assert_eq!(
        tag.facts(|facts| facts.changes[0].commits = of_a2()).findings(),
        ["error foreign-path services/revenue/x @07 (a4)"]
    );
}

fn of_a2() -> crate::facts::Fact<Vec<crate::facts::Commit>> {
    let scene = Scene::new(PreReceive, "").commit(7, "[A2] x", &["services/revenue/x"]);
    scene.into_facts().changes.remove(0).commits
}

#[test]
fn on_a_server_strangers_are_told_by_account_or_committer() {
    let push = |maintainers: &str, account: &str, committer: &str| {
        let scene =
            Scene::new(PreReceive, "").policy(&format!("{{version: 1, maintainers: [{maintainers}]}}"));
        let pusher = Pusher { source: "REMOTE_USER", name: account.into() };
        let scene = scene.facts(|facts| facts.pusher = (!account.is_empty()).then_some(pusher));
        scene.change(|change| change.committer = Some(committer.into())).findings().len()
    };
    assert_eq!(push("'account:alice'", "alice", "x@y.z"), 0);
    assert_eq!(push("alice", "Alice", "x@y.z"), 0);
    assert_eq!(push("'account:alice'", "mallory", "x@y.z"), 1);
    assert_eq!(push("x@y.z", "mallory", "x@y.z"), 0);
    assert_eq!(push("x@y.z, 'account:alice'", "mallory", "x@y.z"), 1, "who has accounts goes by them");
    assert_eq!(push("x@y.z", "", "other@y.z"), 1);
}

#[test]
fn the_branch_speaks_where_nothing_else_does() {
    let scene = Scene::new(PreCommit, "").branch("feat/a2/x").files(&["services/revenue/x"]);
    assert_eq!(scene.findings(), ["error foreign-path services/revenue/x (a4)"]);
}
