//! What a server lets in: real pushes of clones without hooks to a bare repository with one.

use crate::support::server::{Server, commit, policy, push, push_as};
use crate::support::stable;

#[test]
fn a_good_push_passes_and_a_bad_one_is_refused_whole() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/good");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok().does_not_say("git-lane");
    let (refs, files) = (server.refs(), server.files());

    commit(&tree, "services/rag_pipeline/b.py", "[A2] feat: b");
    tree.git(&["switch", "-q", "-c", "feat/a2/foreign", "main"]).ok();
    commit(&tree, "services/revenue/api.py", "[A2] feat: free for all");
    tree.git(&["switch", "-q", "-c", "feat/a3/untagged", "main"]).ok();
    commit(&tree, "docs/x.md", "docs: x");
    let ran = push(&tree, &["feat/a2/good", "feat/a2/foreign", "feat/a3/untagged"]).fails(1);
    let ran = ran.says("foreign-path").says("untagged-message").says("pre-receive hook declined");
    assert_eq!(server.refs(), refs);
    assert_eq!(server.files(), files, "nothing at all is left behind");
    let said: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("remote:")).collect();
    assert!(said.iter().all(|line| !line.contains('\u{1b}')), "no colours");
    let said = said.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(stable(&said, &server.scratch));
}

#[test]
fn nobody_loosens_the_rules_for_himself() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a4/x");
    let loose = policy().replace("services: [revenue, event_bus", "services: [common, revenue, event_bus");
    assert_ne!(loose, policy());
    tree.sneak("policy.yaml", &loose, "[A4] chore: a wider lane");
    push(&tree, &["HEAD"]).fails(1).says("protected-path");

    // In two pushes, where somebody who is no agent brings the branch first.
    tree.git(&["commit", "-q", "--amend", "-m", "chore: a wider lane"]).ok();
    push(&tree, &["HEAD:refs/heads/wip"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    commit(&tree, "services/common/x.py", "[A4] feat: x");
    push(&tree, &["HEAD:refs/heads/wip"]).fails(1).says("protected-path");
    push(&tree, &["HEAD"]).fails(1).says("protected-path").says("refs/heads/main:policy.yaml");
    // On a branch of its own that has the loose policy already, the base's still judges.
    server.git(&["branch", "feat/a4/x", "wip"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("protected-path").says("refs/heads/main:policy.yaml");
}

#[test]
fn the_base_is_for_maintainers() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD:main"]).fails(1).says("protected-branch").says("you are a2");
    push(&tree, &["HEAD"]).ok();
    push(&tree, &["HEAD:main"]).fails(1).says("protected-branch");
    push(&tree, &["HEAD:refs/heads/release/1"]).fails(1).says("protected-branch");
    tree.git(&["switch", "-q", "main"]).ok();
    tree.git(&["merge", "-q", "--no-ff", "-m", "Merge feat/a2/x", "feat/a2/x"]).ok();
    push(&tree, &["main"]).ok();
    tree.sneak("policy.yaml", &format!("{}# more\n", policy()), "chore: policy");
    push(&tree, &["main"]).ok();
}

#[test]
fn another_name_for_the_base_is_the_base() {
    let server = Server::new();
    server.git(&["symbolic-ref", "refs/heads/feat/a2/x", "refs/heads/main"]).ok();
    let tree = server.clone("c", "work");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD:refs/heads/feat/a2/x"]).fails(1).says("the protected branch `main`");
}

#[test]
fn refs_of_one_push_do_not_hide_behind_one_another() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/revenue/api.py", "[A2] feat: theirs");
    tree.git(&["branch", "-f", "main", "HEAD"]).ok();
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: mine");
    let before = server.refs();
    push(&tree, &["main", "feat/a2/x"]).fails(1).says("foreign-path");
    push(&tree, &["feat/a2/x", "main", "feat/a2/x:refs/tags/v1"]).fails(1).says("foreign-path");
    assert_eq!(server.refs(), before);
}

#[test]
fn a_tag_brings_no_foreign_commits() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/revenue/api.py", "[A2] feat: theirs");
    tree.git(&["tag", "-a", "-m", "v1", "v1"]).ok();
    push(&tree, &["v1"])
        .fails(1)
        .says("foreign-path")
        .says("keep the tag as it is, and tag a commit without that file");
    push(&tree, &["HEAD:refs/notes/x"]).fails(1).says("foreign-path");
    push(&tree, &["HEAD:refs/anything/x"]).fails(1).says("foreign-path");
    tree.git(&["tag", "-f", "v1", "main"]).ok();
    push(&tree, &["v1"]).ok();
    push(&tree, &["v1^{tree}:refs/tags/tree"]).ok();
}

