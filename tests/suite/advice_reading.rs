//! What messages tell to type where something cannot be read, and what only looks: typed here in the state in which it is
//! told.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use crate::advice::sh;
use crate::advice_errors::{leads_on, told};
use crate::support::server::{self, Server, push_as};
use crate::support::{LANE, POLICY, Ran, Scratch, Worktree};

const OWN: &str = "services/rag_pipeline/own.py";

#[track_caller]
fn has(ran: &Ran, command: &str) {
    assert!(told(&ran.all()).contains(&command.to_owned()), "{command}\n{}", ran.all());
}

/// Runs a command with a git that fails for what a shell's pattern matches.
fn with_failing_git(tree: &Worktree, pattern: &str, args: &[&str]) -> Ran {
    let bin = tree.home.join("failing");
    std::fs::create_dir_all(&bin).unwrap();
    let real = sh(tree, "command -v git").ok().out;
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in {pattern}) echo 'fatal: no luck' >&2; exit 128;; esac\nexec {} \"$@\"\n",
        real.trim()
    );
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    tree.command(LANE).env("PATH", path).args(args).output().unwrap().into()
}

#[test]
fn a_bare_repository_is_asked_for_two_commits() {
    let (scratch, tree) = Scratch::installed();
    tree.commit(OWN, "own\n", "feat: own").ok();
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "repo", "bare.git"]).ok();
    let bare = Worktree { root: scratch.home().join("bare.git"), home: scratch.home() };
    for args in [&["check"][..], &["check", "--staged"]] {
        let ran = bare.lane(args).fails(2);
        leads_on(&bare, &ran, &["git lane check --range A..B"], &[("A..B", "main..feat/a2/x")]);
    }
}

#[test]
fn a_merge_is_left_out_by_a_rebase() {
    let (scratch, tree) = Scratch::installed();
    tree.commit(OWN, "own\n", "feat: own").ok();
    scratch.main().sneak("base.txt", "base\n", "chore: base");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    let rebase = "git rebase --autostash origin/main";
    has(&tree.git(&["merge", "-q", "--no-edit", "origin/main"]).ok(), rebase);
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("[merge-commit]");
    tree.write(OWN, "edited\n");
    leads_on(&tree, &ran, &[rebase], &[]);
    assert_eq!(std::fs::read_to_string(tree.root.join(OWN)).unwrap(), "edited\n");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn hooks_that_were_replaced_are_installed_again() {
    let (scratch, tree) = Scratch::installed();
    let script = scratch.root().join(".git/lane/hooks/pre-commit");
    std::fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
    let ran = tree.lane(&["check"]).ok().says("not in force in this worktree");
    leads_on(&tree, &ran, &["git lane install"], &[]);
    tree.lane(&["check"]).ok().does_not_say("in force");
    tree.commit("services/revenue/x.py", "x\n", "feat: x").fails(1).says("foreign-path");
}

#[test]
fn hooks_are_told_what_git_gives_them() {
    let (_scratch, tree) = Scratch::installed();
    tree.write("message", "[A2] feat: own\n");
    for args in [&["hook", "commit-msg"][..], &["hook", "commit-msg", "nosuch"]] {
        let ran = tree.lane(args).fails(2);
        leads_on(&tree, &ran, &["git lane hook commit-msg FILE"], &[("FILE", "message")]);
    }
    let server = Server::new();
    let at = Worktree { root: server.root(), home: server.scratch.home() };
    let ran = at.lane(&["hook", "update"]).fails(2);
    let main = at.git(&["rev-parse", "main"]).ok().out;
    let fill = [("REF", "refs/heads/main"), ("OLD_OID", main.trim()), ("NEW_OID", main.trim())];
    leads_on(&at, &ran, &["git lane hook update REF OLD_OID NEW_OID"], &fill);
}

#[test]
fn what_only_looks() {
    let scratch = Scratch::with_policy(&POLICY.replace("    worktree: ../wt-a1-mlops\n", ""));
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let ran = tree.lane(&["policy", "claim"]).fails(2).says("`git lane help policy` lists its commands");
    drop(ran);
    sh(&tree, "git lane help policy").ok().says("check");
    // Whose worktree it is.
    sh(&tree, "git config lane.agent").ok().says("a2");
    let ran = tree.lane(&["join", "a1"]).fails(2).says("is `a2`'s");
    leads_on(&tree, &ran, &["git worktree list"], &[]);
    // Where git is to push to.
    scratch.git(&["remote", "remove", "origin"]).ok();
    let ran = tree.lane(&["push"]).fails(2).says("no remote `origin`");
    assert_eq!(told(&ran.all()).last().unwrap(), "git remote -v");
    sh(&tree, "git remote -v").ok();
}

#[test]
fn the_manual_is_git_s_to_open() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["config", "man.viewer", "shown"]).ok();
    tree.git(&["config", "man.shown.cmd", "echo"]).ok();
    tree.lane(&["-h"]).ok().says("git lane --help");
    sh(&tree, "git lane --help").ok().says("git-lane");
}

