//! Rules whose help asks for a name, an editor, a host or another policy than the table of `advice` has: what they say is
//! typed here, and what was wanted passes.

use crate::advice::{commands, sh};
use crate::support::ci::Job;
use crate::support::{POLICY, Ran, Scratch, Worktree};
use serde_json::{Value, json};

/// The reference policy with one piece of text replaced, installed for a2.
fn installed(old: &str, new: &str) -> (Scratch, Worktree) {
    let policy = POLICY.replace("max_age: 3h", "max_age: null");
    assert!(policy.contains(old), "{old}");
    let scratch = Scratch::with_policy(&policy.replace(old, new));
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    (scratch, tree)
}

/// Types commands, with an editor that begins each message with `fix: ` and rewords each commit of a list.
fn typed(tree: &Worktree, told: &[String]) {
    assert!(!told.is_empty());
    let editors = "export GIT_SEQUENCE_EDITOR='sed -i s/^pick/reword/'; \
                   export GIT_EDITOR='sed -i \"1s/^\\(\\[A2\\] \\)*/[A2] fix: /\"'";
    for command in told {
        let ran = sh(tree, &format!("{editors}; {command}"));
        assert_eq!(ran.code, 0, "{command}\n{}", ran.all());
    }
}

const PUSH: [&str; 4] = ["push", "-q", "origin", "HEAD"];

#[test]
fn a_coding_agent_without_a_lane_joins_one() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    tree.lane(&["install"]).ok();
    tree.write("services/rag_pipeline/own.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    let commit = "export CLAUDECODE=1; git commit -q -m 'feat: own'";
    let lock = sh(&tree, "export CLAUDECODE=1; git lane lock common").fails(2).says("git lane join a2");
    lock.does_not_say("--agent").does_not_say("maintainer");
    let told = commands(&sh(&tree, commit).fails(1).says("[identity]").all());
    assert_eq!(told, ["git lane join a1", "git lane join a2", "git lane join a3", "git lane join a4"]);
    typed(&tree, &told[1..2]);
    sh(&tree, commit).ok();
    sh(&tree, "export CLAUDECODE=1; git push -q origin HEAD").ok();
    // A variable of another shell.
    let commit = "git commit -q --allow-empty -m 'feat: more'";
    sh(&tree, &format!("export AGENT_ID=a1; {commit}")).fails(1).says("unset AGENT_ID");
    sh(&tree, &format!("export AGENT_ID=a1; unset AGENT_ID; {commit}")).ok();
}

#[test]
fn an_edit_in_another_worktree_is_made_in_ones_own() {
    let (scratch, tree) = Scratch::installed();
    let edit = |root: &std::path::Path| {
        let path = root.join("services/rag_pipeline/own.py");
        let payload = json!({ "hook_event_name": "PreToolUse", "cwd": tree.root, "tool_name": "Write",
            "tool_input": { "file_path": path, "content": "x" } });
        tree.lane_stdin(&["hook", "agent", "claude"], payload.to_string().as_bytes())
    };
    let told = edit(&scratch.root()).fails(2).says("[foreign-worktree]").err;
    let place = told.split("make the edit in your own worktree: ").nth(1).unwrap().lines().next().unwrap();
    edit(std::path::Path::new(place)).ok();
}

#[test]
fn a_message_of_no_type_is_written_anew() {
    for commits in 1..3 {
        let (_scratch, tree) = installed("types: []", "types: [feat, fix]");
        tree.write("services/rag_pipeline/own.py", "x\n");
        tree.git(&["add", "-A"]).ok();
        tree.git(&["commit", "-q", "-m", "own"])
            .fails(1)
            .says("start it with `<type>: `, where the type is one of");
        tree.git(&["reset", "-q", "--hard"]).ok();
        for n in 0..commits {
            tree.sneak(&format!("services/rag_pipeline/{n}.py"), "x\n", &format!("[A2] number {n}"));
        }
        typed(&tree, &commands(&tree.git(&PUSH).fails(1).says("[message-format]").all()));
        tree.git(&PUSH).ok();
        let said = tree.git(&["log", "--format=%s", "origin/main..", "--grep", "fix: number"]).out;
        assert_eq!(said.lines().count(), commits, "{said}");
    }
}

