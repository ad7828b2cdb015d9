//! What errors and notes tell to type, and what leads on though no rule speaks: typed here in the state in which it is
//! told. At the end: a list of all commands that messages name, and of where each is tried.

use crate::advice::{commands, sh};
use crate::support::{POLICY, Ran, Scratch, Worktree};

/// Types the commands that a message names, each of which has to succeed.
fn typed(tree: &Worktree, ran: &Ran) {
    let told = commands(&ran.all());
    assert!(!told.is_empty(), "{}", ran.all());
    for command in told {
        assert!(!command.contains(" && ") && !command.contains("; "), "{command}");
        let on = sh(tree, &command);
        assert_eq!(on.code, 0, "{command}\n{}\n{}", on.all(), ran.all());
    }
}

/// The commits of a branch that the base does not have.
fn subjects(tree: &Worktree) -> Vec<String> {
    let log = tree.git(&["log", "--reverse", "--format=%s", "origin/main..HEAD"]).ok().out;
    log.lines().map(str::to_owned).collect()
}

/// An editor that puts a text in the place of all that there was.
fn replacing(scratch: &Scratch, text: &str) -> String {
    let path = scratch.home().join("replace");
    std::fs::write(&path, format!("printf '{text}' >\"$1\"\n")).unwrap();
    format!("sh {}", path.display())
}

#[test]
fn an_editor_that_replaces_a_message_does_not_lose_its_tag() {
    let (scratch, tree) = Scratch::installed();
    for (text, subject) in [
        ("feat: replaced\\n", "[A2] feat: replaced"),
        ("feat: mine\\n\\nAgent: a2\\n", "feat: mine"),
        ("\\n# comment\\nfeat: below\\n", "[A2] feat: below"),
    ] {
        tree.write("services/rag_pipeline/own.py", text);
        tree.git(&["add", "-A"]).ok();
        let editor = replacing(&scratch, text);
        let ran = Ran::from(tree.command("git").env("GIT_EDITOR", editor).args(["commit"]).output().unwrap());
        ran.ok().does_not_say("git-lane");
        assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out.trim(), subject);
    }
    // Another's tag is for somebody to see; and a message that says nothing is git's.
    for (text, code) in [("[A1] feat: theirs\\n", 1), ("\\n", 1)] {
        tree.write("services/rag_pipeline/own.py", "again\n");
        tree.git(&["add", "-A"]).ok();
        let editor = replacing(&scratch, text);
        Ran::from(tree.command("git").env("GIT_EDITOR", editor).args(["commit"]).output().unwrap())
            .fails(code);
    }
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn an_empty_message_stays_empty_and_can_be_said_later() {
    let (scratch, tree) = Scratch::installed();
    tree.write("services/rag_pipeline/own.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", ""]).fails(1);
    tree.git(&["commit", "-q", "--allow-empty-message", "-m", ""]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out.trim(), "");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("[untagged-message]");
    let told = commands(&ran.all());
    assert_eq!(told, ["git commit --amend --only"]);
    let editor = replacing(&scratch, "feat: said\\n");
    let mut git = tree.command("git");
    Ran::from(git.env("GIT_EDITOR", editor).args(["commit", "--amend", "--only"]).output().unwrap()).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(subjects(&tree), ["[A2] feat: said"]);
}

#[test]
fn drop_says_how_a_path_was_read() {
    let (_scratch, tree) = Scratch::installed();
    tree.sneak("services/revenue/x.py", "x\n", "[A2] x");
    let below = Worktree { root: tree.root.join("services/rag_pipeline"), home: tree.home.clone() };
    let ran = below.lane(&["drop", "services/revenue/x.py"]).fails(1);
    let ran = ran.says("changes services/rag_pipeline/services/revenue/x.py");
    assert_eq!(commands(&ran.all()), ["git lane drop -- :/services/revenue/x.py"]);
    typed(&below, &ran);
    tree.lane(&["drop", "services/revenue/x.py"]).fails(1).does_not_say("help:");
}

/// A repository before its first commit, with a policy in it.
fn unborn() -> (Scratch, Worktree) {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", POLICY);
    let main = scratch.main();
    (scratch, main)
}