#[test]
fn what_conflicts_is_shown_whole() {
    let scratch = Scratch::with_policy(POLICY);
    scratch.add_origin();
    let (one, two) = (scratch.worktree("a1", "feat/a1/x"), scratch.worktree("a2", "feat/a2/x"));
    one.sneak("shared.txt", "one\n", "[A1] feat: one");
    two.lane(&["install", "--agent", "a2"]).ok();
    two.commit("shared.txt", "two\n", "feat: two").ok();
    let ran = two.git(&["push", "-q", "origin", "HEAD"]).ok().says("see all of them:");
    has(&ran, "git lane conflicts");
    sh(&two, "git lane conflicts").fails(1).says("a1 + a2");
    // git gives no answer, and does when it is asked in another way; what it said before is not known any more.
    std::fs::remove_file(scratch.root().join(".git/lane/merges")).unwrap();
    let ran = with_failing_git(&two, "*merge-tree*--stdin*", &["conflicts"]);
    has(&ran, "git merge-tree --write-tree ONE OTHER");
    let merge = "git merge-tree --write-tree feat/a1/x feat/a2/x";
    sh(&two, merge).fails(1).says("CONFLICT");
    // Two histories.
    one.git(&["switch", "-q", "--orphan", "feat/a1/y"]).ok();
    one.sneak("services/orchestrator/x.py", "x\n", "[A1] feat: y");
    let ran = two.lane(&["conflicts"]).says("have no common history");
    let roots = "git log --max-parents=0 ONE OTHER";
    has(&ran, roots);
    let ran = sh(&two, &roots.replace("ONE", "feat/a1/y").replace("OTHER", "feat/a2/x")).ok();
    assert_eq!(ran.out.matches("commit ").count(), 2, "{}", ran.out);
}

#[test]
fn a_rebase_that_git_could_not_undo_is_undone() {
    let (scratch, two) = Scratch::installed();
    let one = scratch.worktree("a1", "feat/a1/x");
    one.sneak("base.txt", "one\n", "[A1] feat: one");
    scratch.main().sneak("base.txt", "base\n", "chore: base");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    one.lane(&["install", "--agent", "a1"]).ok();
    let before = one.head();
    let ran = with_failing_git(&two, "*rebase*--abort*", &["sync", "--all"]).fails(1);
    leads_on(&two, &ran, &[&format!("git -C {} rebase --abort", one.root.display())], &[]);
    assert_eq!(one.head(), before);
    assert_eq!(one.git(&["symbolic-ref", "--short", "HEAD"]).out.trim(), "feat/a1/x");
}

#[test]
fn what_git_does_not_tell_of_a_worktree_is_asked_again() {
    let scratch = Scratch::with_policy(&crate::support::setup::policy(1, ""));
    scratch.lane(&["setup"]).ok();
    let main = scratch.main();
    let ran = with_failing_git(&main, "*status*", &["teardown", "a1"]).fails(2);
    let place = scratch.home().join("wt-a1");
    leads_on(&main, &ran, &[&format!("git -C {} status", place.display())], &[]);
    main.lane(&["teardown", "a1"]).ok();
}