#[test]
fn nothing_is_made_to_look_like_something_else() {
    let server = Server::with(&policy().replace(
        "    worktree: ../wt-a2-genai\n",
        "    worktree: ../wt-a2-genai\n    identity: { accounts: [bot-2] }\n",
    ));
    let tree = server.clone("c", "feat/a2/x");
    let file = tree.git(&["rev-parse", "main:services/revenue/main.py"]).ok().out;
    let evil = tree.git(&["rev-parse", "main:policy.yaml"]).ok().out;
    let replace = format!("{}:refs/replace/{}", evil.trim(), file.trim());
    push_as(&tree, "bot-2", &[&replace]).fails(1).says("the push replaces an object through");
    push(&tree, &[&replace]).fails(1).says("a server administrator can");
    push_as(&tree, "bot-2", &["main~0:refs/tags/main"])
        .fails(1)
        .says("mistaken for the protected branch `main`");
    push_as(&tree, "bot-2", &["main~0:refs/tags/v1"]).ok();
    server.git(&["for-each-ref", "refs/replace", "refs/tags/main"]).ok().does_not_say("refs");
}

#[test]
fn refs_of_others_are_left_to_them() {
    let accounts = |text: String, id: &str, worktree: &str| {
        let listed = format!("    worktree: {worktree}\n");
        assert!(text.contains(&listed));
        text.replace(&listed, &format!("{listed}    identity: {{ accounts: [bot-{id}] }}\n"))
    };
    let text = accounts(accounts(policy(), "1", "../wt-a1-mlops"), "2", "../wt-a2-genai");
    let server = Server::with(&text);
    let (one, two) = (server.clone("one", "feat/a1/x"), server.clone("two", "feat/a2/x"));
    commit(&one, "services/orchestrator/a.py", "[A1] feat: a");
    commit(&two, "services/rag_pipeline/a.py", "[A2] feat: a");
    let to = |name: &str| format!("HEAD:{name}");
    push_as(&one, "bot-1", &["HEAD", &to("refs/tags/wip"), &to("refs/tags/a1-more"), &to("refs/notes/a1")])
        .ok();
    let moved = |name: &str| format!("+HEAD:{name}");
    for (refspec, says) in [
        (":refs/tags/wip", "deletes the tag `wip`, which belongs to a1"),
        (&moved("refs/tags/wip"), "moves the tag `wip`, which belongs to a1"),
        (":refs/tags/a1-more", "deletes the tag `a1-more`"),
        (":refs/notes/a1", "deletes the notes `a1`, which belongs to a1"),
        (&moved("refs/notes/a1"), "rewrites the notes `a1`"),
        (&to("refs/pull/1/head"), "is not a branch, tag or note; only"),
        (&to("refs/changes/01/1/1"), "is not a branch, tag or note; only"),
        (&to("refs/lane/remotes/origin/locks/x"), "is not a branch, tag or note; only"),
        (&to("refs/aaa/k1"), "git push origin"),
        (&to("refs/Heads/feat/a2/y"), "taken for the branch"),
        (&to("refs/for/main"), "is not a branch, tag or note; only"),
    ] {
        push_as(&two, "bot-2", &[refspec]).fails(1).says("protected-branch").says(says);
    }
    server.git(&["branch", "hotfix", "main"]).ok();
    push_as(&two, "bot-2", &[":hotfix"]).fails(1).says("deletes the branch `hotfix`, which is not shown to");
    push_as(&two, "lead", &[":hotfix"]).ok();
    // What is its own an agent may move and delete, and what is everybody's it may add to.
    push_as(&two, "bot-2", &["HEAD", &to("refs/tags/wip2"), &to("refs/tags/a2-more")]).ok();
    two.git(&["notes", "add", "-m", "one"]).ok();
    push_as(&two, "bot-2", &["refs/notes/commits", "refs/notes/commits:refs/notes/a2"]).ok();
    commit(&two, "services/rag_pipeline/b.py", "[A2] feat: b");
    push_as(&two, "bot-2", &["HEAD", &moved("refs/tags/wip2"), &moved("refs/tags/a2-more")]).ok();
    push_as(&two, "bot-2", &[":refs/tags/wip2", ":refs/tags/a2-more", ":refs/notes/a2"]).ok();
    // What the host makes of a ref is the host's.
    server.git(&["config", "receive.procReceiveRefs", "refs/other"]).ok();
    server.git(&["config", "--add", "receive.procReceiveRefs", "ad:refs/for/"]).ok();
    push_as(&two, "bot-2", &[&to("refs/for/main")]).does_not_say("protected-branch");

    // Notes only grow, and the help leads there.
    one.git(&["notes", "add", "-m", "two"]).ok();
    push_as(&one, "bot-1", &["+refs/notes/commits"]).fails(1).says("rewrites the notes `commits`");
    one.git(&["fetch", "origin", "+refs/notes/commits:refs/notes/origin/commits"]).ok();
    one.git(&["notes", "--ref", "commits", "merge", "refs/notes/origin/commits"]).ok();
    push_as(&one, "bot-1", &["refs/notes/commits"]).ok();
    push_as(&one, "bot-1", &[":refs/notes/commits"])
        .fails(1)
        .says("leave it, or ask a maintainer to delete it");
    push_as(&one, "lead", &[":refs/notes/commits", ":refs/tags/wip"]).ok();
}