#[test]
fn a_coding_agent_makes_the_first_commit_and_takes_a_lane_then() {
    let (_scratch, main) = unborn();
    main.lane(&["install"]).ok();
    for (command, code) in [("join a2", 2), ("setup a2", 1)] {
        let ran = sh(&main, &format!("CLAUDECODE=1 git lane {command}")).fails(code);
        let told = commands(&ran.all());
        assert_eq!(
            told,
            [
                "git add policy.yaml",
                "git commit -m 'chore: a policy for our agents'",
                &format!("git lane {command}")
            ]
        );
    }
    sh(&main, "CLAUDECODE=1 git lane doctor").fails(1).does_not_say("git push").does_not_say("git fetch");
    sh(&main, "git add policy.yaml").ok();
    let ran = sh(&main, "CLAUDECODE=1 git commit -m 'chore: a policy for our agents'").ok();
    assert!(commands(&ran.all()).contains(&"git lane join a2".to_owned()), "{}", ran.all());
    main.write("x", "x\n");
    main.git(&["add", "-A"]).ok();
    sh(&main, "CLAUDECODE=1 git commit -m 'feat: x'").fails(1).says("git lane join a2");
    sh(&main, "CLAUDECODE=1 git lane join a2").ok();
    sh(&main, "CLAUDECODE=1 git commit -m 'feat: x'").ok();
}

#[test]
fn join_goes_on_from_a_branch_without_a_commit() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    tree.git(&["switch", "-q", "--orphan", "fresh"]).ok();
    tree.lane(&["join", "a2"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
}

#[test]
fn a_plain_push_works_once_a_pushed_branch_is_renamed() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    tree.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: x").ok();
    tree.git(&["push", "-q", "-u", "origin", "worktree-w"]).ok();
    tree.lane(&["join", "a2"]).ok();
    tree.git(&["push", "-q"]).ok();
    tree.git(&["rev-parse", "--verify", "-q", "refs/remotes/origin/feat/a2/w"]).ok();
    // What was pushed under the old name and is made anew is replaced under the new one.
    let other = scratch.worktree("v", "worktree-v");
    other.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
    other.git(&["push", "-q", "-u", "origin", "worktree-v"]).ok();
    other.lane(&["join", "a2"]).ok();
    let ran = other.git(&["push", "-q"]).fails(1).says("[untagged-message]");
    typed(&other, &ran);
    other.git(&["push", "-q"]).ok();
}

#[test]
fn join_says_what_to_do_in_the_middle_of_something() {
    let scratch = Scratch::new();
    let other = scratch.worktree("other", "other");
    other.sneak("services/rag_pipeline/main.py", "other\n", "other");
    other.git(&["format-patch", "-q", "-1", "-o", "../patches"]).ok();
    let in_between = |name: &str, stop: &str, resolve: &str, helps: &[&str]| {
        let tree = scratch.worktree(name, &format!("worktree-{name}"));
        tree.sneak("services/rag_pipeline/main.py", &format!("{name}\n"), name);
        assert_ne!(sh(&tree, stop).code, 0, "{stop}");
        let ran = tree.lane(&["join", "a2"]).fails(2);
        let told = commands(&ran.all());
        let expected: Vec<String> = helps.iter().map(|help| (*help).to_owned()).collect();
        assert_eq!(told, [expected, vec!["git lane join a2".to_owned()]].concat());
        sh(&tree, &told[told.len() - 2]).ok();
        assert_eq!(tree.git(&["status", "--porcelain"]).out, "");
        assert_ne!(sh(&tree, stop).code, 0, "{stop}");
        sh(&tree, resolve).ok();
        sh(&tree, &told[0]).ok();
        sh(&tree, "git lane join a2").ok();
    };
    let solve = "echo both >services/rag_pipeline/main.py; git add -A";
    in_between(
        "am",
        "git am -q ../patches/*",
        solve,
        &["git am --continue", "git am --skip", "git am --abort"],
    );
    in_between("merge", "git merge -q other", solve, &["git merge --continue", "git merge --abort"]);
    in_between("rebase", "git rebase -q other", solve, &["git rebase --continue", "git rebase --abort"]);
    in_between(
        "pick",
        "git cherry-pick other",
        solve,
        &["git cherry-pick --continue", "git cherry-pick --abort"],
    );
    in_between(
        "revert",
        "git revert --no-edit HEAD~1",
        solve,
        &["git revert --continue", "git revert --abort"],
    );
}

#[test]
fn a_push_without_a_remote_says_how_to_have_one() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
    scratch.run(&scratch.home(), "git", &["init", "-q", "--bare", "-b", "main", "origin.git"]).ok();
    for command in ["push", "pr"] {
        let ran = tree.lane(&[command]).fails(2).does_not_say("fatal");
        let told = commands(&ran.all());
        assert_eq!(told, ["git remote add origin URL", &format!("git lane {command}"), "git remote -v"]);
    }
    sh(&tree, "git remote add origin ../origin.git").ok();
    tree.lane(&["push"]).ok();
}