#[test]
fn a_message_in_another_encoding_names_it() {
    let (_scratch, tree) = Scratch::installed();
    tree.write(OWN, "own\n");
    tree.write("message", b"feat: caf\xe9\n");
    tree.git(&["add", OWN]).ok();
    let ran = tree.git(&["commit", "-q", "-F", "message"]).fails(1);
    let name = [("NAME", "ISO-8859-1")];
    leads_on(&tree, &ran, &["git config i18n.commitEncoding NAME"], &name);
    tree.git(&["commit", "-q", "-F", "message"]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s", "--encoding=UTF-8"]).out.trim(), "[A2] feat: café");
}

#[test]
fn many_commits_are_read_at_once() {
    let (scratch, tree) = Scratch::installed();
    let mut stream = String::new();
    for at in 0..1_100 {
        let from = if at == 0 { "from refs/heads/main^0\n" } else { "" };
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter T <t@example.com> {} +0000\ndata 2\nc\n{from}\n",
            1_767_225_600 + at
        ));
    }
    scratch.git(&["switch", "-q", "--detach"]).ok();
    scratch.main().git_stdin(&["fast-import", "--quiet"], stream.as_bytes()).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    let ran = tree.lane(&["doctor"]).says("1100 commits ahead");
    has(&ran, "git commit-graph write --reachable");
    sh(&tree, "git commit-graph write --reachable").ok();
    tree.lane(&["doctor"]).does_not_say("commits ahead");
}

#[test]
fn notes_of_others_are_merged_or_left() {
    let known = |text: String, id: &str, worktree: &str| {
        let listed = format!("    worktree: {worktree}\n");
        text.replace(&listed, &format!("{listed}    identity: {{ accounts: [bot-{id}] }}\n"))
    };
    let policy = known(known(server::policy(), "1", "../wt-a1-mlops"), "2", "../wt-a2-genai");
    let server = Server::with(&policy);
    let (one, two) = (server.clone("one", "feat/a1/x"), server.clone("two", "feat/a2/x"));
    let root = one.git(&["rev-parse", "HEAD"]).ok().out;
    server::commit(&one, "docs/x.md", "[A1] docs: x");
    one.git(&["notes", "add", "-m", "one", root.trim()]).ok();
    push_as(&one, "bot-1", &["refs/notes/commits"]).ok();
    two.git(&["notes", "add", "-m", "two", root.trim()]).ok();
    two.git(&["notes", "remove", root.trim()]).ok();
    two.git(&["notes", "add", "-m", "two", "HEAD^{tree}"]).ok();
    let ran = push_as(&two, "bot-2", &["+refs/notes/commits"]).fails(1).says("rewrites the notes");
    let told = told(&ran.all().replace("remote: ", "").replace("        \n", "\n"));
    assert_eq!(
        told,
        [
            "git fetch origin +refs/notes/commits:refs/notes/origin/commits",
            "git notes --ref commits merge refs/notes/origin/commits",
            "git push origin refs/notes/commits",
        ]
    );
    told.iter().for_each(|command| drop(sh(&two, &format!("export GL_USERNAME=bot-2; {command}")).ok()));
    assert_eq!(two.git(&["notes", "show", root.trim()]).ok().out.trim(), "one");
    // Those of another by name.
    one.git(&["notes", "--ref", "a1", "add", "-m", "mine", root.trim()]).ok();
    push_as(&one, "bot-1", &["refs/notes/a1"]).ok();
    two.git(&["notes", "--ref", "a1", "add", "-m", "theirs", root.trim()]).ok();
    let ran = push_as(&two, "bot-2", &["+refs/notes/a1"]).fails(1);
    let told = crate::advice_errors::told(&ran.all().replace("remote: ", "").replace("        \n", "\n"));
    assert_eq!(told, ["git push origin refs/notes/a1:refs/notes/a2/a1"]);
    sh(&two, &format!("export GL_USERNAME=bot-2; {}", told[0])).ok();
}