#[test]
fn a_change_that_is_too_large_goes_in_parts() {
    let (_scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", &"x\n".repeat(200), "feat: a").ok();
    tree.write("services/rag_pipeline/b.py", "x\n".repeat(200));
    tree.git(&["add", "-A"]).ok();
    let commit = ["commit", "-q", "-m", "feat: b"];
    let told = commands(&tree.git(&commit).fails(1).says("[oversized-change]").all());
    assert_eq!(told.len(), 2, "{told:?}");
    typed(&tree, &told);
    tree.git(&commit).ok();
    tree.git(&PUSH).ok();
    // All of it is committed already.
    let (_scratch, tree) = Scratch::installed();
    for name in ["a", "b"] {
        tree.sneak(
            &format!("services/rag_pipeline/{name}.py"),
            &"x\n".repeat(200),
            &format!("[A2] feat: {name}"),
        );
    }
    typed(&tree, &commands(&tree.git(&PUSH).fails(1).says("[oversized-change]").all()));
    tree.git(&PUSH).ok();
}

#[test]
fn a_policy_with_a_mistake_is_mended() {
    let (scratch, _tree) = Scratch::installed();
    let main = scratch.main();
    main.lane(&["install"]).ok();
    let wrong = POLICY.replace("merges: deny", "merges: denied");
    let commit = ["commit", "-q", "-m", "chore: policy"];
    main.write("policy.yaml", &wrong);
    main.git(&["add", "-A"]).ok();
    let told = commands(&main.git(&commit).fails(1).says("[policy-mistake]").all());
    assert_eq!(told, ["git lane policy check", "git add -- policy.yaml"]);
    assert_eq!(sh(&main, &told[0]).says("denied").code, 2);
    main.write("policy.yaml", POLICY.replace("warn_at: 240", "warn_at: 200"));
    typed(&main, &told[1..]);
    main.git(&commit).ok();
    // Past the hooks of a commit.
    main.sneak("policy.yaml", &wrong, "chore: wrong");
    let told = commands(&main.git(&["push", "-q", "origin", "main"]).fails(1).all());
    assert_eq!(told, ["git lane policy check", "git commit -- policy.yaml"]);
    main.write("policy.yaml", POLICY.replace("warn_at: 240", "warn_at: 100"));
    sh(&main, "GIT_EDITOR='sed -i \"1s/^/fix: policy/\"' git commit -- policy.yaml").ok();
    main.git(&["push", "-q", "origin", "main"]).ok();
}

#[test]
fn what_was_meant_for_main_becomes_a_branch() {
    let (_scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    for push in [&["push", "-q", "origin", "HEAD:main"][..], &["push", "-q", "origin", "feat/a2/x:main"]] {
        let told = commands(&tree.git(push).fails(1).says("[protected-branch]").all());
        typed(&tree, &told);
    }
    let there = tree.git(&["ls-remote", "origin", "refs/heads/feat/a2/*"]).ok().out;
    assert!(there.contains(&tree.head()), "{there}");
}

/// A `gh` that edits the payload of the job.
fn gh(tree: &Worktree, command: &str, payload: &mut Value) {
    let bin = tree.home.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("gh"), "#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done\n").unwrap();
    sh(tree, &format!("chmod +x '{}/gh'", bin.display())).ok();
    let ran = sh(tree, &format!("PATH='{}':$PATH; {command}", bin.display())).ok();
    let words: Vec<&str> = ran.out.split_terminator('\0').collect();
    match words.as_slice() {
        ["pr", "edit", "7", "--title", title] => payload["pull_request"]["title"] = json!(title),
        ["pr", "edit", "7", "--add-label", label] => {
            payload["pull_request"]["labels"].as_array_mut().unwrap().push(json!({ "name": label }));
        }
        words => panic!("{command}: {words:?}"),
    }
}

#[test]
fn a_pull_request_is_edited_and_passes() {
    let policy = format!("{POLICY}\npull_request: {{ labels: [auto-merge, \"lane {{agent}}\"] }}\n");
    let job = Job::with_policy(&policy.replace("max_age: 3h", "max_age: null"));
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    for title in ["feat: it's $HOME", "[A1] feat: x"] {
        let mut payload = job.payload(|payload| payload["pull_request"]["title"] = json!(title));
        let report = job.on_github(&at, &["--format", "json"], &payload, &[]).fails(1).json();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 3, "{findings:#?}");
        for finding in findings {
            let help = finding["help"].as_str().unwrap();
            let (_, command) = help.split_once(": gh ").unwrap();
            gh(&job.tree, &format!("gh {command}"), &mut payload);
        }
        job.on_github(&at, &[], &payload, &[]).ok();
        let edited = payload["pull_request"]["title"].as_str().unwrap();
        assert!(edited.starts_with("[A2] feat: "), "{edited}");
    }
}