#[test]
fn a_conflict_of_sync_is_gone_on_with_command_by_command() {
    let (scratch, tree) = Scratch::installed();
    for (tree, message) in [(&scratch.main(), "chore: main"), (&tree, "[A2] own")] {
        tree.write("services/rag_pipeline/a b.py", message);
        tree.sneak("services/rag_pipeline/main.py", message, message);
        tree.git(&["add", "-A"]).ok();
        tree.git(&["commit", "-q", "--amend", "--no-verify", "--no-edit"]).ok();
    }
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    for folder in ["", "services/rag_pipeline"] {
        let below = Worktree { root: tree.root.join(folder), home: tree.home.clone() };
        let before = tree.head();
        let ran = below.lane(&["sync"]).fails(1);
        let told = commands(&ran.all());
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("git add -- "), "{told:?}");
        if folder.is_empty() {
            sh(&below, &told[2]).ok();
            assert_eq!(tree.head(), before);
            continue;
        }
        sh(&below, "echo both >main.py; echo both >'a b.py'").ok();
        sh(&below, &told[0]).ok();
        sh(&below, &told[1]).ok();
    }
    assert_eq!(tree.git(&["rev-list", "--count", "HEAD..origin/main"]).out.trim(), "0");
}

/// A rebase on the base would make the release's commits one's own.
#[test]
fn a_merge_of_a_release_branch_is_taken_out_alone() {
    let (scratch, tree) = Scratch::installed();
    let release = scratch.worktree("release", "release/1");
    for n in 1..4 {
        release.sneak(&format!("services/revenue/{n}.py"), "x\n", "fix: on release");
    }
    release.git(&["push", "-q", "origin", "release/1"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.commit("services/rag_pipeline/one.py", "x\n", "feat: one").ok();
    // Seen at once, and seen at the push, with commits on top.
    let ran = tree.git(&["merge", "-m", "[A2] merge", "origin/release/1"]).ok().says("[merge-commit]");
    typed(&tree, &ran);
    assert_eq!(subjects(&tree), ["[A2] feat: one"]);
    tree.git(&["merge", "-q", "-m", "[A2] merge", "origin/release/1"]).ok();
    tree.commit("services/rag_pipeline/two.py", "x\n", "feat: two").ok();
    tree.write("services/rag_pipeline/one.py", "edited\n");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("[merge-commit]");
    typed(&tree, &ran);
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(subjects(&tree), ["[A2] feat: one", "[A2] feat: two"]);
    assert_eq!(tree.git(&["status", "--porcelain"]).out, " M services/rag_pipeline/one.py\n");
    // On a branch that is not checked out.
    tree.git(&["stash", "-q"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/other"]).ok();
    tree.git(&["merge", "-q", "-m", "[A2] merge", "origin/release/1"]).ok();
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    let ran = tree.git(&["push", "-q", "origin", "feat/a2/other"]).fails(1).says("[merge-commit]");
    typed(&tree, &ran);
    tree.git(&["push", "-q", "origin", "feat/a2/other"]).ok();
}

/// The strings of a source file, with `{}` for all places in them.
fn strings(source: &str) -> Vec<String> {
    let (mut found, mut chars) = (Vec::new(), source.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next().is_some_and(|c| c != '\n') {},
            '\'' if chars.peek() == Some(&'"') || chars.peek() == Some(&'\\') => {
                chars.next();
                chars.next();
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    match (c, chars.peek()) {
                        ('\\', Some('\n')) => {
                            while chars.peek().is_some_and(|c| c.is_whitespace()) {
                                chars.next();
                            }
                        }
                        ('\\', Some('n')) => {
                            chars.next();
                            text.push('\n');
                        }
                        ('\\', Some(_)) => text.extend(chars.next()),
                        _ => text.push(c),
                    }
                }
                found.push(text);
            }
            _ => {}
        }
    }
    found
}

/// A text with `{}` for every place in it.
fn without_names(text: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0_usize);
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    out.push_str("{}");
                }
            }
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// The commands that the messages of the program name: whole lines, and what follows `: ` in one.
fn named_commands() -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let is_other = |name: &str| ["tests.rs", "testing.rs", "focus.rs", "policy_text.rs"].contains(&name);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !is_other(&name) {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let texts = strings(text).into_iter().filter(|text| !text.contains("## What it finds"));
                for line in texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()) {
                    let starts = ["git lane ", "git -C ", "gh pr ", "unset ", "git push", "git fetch"];
                    let more =
                        ["git rebase", "git commit", "git restore", "git switch", "git stash", "git am"];
                    let most =
                        ["git add", "git config", "git merge", "git cherry-pick", "git revert", "git branch"];
                    let rest =
                        ["git worktree", "git remote", "git update-ref", "git symbolic-ref", "git reset"];
                    let is_command = |text: &str| {
                        let mut words = [&starts[..], &more, &most, &rest].concat().into_iter();
                        words.any(|word| text.starts_with(word)) && text.len() > 10
                    };
                    let line = line.trim();
                    let told = line.split_once(": ").map_or(line, |(_, command)| command);
                    if let Some(command) = [line, told].into_iter().find(|text| is_command(text)) {
                        assert!(
                            !command.contains(" && "),
                            "{}: two commands at once: {command}",
                            path.display()
                        );
                        found.insert(without_names(command));
                    }
                }
            }
        }
    }
    found
}