#[test]
fn a_remote_that_is_back_is_asked_again() {
    let (scratch, tree) = Scratch::installed();
    tree.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    tree.commit(OWN, &"x\n".repeat(200), "feat: lower").ok();
    tree.git(&["config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main"]).ok();
    let (origin, away) = (scratch.home().join("origin.git"), scratch.home().join("away.git"));
    std::fs::rename(&origin, &away).unwrap();
    tree.write("services/rag_pipeline/more.py", "x\n".repeat(200));
    tree.git(&["add", "-A"]).ok();
    let ran = tree.git(&["commit", "-q", "-m", "feat: upper"]).fails(1);
    std::fs::rename(&away, &origin).unwrap();
    let fetch = "git fetch --no-tags origin '+refs/heads/feat/a2/*:refs/remotes/origin/feat/a2/*'";
    has(&ran, fetch);
    sh(&tree, fetch).ok();
}

#[test]
fn a_job_says_how_to_fetch_and_to_push_again() {
    let (scratch, tree) = Scratch::installed();
    tree.commit(OWN, "own\n", "feat: own").ok();
    tree.sneak("services/revenue/x.py", "x\n", "[A2] feat: theirs");
    tree.git(&["push", "-q", "--no-verify", "origin", "HEAD"]).ok();
    let url = format!("file://{}", scratch.home().join("origin.git").display());
    let clone = ["clone", "-q", "--single-branch", "-b", "feat/a2/x", &url, "job"];
    scratch.run(&scratch.home(), "git", &clone).ok();
    let job = Worktree { root: scratch.home().join("job"), home: scratch.home() };
    let ask = "git lane ci --base main --head HEAD --branch feat/a2/x --title '[A2] x'";
    let ran = sh(&job, ask).fails(2);
    let fetch = told(&ran.all());
    assert!(fetch.len() == 1 && fetch[0].starts_with("git fetch --no-tags origin '"), "{}", ran.all());
    sh(&job, &fetch[0]).ok();
    let ran = sh(&job, ask).fails(1).says("; fix this, then push again: git lane push -f\n");
    assert!(told(&ran.all())[0].starts_with("git lane drop --branch feat/a2/x"), "{}", ran.all());
    sh(&tree, &told(&ran.all())[0]).ok();
    sh(&tree, "git lane push -f").ok();
    sh(&job, "git fetch -q").ok();
    sh(&job, &ask.replace("HEAD", "origin/feat/a2/x")).ok();
}

#[test]
fn what_a_partial_clone_lacks_is_fetched() {
    let (scratch, tree) = Scratch::installed();
    tree.commit(OWN, &"x\n".repeat(9), "feat: own").ok();
    tree.commit(OWN, &"y\n".repeat(9), "feat: more").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    let origin = scratch.home().join("origin.git");
    scratch.git(&["-C", origin.to_str().unwrap(), "config", "uploadpack.allowFilter", "true"]).ok();
    scratch.git(&["-C", origin.to_str().unwrap(), "config", "uploadpack.allowAnySHA1InWant", "true"]).ok();
    let url = format!("file://{}", origin.display());
    for (at, name) in ["one", "all"].into_iter().enumerate() {
        let clone = ["clone", "-q", "--filter=blob:none", "--no-checkout", &url, name];
        scratch.run(&scratch.home(), "git", &clone).ok();
        let partial = Worktree { root: scratch.home().join(name), home: scratch.home() };
        let check = || partial.lane(&["check", "--range", "origin/main..origin/feat/a2/x", "--agent", "a2"]);
        let mut ran = check();
        // Each file that is missing is named in its turn.
        for _ in 0..6 {
            if ran.code == 0 {
                break;
            }
            ran = ran.fails(2).says("partial clone");
            let told = told(&ran.all());
            let mut step =
                told.iter().filter(|it| it.starts_with(["git cat-file -t ", "git fetch --refetch "][at]));
            let step = step.next_back().unwrap_or_else(|| panic!("{}", ran.all()));
            sh(&partial, step).ok();
            ran = check();
        }
        ran.ok();
    }
}