#[test]
fn a_merge_that_takes_away_what_the_base_has() {
    let server = Server::new();
    let tree = server.clone("c", "s1");
    commit(&tree, "services/rag_pipeline/s1.py", "a maintainer's");
    tree.git(&["switch", "-q", "-c", "s2", "main"]).ok();
    commit(&tree, "services/revenue/s2.py", "a maintainer's");
    tree.git(&["switch", "-q", "main"]).ok();
    tree.git(&["merge", "-q", "--no-ff", "-m", "m1", "s1"]).ok();
    tree.git(&["merge", "-q", "--no-ff", "-m", "m2", "s2"]).ok();
    push(&tree, &["main"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/y", "s1"]).ok();
    tree.git(&["merge", "-q", "-s", "ours", "-m", "[A2] chore: merge", "s2"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("foreign-path").says("services/revenue/s2.py");
}

#[test]
fn both_sides_of_a_rename_and_odd_paths() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    tree.git(&["mv", "services/revenue/main.py", "services/rag_pipeline/taken.py"]).ok();
    tree.git(&["commit", "-q", "-m", "[A2] feat: take it"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("services/revenue/main.py").does_not_say("taken.py");
    for (path, shown) in [
        ("services/revenue/größe.py", "services/revenue/größe.py"),
        ("services/revenue/two\nlines.py", "\"services/revenue/two\\nlines.py\""),
        ("services/revenue/a \"b\"\t.py", "\"services/revenue/a \\\"b\\\"\\t.py\""),
    ] {
        tree.git(&["reset", "-q", "--hard", "main"]).ok();
        tree.git(&["config", "core.quotePath", "true"]).ok();
        commit(&tree, path, "[A2] feat: odd");
        push(&tree, &["HEAD"]).fails(1).says("foreign-path").says(shown);
    }
    tree.git(&["reset", "-q", "--hard", "main"]).ok();
    commit(&tree, "services/rag_pipeline/größe\n.py", "[A2] feat: mine");
    push(&tree, &["HEAD"]).ok();
}

#[test]
fn what_no_rule_names_is_not_let_through() {
    let server = Server::with(&policy().replace("unowned: allow", "unowned: deny"));
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "nobody/knows.txt", "[A2] feat: x");
    push(&tree, &["HEAD"]).fails(1).says("unowned-path").says("nobody/knows.txt");
    push(&tree, &["HEAD:refs/tags/v1"]).fails(1).says("unowned-path");
}

#[test]
fn branches_are_rewritten_and_deleted_by_their_own() {
    let server = Server::with(&policy().replace(
        "    worktree: ../wt-a2-genai\n",
        "    worktree: ../wt-a2-genai\n    identity: { accounts: [bot-2] }\n",
    ));
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD", "HEAD:refs/heads/feat/a2/y"]).ok();
    tree.git(&["commit", "-q", "--amend", "-m", "[A2] feat: b"]).ok();
    push(&tree, &["+HEAD"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    tree.git(&["commit", "-q", "--amend", "-m", "[A2] feat: c"]).ok();
    push(&tree, &["+HEAD"]).fails(1).says("foreign-path");
    push(&tree, &[":feat/a2/y"]).ok();
    server.git(&["branch", "feat/a1/z", "main"]).ok();
    push_as(&tree, "bot-2", &[":feat/a1/z"]).fails(1).says("has the id of a1");
    push_as(&tree, "bot-2", &[":main"]).fails(1).says("deletes the protected branch");
    push_as(&tree, "bot-2", &[":feat/a2/x"]).ok();
    push(&tree, &[]).fails(128); // no upstream: git itself has nothing to push
    push(&tree, &["main"]).ok().says("up-to-date");
}

#[test]
fn an_account_is_not_got_round() {
    let server = Server::with(&policy().replace(
        "    worktree: ../wt-a2-genai\n",
        "    worktree: ../wt-a2-genai\n    identity: { accounts: [bot-2] }\n",
    ));
    let tree = server.clone("c", "hotfix");
    tree.sneak("policy.yaml", &format!("{}# loose\n", policy()), "chore: no tag at all");
    push_as(&tree, "bot-2", &["HEAD:main"]).fails(1).says("protected-branch").says("protected-path");
    push_as(&tree, "Bot-2", &["HEAD"]).fails(1).says("protected-path").says("branch-name");
    tree.git(&["switch", "-q", "-c", "feat/a1/x", "main"]).ok();
    commit(&tree, "services/orchestrator/a.py", "[A1] feat: a");
    push_as(&tree, "bot-2", &["HEAD"])
        .fails(1)
        .says("error[identity]")
        .says("the account `bot-2` belongs to a2, but");
    push_as(&tree, "alice", &["HEAD"]).ok();
}

#[test]
fn what_the_server_is_told_by_strangers_counts_for_nothing() {
    let server = Server::new();
    server.git(&["config", "lane.agent", "a1"]).ok();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/orchestrator/a.py", "[A2] feat: a1's");
    let mut command = tree.command("git");
    command.args(["push", "origin", "HEAD"]).env("AGENT_ID", "a1");
    crate::support::Ran::from(command.output().unwrap()).fails(1).says("foreign-path").says("a2)");
}

#[test]
fn maintainers_are_known_by_account_or_by_committer() {
    let server = Server::with(
        &policy()
            .replace("maintainers: []", "maintainers: [test@example.com]")
            .replace("unidentified: maintainer", "unidentified: deny"),
    );
    let tree = server.clone("c", "hotfix");
    commit(&tree, "docs/a.md", "docs: a");
    push(&tree, &["HEAD", "HEAD:main"]).ok();
    tree.git(&["-c", "user.email=x@y.z", "commit", "-q", "--allow-empty", "-m", "docs: b"]).ok();
    let mut command = tree.command("git");
    command.args(["commit", "-q", "--allow-empty", "-m", "docs: b"]).env("GIT_COMMITTER_EMAIL", "x@y.z");
    crate::support::Ran::from(command.output().unwrap()).ok();
    push(&tree, &["HEAD"]).fails(1).says("x@y.z is neither an agent nor a maintainer");
    push_as(&tree, "mallory", &["HEAD"])
        .fails(1)
        .says("mallory is neither an agent")
        .says("`account:mallory`");
}

#[test]
fn the_update_hook_judges_one_ref() {
    let server = Server::without_hook(&policy());
    server.lane(&["install", "--server", "--hook", "update"]).ok();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    tree.git(&["branch", "feat/a2/bad"]).ok();
    tree.git(&["switch", "-q", "feat/a2/bad"]).ok();
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    push(&tree, &["feat/a2/x", "feat/a2/bad"])
        .fails(1)
        .says("this ref was not pushed (update, a2)")
        .says("foreign-path");
    assert!(server.refs().contains("refs/heads/feat/a2/x") && !server.refs().contains("bad"));
}
