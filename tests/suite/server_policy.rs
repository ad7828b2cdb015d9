//! Where a server takes the policy from, and what it does where there is none.

use crate::support::server::{Server, commit, policy, push, push_as};
use crate::support::{LANE, Ran, Scratch, Worktree};

fn clone_of(server: &Server) -> Worktree {
    Worktree { root: server.scratch.root(), home: server.scratch.home() }
}

#[test]
fn an_empty_repository_is_begun() {
    let server = Server::empty();
    let tree = clone_of(&server);
    push(&tree, &["main"]).ok().says("no policy applies here yet (the repository is empty)");
    tree.git(&["switch", "-q", "-c", "feat/a2/x"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
}

#[test]
fn a_policy_comes_later() {
    let server = Server::empty();
    let tree = clone_of(&server);
    tree.git(&["rm", "-q", "--cached", "policy.yaml"]).ok();
    tree.git(&["commit", "-q", "--amend", "-m", "first"]).ok();
    push(&tree, &["main:refs/heads/wip"]).ok().says("HEAD on the server is refs/heads/main");
    push(&tree, &["main:refs/heads/other"])
        .fails(1)
        .says(", which does not exist, although other refs do: which policy applies is unknown");
    push(&tree, &["main"]).ok().says("no branch has a policy.yaml, and refs/heads/main");
    push(&tree, &["main:refs/heads/other"]).ok().says("refs/heads/main has no policy.yaml");

    let broken = policy().replace("unowned: allow", "unowned: sometimes");
    tree.sneak("policy.yaml", &broken, "chore: a policy");
    push(&tree, &["main"]).fails(1).says("`sometimes` is no").says("it cannot be used");
    tree.sneak("policy.yaml", &policy(), "chore: a policy that holds");
    push(&tree, &["main"]).ok();
    tree.sneak("policy.yaml", &broken, "chore: break it");
    push(&tree, &["main"]).fails(1).says("it cannot be used");
    push(&tree, &["main:refs/heads/wip"]).ok(); // binds nobody there
    tree.git(&["reset", "-q", "--hard", "HEAD~"]).ok();
    tree.git(&["rm", "-q", "policy.yaml"]).ok();
    tree.git(&["commit", "-q", "-m", "chore: none"]).ok();
    push(&tree, &["main"]).ok().says("after this push: later pushes are not judged");
}

#[test]
fn a_head_that_leads_nowhere_opens_no_door() {
    let server = Server::empty();
    server.git(&["symbolic-ref", "HEAD", "refs/heads/master"]).ok();
    let tree = clone_of(&server);
    push(&tree, &["main"]).ok().says("git symbolic-ref HEAD refs/heads/main");
    let before = server.refs();
    tree.git(&["switch", "-q", "-c", "feat/a2/x"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    for name in ["feat/a2/x", "main", "master", "refs/tags/v1"] {
        let target = if name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") };
        push(&tree, &[&format!("HEAD:{target}")])
            .fails(1)
            .says("HEAD on the server is refs/heads/master, which does not exist")
            .says("git symbolic-ref HEAD refs/heads/main")
            .says("could not decide (pre-receive); nothing was pushed");
    }
    assert_eq!(server.refs(), before);
    server.git(&["config", "lane.base", "gone"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("lane.base on the server").says("git config lane.base main");
    server.git(&["config", "lane.base", "main"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    server.git(&["config", "--unset", "lane.base"]).ok();
    server.git(&["symbolic-ref", "HEAD", "refs/heads/main"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    server.git(&["update-ref", "--no-deref", "HEAD", "refs/heads/main"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("is detached");
}

#[test]
fn a_base_that_was_lost_is_not_begun_anew() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    server.git(&["update-ref", "-d", "refs/heads/main"]).ok();
    tree.sneak("policy.yaml", "version: 1\n", "chore: a free country");
    push(&tree, &["HEAD:main"]).fails(1).says("or restore refs/heads/main there");
    push(&tree, &["HEAD"]).fails(1);
}

#[test]
fn a_broken_policy_lets_nothing_in() {
    let server = Server::without_hook(&policy());
    let tree = server.clone("c", "feat/a2/x");
    tree.sneak("policy.yaml", "version: 1\nagent: {}\n", "chore: break it");
    push(&tree, &["HEAD:main"]).ok();
    server.lane(&["install", "--server"]).ok();
    tree.git(&["reset", "-q", "--hard", "HEAD~"]).ok();
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"])
        .fails(1)
        .says("unknown key `agent`")
        .says("git lane uninstall --server")
        .says("nothing was pushed");
}

#[test]
fn what_cannot_be_read_lets_nothing_in() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    let blob = server.git(&["rev-parse", "main:policy.yaml"]).ok().out;
    let (folder, rest) = blob.trim().split_at(2);
    let object = server.root().join("objects").join(folder).join(rest);
    let before = server.refs();
    std::fs::remove_file(&object).unwrap();
    push(&tree, &["HEAD"]).fails(1).says("could not decide (pre-receive); nothing was pushed");
    assert_eq!(server.refs(), before);
}

#[test]
fn a_protected_branch_keeps_its_own_policy() {
    let server = Server::new();
    let tree = server.clone("c", "release/1");
    tree.sneak(
        "policy.yaml",
        &policy().replace("\"*.local\", ", "\"*.local\", \"*.tmp\", "),
        "chore: stricter",
    );
    push(&tree, &["release/1"]).ok();
    commit(&tree, "a.tmp", "docs: a");
    push(&tree, &["release/1"]).fails(1).says("local-file").says("refs/heads/release/1:policy.yaml");
    push(&tree, &["HEAD:refs/heads/wip"]).ok();
    push(&tree, &["HEAD:main"]).ok();
}

#[test]
fn the_base_that_the_policy_names_counts() {
    let server = Server::new();
    let tree = server.clone("c", "develop");
    push(&tree, &["develop"]).ok();
    let named = policy()
        .replace("base: main", "base: develop")
        .replace("protected: [main,", "protected: [main, develop,");
    tree.git(&["switch", "-q", "main"]).ok();
    tree.sneak("policy.yaml", &named, "chore: develop");
    push(&tree, &["main"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/x", "develop"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    push(&tree, &["HEAD"]).fails(1).says("refs/heads/develop:policy.yaml");
}

#[test]
fn a_folder_with_a_colon_in_its_name() {
    let scratch = Scratch::new();
    let root = scratch.home().join("a:b \"c\"/origin.git");
    std::fs::create_dir_all(root.parent().unwrap()).unwrap();
    scratch.run(&scratch.home(), "git", &["init", "-q", "--bare", "-b", "main", root.to_str().unwrap()]).ok();
    scratch.run(&root, LANE, &["install", "--server"]).ok();
    let tree = scratch.main();
    tree.git(&["remote", "add", "origin", root.to_str().unwrap()]).ok();
    push(&tree, &["main"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/x"]).ok();
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
}

#[test]
fn objects_that_are_shared_with_another_repository() {
    // As hosts keep forks: what is old lies elsewhere.
    let server = Server::new();
    let fork = server.scratch.home().join("fork.git");
    let home = server.scratch.home();
    server.scratch.run(&home, "git", &["clone", "-q", "--bare", "--shared", "origin.git", "fork.git"]).ok();
    server.scratch.run(&fork, LANE, &["install", "--server"]).ok();
    let tree = server.clone("c", "feat/a2/x");
    tree.git(&["remote", "set-url", "origin", fork.to_str().unwrap()]).ok();
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
}

#[test]
fn input_that_git_does_not_give() {
    let server = Server::new();
    let hook = |name: &str, args: &[&str], input: &str| -> Ran {
        let tree = Worktree { root: server.root(), home: server.scratch.home() };
        tree.lane_stdin(&[&["hook", name], args].concat(), input.as_bytes())
    };
    hook("pre-receive", &[], "").ok();
    hook("pre-receive", &[], "half a line\n")
        .fails(2)
        .says("the hook got something that is not a ref update: `")
        .says("nothing was pushed");
    hook("update", &["refs/heads/main"], "").fails(2).says("this ref was not pushed");
    let (zero, one) = ("0".repeat(40), "1".repeat(40));
    hook("update", &["refs/heads/x", &zero, &one], "").fails(2).says("cannot be read");
    hook("pre-receive", &[], &format!("{zero} {one} refs/heads/x\n")).fails(2).says("nothing was pushed");
    let root = server.scratch.main();
    root.lane_stdin(&["hook", "pre-receive"], format!("{zero} {one} refs/heads/x\n").as_bytes())
        .fails(2)
        .says("is not bare");
}

#[test]
fn names_that_belong_to_other_refs() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    let before = server.refs();
    let names = [
        "tags/main",
        "tags/MAIN",
        "tags/release/9",
        "tags/origin/main",
        "tags/feat/a1/x",
        "tags/feat/a2/x",
        "tags/heads/main",
        "tags/HEAD",
        "heads/origin/main",
        "heads/heads/main",
        "heads/refs/heads/main",
        "heads/tags/v1",
        "heads/Main",
        "heads/HEAD",
        "remotes/origin/main",
        "main",
        "Replace/0123",
    ];
    for name in names {
        let ran = push(&tree, &[&format!("HEAD:refs/{name}")]);
        assert_ne!(ran.code, 0, "{name}: {}", ran.all());
        // git itself keeps a branch from being called HEAD.
        if name != "heads/HEAD" {
            ran.says("protected-branch");
        }
    }
    assert_eq!(server.refs(), before);
    push(&tree, &["HEAD:refs/tags/v1"]).ok();
    push(&tree, &[":refs/tags/v1"]).ok();

    // Nothing shows who pushes what bears no tag: a maintainer may tag a release, and shadow no branch that is there.
    tree.git(&["switch", "-q", "--detach", "origin/main"]).ok();
    tree.git(&["commit", "-q", "--allow-empty", "-m", "a release"]).ok();
    push(&tree, &["HEAD:refs/tags/release/9"]).ok();
    push(&tree, &["HEAD:refs/tags/main"]).fails(1).says("would be mistaken for the protected branch `main`");
    push(&tree, &["HEAD:refs/heads/release/8"]).ok();
    push(&tree, &["HEAD:refs/tags/release/8"]).fails(1).says("rename the tag");
    push(&tree, &["HEAD:refs/heads/origin/main"]).fails(1).says("taken for `origin/main`");
}

#[test]
fn a_tag_on_what_has_landed_is_everybodys() {
    let server = Server::with(
        &policy().replace("    worktree: ../wt-a2-genai\n", "    identity: { accounts: [bot-2] }\n"),
    );
    let tree = server.clone("c", "feat/a2/x");
    push(&tree, &["main:refs/tags/v1"]).ok();
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push_as(&tree, "bot-2", &["HEAD", "HEAD:refs/tags/trial"]).ok();
    push_as(&tree, "bot-2", &[":refs/tags/v1"]).fails(1).says("deletes `refs/tags/v1`");
    push_as(&tree, "bot-2", &["+HEAD:refs/tags/v1"]).fails(1).says("moves `refs/tags/v1`");
    push_as(&tree, "bot-2", &[":refs/heads/main"]).fails(1).says("deletes the protected branch");
    push_as(&tree, "bot-2", &[":refs/tags/trial"]).ok();
    push_as(&tree, "lead", &[":refs/tags/v1", "HEAD:refs/tags/release/9"]).ok();
    push_as(&tree, "bot-2", &[":refs/tags/release/9"]).fails(1).says("is mistaken for the protected branch");
    push_as(&tree, "lead", &[":refs/tags/release/9"]).ok();
}

#[test]
fn an_account_that_is_listed_nowhere_brings_and_takes_nothing() {
    let accounts = policy()
        .replace("    worktree: ../wt-a2-genai\n", "    identity: { accounts: [bot-2] }\n")
        .replace("unidentified: maintainer", "unidentified: deny")
        .replace("maintainers: []", "maintainers: ['account:lead']");
    let server = Server::with(&accounts);
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push_as(&tree, "bot-2", &["HEAD", "HEAD:refs/tags/v1", "HEAD:refs/notes/x"]).ok();
    let before = server.refs();
    let blob = tree.git(&["rev-parse", "HEAD:policy.yaml"]).ok().out;
    let blob = format!("{}:refs/tags/v3", blob.trim());
    for refs in [
        "HEAD:refs/heads/feat/a2/y",
        "HEAD:refs/tags/v2",
        "HEAD:refs/notes/y",
        &blob,
        ":feat/a2/x",
        ":refs/tags/v1",
    ] {
        push_as(&tree, "stranger", &[refs]).fails(1).says("error[identity]");
    }
    assert_eq!(server.refs(), before);
    push_as(&tree, "lead", &["main:refs/tags/v2", ":refs/tags/v1"]).ok();
}

#[test]
fn what_lies_on_other_refs_was_judged_by_nobody() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "docs/a.md", "a note");
    push(&tree, &["HEAD:refs/notes/x"]).ok();
    tree.git(&["commit", "-q", "--allow-empty", "-m", "[A2] docs: a"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("untagged-message");
}

#[test]
fn objects_that_the_server_replaces_are_judged_as_they_are() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/good");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    let good = tree.head();
    tree.git(&["switch", "-q", "-c", "feat/a2/x", "main"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    let evil = tree.head();
    server.git(&["update-ref", &format!("refs/replace/{evil}"), &good]).ok();
    for backend in ["git2", "git"] {
        let mut command = tree.command("git");
        command.args(["push", "origin", "HEAD"]).env("LANE_GIT_BACKEND", backend);
        let ran: Ran = command.output().unwrap().into();
        ran.fails(1).says("foreign-path");
    }
}

#[test]
fn paths_that_are_one_file_elsewhere() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    let cases = [
        ("services/Revenue/x.py", "foreign-path"),
        ("Services/revenue/x.py", "foreign-path"),
        ("services/revenue./x.py", "foreign-path"),
        ("SERVICES/common/main.py", "unlocked-path"),
        ("Policy.yaml", "protected-path"),
        ("policy.yaml.", "protected-path"),
        ("policy.yaml ", "protected-path"),
        ("policy\u{200c}.yaml", "protected-path"),
        (".GitHub/workflows/x.yml", "protected-path"),
        ("policy~1.yam", "protected-path"),
        ("services/ORCHES~1/x.py", "foreign-path"),
        (".agent.env.", "local-file"),
        (".Agent.env", "local-file"),
        ("x/agent_focus.md", "local-file"),
    ];
    for (path, rule) in cases {
        commit(&tree, path, "[A2] feat: a");
        push(&tree, &["HEAD"]).fails(1).says(rule);
        tree.git(&["reset", "-q", "--hard", "HEAD~"]).ok();
    }
    for path in ["services/rag_pipeline/README.md", "services/rag_pipeline/readme.md", "docs/Caf\u{e9}.md"] {
        commit(&tree, path, "[A2] feat: a");
    }
    push(&tree, &["HEAD"]).ok();
}