#[test]
fn a_signature_that_cannot_be_made_anew_leaves_all_as_it_was() {
    let (_scratch, tree) = Scratch::installed();
    tree.sneak("services/revenue/x.py", "x\n", "[A2] feat: theirs");
    let raw = tree.git(&["cat-file", "commit", "HEAD"]).ok().out;
    let (head, rest) = raw.split_once("\n\n").unwrap();
    let signed = format!(
        "{head}\ngpgsig -----BEGIN SSH SIGNATURE-----\n U1NI\n -----END SSH SIGNATURE-----\n\n{rest}"
    );
    let oid = tree.git_stdin(&["hash-object", "-t", "commit", "-w", "--stdin"], signed.as_bytes()).ok().out;
    tree.git(&["reset", "-q", "--soft", oid.trim()]).ok();
    tree.git(&["config", "gpg.format", "ssh"]).ok();
    tree.git(&["config", "user.signingKey", "/nowhere/key"]).ok();
    tree.git(&["config", "commit.gpgSign", "true"]).ok();
    let ran = tree.lane(&["drop", "services/revenue/x.py"]).fails(2).says("could not be signed again");
    leads_on(&tree, &ran, &["git config --list --show-origin"], &[]);
    assert_eq!(tree.head(), oid.trim());
}

#[test]
fn what_lies_in_the_way_is_removed() {
    let (scratch, tree) = Scratch::installed();
    // git's own lock on its configuration, which a killed process left.
    let lock = scratch.root().join(".git/config.lock");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::create(&lock).unwrap().set_modified(old).unwrap();
    let ran = tree.lane(&["doctor"]).fails(1);
    let remove = format!("rm {}", lock.display());
    let ran = ran.says(&format!("help: if no git process is running: {remove}"));
    sh(&tree, &remove).ok();
    tree.lane(&["doctor"]).does_not_say("config.lock");
    // Several gits.
    if let Some(line) = ran.out.lines().find(|line| line.contains("put its folder first")) {
        let (_, export) = line.split_once("first: ").unwrap();
        sh(&tree, &format!("{export}\ngit --version")).ok();
    }
}

#[test]
fn a_tag_with_too_long_a_message_is_made_anew() {
    let server = Server::new();
    let tree = server.clone("clone", "feat/a2/x");
    let path = tree.root.join(".git/message");
    std::fs::write(&path, format!("v1\n\n{}\n", "x".repeat(4_100_000))).unwrap();
    tree.git(&["tag", "-a", "-F", path.to_str().unwrap(), "v1", "main"]).ok();
    let ran = tree.git(&["push", "origin", "v1"]).fails(1);
    let again = "git tag -a -f TAG COMMIT";
    has(&Ran { err: ran.err.replace("remote: ", "").replace("        \n", "\n"), ..ran }, again);
    sh(&tree, &again.replace("TAG COMMIT", "-m v1 v1 main")).ok();
    tree.git(&["push", "-q", "origin", "v1"]).ok();
}

#[test]
fn the_file_of_a_request_is_read_by_its_object() {
    let (_scratch, _one, two) = crate::support::locks::two();
    let ask = ["request", "submit", "services/revenue/x.py", "--file", "-", "--reason", "x"];
    two.lane_stdin(&ask, b"print(1)\n").ok();
    let ran = two.lane(&["request", "show", "r1"]).ok();
    let told = told(&ran.all());
    let read = told
        .iter()
        .find(|it| it.starts_with("git cat-file blob "))
        .unwrap_or_else(|| panic!("{}", ran.all()));
    assert_eq!(sh(&two, read).ok().out, "print(1)\n");
}

#[test]
fn a_lock_that_is_about_to_end_is_renewed() {
    let (_scratch, _one, two) = crate::support::locks::two();
    two.write("services/common/main.py", "two\n");
    two.git(&["add", "-A"]).ok();
    // A machine under load may come too late for it, and begins anew.
    let about_to_end = || {
        two.lane(&["lock", "common", "--ttl", "20s"]).ok();
        std::thread::sleep(std::time::Duration::from_millis(18_200));
        two.git(&["commit", "-q", "-m", "feat: two"]).fails(1)
    };
    let ran = std::iter::repeat_with(about_to_end).take(3).find(|ran| ran.all().contains("--renew"));
    let ran = ran.unwrap().says("under your lock `common`");
    leads_on(&two, &ran, &["git lane lock common --renew"], &[]);
    two.git(&["commit", "-q", "-m", "feat: two"]).ok();
}