#[test]
fn a_stale_branch_is_synced() {
    let (scratch, tree) = installed("max_age: null", "max_age: 3h");
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("stale-base");
    let main = scratch.main();
    let mut git = main.command("git");
    git.env("GIT_COMMITTER_DATE", "2026-01-02T04:00:00Z");
    Ran::from(git.args(["commit", "-q", "--allow-empty", "-m", "chore: main"]).output().unwrap()).ok();
    main.git(&["push", "-q", "origin", "main"]).ok();
    tree.commit("services/rag_pipeline/b.py", "x\n", "feat: b").ok();
    let ran = tree.git(&PUSH).ok().says("[stale-base]");
    assert_eq!(commands(&ran.all()), ["git lane sync"]);
    typed(&tree, &commands(&ran.all()));
    tree.lane(&["push", "--force-with-lease"]).ok().does_not_say("stale-base");
}

#[test]
fn somebody_is_named_who_was_told() {
    let (_scratch, tree) = Scratch::installed();
    let filled = |told: &[String]| -> Vec<String> {
        told.iter().map(|command| command.replace("AGENT'", "a1'")).collect()
    };
    let ran = tree.commit("requirements.txt", "fastapi\nnumpy\n", "feat: numpy").ok();
    let told = commands(&ran.says("(one of a1, a3, a4)").all());
    assert_eq!(told, ["git commit --amend --no-edit --only --trailer 'Coordinated-with: AGENT'"]);
    let pushed = tree.git(&PUSH).ok().says("[uncoordinated-path]");
    typed(&tree, &filled(&commands(&pushed.all())[..1]));
    tree.lane(&["push", "--force-with-lease"]).ok().does_not_say("uncoordinated-path");
    // As an error, and where there is one to name alone.
    let two = "agents:\n  a1:\n    owns: [one/]\n  a2:\n    owns: [two/]\n";
    let policy = format!(
        "version: 1\n{two}areas: [{{ name: shared, paths: [/requirements.txt], access: coordinate }}]\n\
         branch: {{ pattern: \"feat/{{agent}}/{{feature}}\" }}\nrules: {{ uncoordinated-path: error }}\n"
    );
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let ran = tree.commit("requirements.txt", "numpy\n", "feat: numpy").fails(1);
    let (_, trailer) = ran.err.split_once("commit again with ").unwrap();
    let trailer = trailer.lines().next().unwrap();
    assert_eq!(trailer, "--trailer 'Coordinated-with: a1'");
    sh(&tree, &format!("git commit -q -m 'feat: numpy' {trailer}")).ok();
    tree.git(&PUSH).ok();
}

#[test]
fn a_file_of_nobody_goes_into_the_lane() {
    let (_scratch, tree) = installed("unowned: allow", "unowned: deny");
    let ran = tree.commit("scripts/x.sh", "x\n", "feat: x").fails(1).says("[unowned-path]");
    let ran = ran.says("`git lane policy show`");
    sh(&tree, "git lane policy show").ok().says("rag_pipeline");
    drop(ran);
    sh(&tree, "git mv scripts/x.sh services/rag_pipeline/x.sh").ok();
    tree.git(&["commit", "-q", "-m", "feat: x"]).ok();
    tree.git(&PUSH).ok();
}

#[test]
fn a_released_file_stays_and_a_new_one_is_added() {
    let areas = "areas:\n  - { name: released, paths: [/released/], access: append }";
    let scratch =
        Scratch::with_policy(&POLICY.replacen("areas:", areas, 1).replace("max_age: 3h", "max_age: null"));
    scratch.main().sneak("released/1.sql", "one\n", "release");
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let refused = tree.commit("released/1.sql", "other\n", "feat: one").fails(1);
    refused.all().lines().find(|line| line.contains("write what is new as a file of its own")).unwrap();
    let told = commands(&refused.all());
    sh(&tree, told.iter().find(|command| command.starts_with("git restore --staged")).unwrap()).ok();
    assert_eq!(std::fs::read_to_string(tree.root.join("released/1.sql")).unwrap(), "other\n");
    std::fs::rename(tree.root.join("released/1.sql"), tree.root.join("released/2.sql")).unwrap();
    tree.git(&["add", "released/2.sql"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: two"]).ok();
    assert!(tree.git(&["status", "--porcelain"]).ok().out.starts_with(" D released/1.sql"));
    // In a commit already.
    tree.git(&["restore", "released/1.sql"]).ok();
    tree.sneak("released/1.sql", "other\n", "[A2] feat: one");
    let refused = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    let told = commands(&refused.all());
    sh(&tree, told.iter().find(|command| command.starts_with("git lane drop")).unwrap()).ok();
    assert_eq!(std::fs::read_to_string(tree.root.join("released/1.sql")).unwrap(), "other\n");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}