/// A command that a message names is typed by a test, in the state in which it is told; or it is in the list of those
/// that are not, which is to become shorter.
#[test]
fn every_command_that_is_named_is_tried() {
    let named = named_commands();
    let lists = [TYPED.lines().collect::<Vec<_>>(), NOT_TYPED.lines().collect()];
    let listed: std::collections::BTreeSet<String> =
        lists.concat().into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let new: Vec<_> = named.difference(&listed).collect();
    assert!(new.is_empty(), "type these in a test, and list them in TYPED: {new:#?}");
    let gone: Vec<_> = listed.difference(&named).collect();
    assert!(gone.is_empty(), "no message names these any more: {gone:#?}");
}

/// By the tests of this file, of `advice`, `advice_rules`, `signatures` and `locks_faults`.
const TYPED: &str = r#"
gh pr edit {} --add-label '{}'
gh pr edit {} --title {}
git -C {} switch {}
git -C {} worktree move {} {}
git -C {} worktree repair {}
git add -- {}
git add policy.yaml
git am --abort
git am --continue
git branch -m {}
git cherry-pick --abort
git cherry-pick --continue
git commit -- {}
git commit --amend
git commit --amend --no-edit
git commit --amend --no-edit {}
git commit -m 'chore: a policy for our agents'
git config --worktree commit.gpgSign true
git config --worktree gpg.format ssh
git config --worktree user.signingKey KEY_FILE
git lane drop -- {}{}
git lane drop --branch {} -- {}
git lane join {}
git lane join {}{}{}
git lane lock {}
git lane policy {}
git lane push --force-with-lease
git lane request submit {} --reason '…'
git lane setup {}
git lane sync
git lane {}
git merge --abort
git merge --continue
git push {} HEAD
git push {} {}:refs/heads/{}
git rebase --abort
git rebase --autostash --onto HEAD~1 HEAD
git rebase --autostash --onto {}~1 {}{}{}
git rebase --autostash {}{}{}
git rebase --continue
git rebase --exec 'git commit --amend --no-edit -S'
git rebase --force-rebase
git rebase -i
git remote add {} URL
git reset -q -- {}
git restore --staged -- {}
git revert --abort
git revert --continue
git stash pop
git stash push --include-untracked -- {}
git switch -c {}
git switch {}
git update-ref -d {} {}
git update-ref refs/lane/kept/{} {}
git update-ref {} {} {}
unset AGENT_ID
"#;

/// Not from the message that names them, or no command alone. Tests of the commands type most of them.
const NOT_TYPED: &str = r#"
gh pr edit {} --base {}
git -C {} lane drop …
git -C {} lane sync
git -C {} lane teardown {}
git -C {} rebase --abort
git -C {} status
git -C {} submodule foreach --recursive '{}'
git -C {} worktree repair, then run this again
git add -- FILE
git add -u -- {}
git add {}
git am --skip
git branch --list
git branch NAME {}
git commit --amend --no-edit --only {}
git commit --amend --no-edit -S
git commit --trailer 'Coordinated-with: <agent>'
git commit -m 'chore: a policy for our agents'   # on {}
git commit -m 'chore: a policy for our agents'{}
git commit-graph write --reachable, or for good: git maintenance start
git config --global --add safe.directory FOLDER
git config --list --show-origin
git config --local --unset-all {}
git config --worktree --unset-all core.hooksPath
git config --worktree {} "$(git config --local {})"
git config core.hooksPath FOLDER
git config extensions.worktreeConfig true
git config i18n.commitEncoding NAME
git config lane.agent
git config lane.agent, copied from another worktree,
git config lane.base main
git config {} {}
git fetch --deepen=100 {}, or git fetch --unshallow {}
git fetch --no-tags {} '{}'{}
git fetch --no-tags {} {}
git fetch --refetch --no-filter {}
git fetch --unshallow brings all of it
git fetch {}
git fetch {} +refs/heads/{}:{}
git fetch {} +refs/notes/{}:refs/notes/{}/{}
git fetch {} {}:refs/remotes/{}/{}
git lane --help
git lane -C FOLDER …
git lane -C REPOSITORY.git install --server; into a worktree: git lane install --agent ID
git lane -C {} install
git lane check
git lane check --range A..B
git lane check --worktree
git lane ci --base A --head B
git lane ci --base main --head HEAD --branch feat/a1/x
git lane conflicts
git lane conflicts asks again
git lane conflicts takes more time for them
git lane doctor
git lane help {}
git lane hook commit-msg FILE
git lane hook update REF OLD_OID NEW_OID
git lane hook {} FILE
git lane init --stdout
git lane install
git lane install --agent ID
git lane install --agent {}
git lane install --all   # hooks into the worktrees
git lane install --server
git lane join ID
git lane join ID ({})
git lane join {} my-feature
git lane lock {} --renew
git lane lock {} --steal --reason '…' ({} is told)
git lane lock {} --wait 10m
git lane lock {} --wait 1h
git lane lock {} --wait {}
git lane lock {}, or name paths inside it
git lane locks
git lane locks --log {}
git lane locks shows them
git lane locks {}
git lane policy check
git lane policy show
git lane policy test
git lane port SERVICE --release, in the worktree that has it; or widen `agents.{}.ports` in the policy
git lane port api
git lane port {} --release, then this again
git lane port {} gives it one
git lane pr --yes
git lane push
git lane push -f
git lane request accept {}
git lane request done {} --commit COMMIT
git lane request done {} --commit HEAD
git lane request list
git lane request reject {} --reason '…'
git lane request show {}
git lane request submit --area {} --reason '…'
git lane request submit {} --to {} --reason 'needed while you hold the lock'
git lane request withdraw {}
git lane rule {}
git lane setup           # a worktree for each agent
git lane setup makes it
git lane setup {} --resume
git lane setup {} makes it
git lane setup {} makes it, hooks and all
git lane status shows the same once
git lane status, again and again, says the same to a program: --format json
git lane sync --all
git lane sync --autostash
git lane teardown {} --drop-schema --yes-drop {}
git lane uninstall --all
git lane unlock {}
git lane unlock {} --agent {}
git lane who {}
git merge-base ONE OTHER finds nothing; was one of them started from another repository?
git merge-tree --write-tree ONE OTHER says more
git push --no-verify {} {}:{}
git push --no-verify {} {}:{}/{}
git push {} refs/notes/{}
git push {} refs/notes/{}:refs/notes/{}/{}
git push {} {}
git rebase --autostash --onto {}/{} {}{}
git rebase --autostash refs/remotes/{}/{}
git rebase --autostash {}
git rebase --rebase-merges BASE
git remote -v
git remote add locks {}
git reset -q
git restore --staged
git restore --staged --source={} -- {}
git stash drop
git stash push
git stash push --include-untracked
git switch -c BRANCH
git switch BRANCH
git symbolic-ref -d {}
git symbolic-ref HEAD {}
git symbolic-ref shows where it leads
git update-ref -d {}
git update-ref {} {}
git worktree add
git worktree add PATH BRANCH; then there: git lane install --agent ID
git worktree add {} BRANCH
git worktree list
git worktree move {} {}, or name its place in the policy: `agents.{}.worktree`
git worktree prune
git worktree prune, if it will not come back; git worktree repair, if it was moved
git worktree remove --force {}
git worktree repair NEW_PLACE
git worktree repair {}, then run this again
git worktree repair, from the main worktree
git worktree unlock {}
unset LANE_GIT_BACKEND, and see that git is on the PATH
unset it, or set it to one of these: {}=git2 (in process), {}=git (git's own commands)
unset {}
unset {}, and git reads it; {}
unset {}, or give it the number of your agent's process
"#;
