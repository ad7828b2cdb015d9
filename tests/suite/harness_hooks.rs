//! What git-lane answers to the hooks of harnesses, and the files that it writes for them. The real programs are in
//! `harnesses`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Ran, Scratch, Worktree};

/// A repository with agents a2 and a4 at work, each in a worktree of its own.
fn two() -> (Scratch, Worktree, Worktree) {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = |agent: &str, place: &str| {
        let tree = scratch.worktree(place, &format!("feat/{agent}/x"));
        tree.lane(&["install", "--agent", agent]).ok();
        tree
    };
    let (a2, a4) = (tree("a2", "a2"), tree("a4", "wt-a4-platform"));
    (scratch, a2, a4)
}

fn ask(tree: &Worktree, harness: &str, payload: &Value) -> Ran {
    tree.lane_stdin(&["hook", "agent", harness], payload.to_string().as_bytes())
}

/// What Claude Code's hook says to a tool.
fn claude(tree: &Worktree, tool: &str, input: Value) -> Ran {
    let payload =
        json!({ "hook_event_name": "PreToolUse", "cwd": tree.root, "tool_name": tool, "tool_input": input });
    ask(tree, "claude", &payload)
}

fn edit(tree: &Worktree, path: &str) -> Ran {
    claude(tree, "Edit", json!({ "file_path": tree.root.join(path), "old_string": "a", "new_string": "b" }))
}

fn shell(tree: &Worktree, line: &str) -> Ran {
    claude(tree, "Bash", json!({ "command": line }))
}

/// A refusal: exit 2, the reason on standard error, and one JSON object that says the same.
#[track_caller]
fn refused(ran: Ran, words: &str) {
    let ran = ran.fails(2);
    assert!(ran.err.contains(words), "no `{words}` in:\n{}", ran.err);
    assert!(ran.err.contains("help:"), "no next step in:\n{}", ran.err);
    let said = ran.json();
    assert_eq!(said["hookSpecificOutput"]["permissionDecision"], "deny");
    let reason = said["hookSpecificOutput"]["permissionDecisionReason"].as_str().unwrap();
    assert!(reason.contains(words), "{reason}");
}

#[track_caller]
fn allowed(ran: Ran) {
    let ran = ran.ok();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "a pass says nothing");
}

#[test]
fn an_edit_is_judged_as_its_commit_will_be() {
    let (_scratch, a2, _) = two();
    allowed(edit(&a2, "services/rag_pipeline/new.py"));
    refused(edit(&a2, "services/revenue/main.py"), "foreign-path");
    refused(edit(&a2, "services/revenue/new.py"), "foreign-path");
    refused(edit(&a2, "policy.yaml"), "protected-path");
    refused(edit(&a2, ".agent.env"), "local-file");
    refused(edit(&a2, "services/common/x.py"), "git lane lock common");
    a2.lane(&["lock", "common"]).ok();
    allowed(edit(&a2, "services/common/x.py"));
    a2.git(&["branch", "-m", "mine"]).ok();
    refused(edit(&a2, "services/rag_pipeline/new.py"), "git branch -m feat/a2/mine");
}

#[test]
fn a_session_keeps_to_its_own_worktree() {
    let (scratch, a2, a4) = two();
    let from =
        |tree: &Worktree, path: PathBuf| claude(tree, "Write", json!({ "file_path": path, "content": "" }));
    let own = a2.root.display().to_string();
    refused(from(&a2, a4.root.join("services/rag_pipeline/x.py")), &own);
    refused(from(&a2, scratch.root().join("services/rag_pipeline/x.py")), "in the main checkout");
    // The folder that the session was started in counts, and not where it has gone since.
    let payload = json!({ "hook_event_name": "PreToolUse", "cwd": a4.root, "tool_name": "Write",
        "tool_input": { "file_path": a4.root.join("services/revenue/x.py"), "content": "" } });
    let mut command = a4.command(crate::support::LANE);
    command.args(["hook", "agent", "claude"]).env("CLAUDE_PROJECT_DIR", &a2.root);
    refused(crate::support::with_input(command, payload.to_string().as_bytes()), "foreign-worktree");
    // A link is followed to where the write ends up.
    std::os::unix::fs::symlink(a2.root.join("services/revenue"), a2.root.join("services/rag_pipeline/link"))
        .unwrap();
    refused(edit(&a2, "services/rag_pipeline/link/main.py"), "foreign-path");
    refused(edit(&a2, "services/rag_pipeline/../revenue/main.py"), "foreign-path");
    refused(edit(&a2, ".git"), "git's own");
    allowed(from(&a2, scratch.home().join("elsewhere.txt")));
}

#[test]
fn a_session_without_a_lane_is_told_how_to_get_one() {
    let (scratch, ..) = two();
    let fresh = scratch.worktree("fresh", "worktree-fresh");
    refused(edit(&fresh, "services/revenue/x.py"), "git lane join");
    let start = json!({ "hook_event_name": "SessionStart", "cwd": fresh.root, "source": "startup" });
    ask(&fresh, "claude", &start).ok().says("has no lane").says("git lane join");
}

#[test]
fn commands_that_go_round_the_hooks_are_refused_with_the_lawful_way() {
    let (scratch, a2, _) = two();
    refused(shell(&a2, "git commit --no-verify -m x"), "skips the hooks");
    refused(shell(&a2, "cd services && git push --force"), "git lane push --force-with-lease");
    refused(shell(&a2, "git -c core.hooksPath=/dev/null commit -m x"), "core.hookspath");
    refused(shell(&a2, "bash -c 'git lane uninstall'"), "takes the hooks away");
    refused(shell(&a2, "echo x > services/revenue/main.py"), "foreign-path");
    refused(shell(&a2, "cd services/revenue && sed -i s/a/b/ main.py"), "foreign-path");
    refused(shell(&a2, "rm -rf services/revenue"), "foreign-path");
    refused(shell(&a2, "git worktree remove --force ../wt-a4-platform"), "git lane teardown ID");
    scratch.main().lane(&["teardown", "a4"]).ok();
    refused(shell(&a2, "cp policy.yaml services/revenue/"), "foreign-path");
    for line in [
        "git status",
        "git commit -m '[A2] x'",
        "cargo test && ls",
        "cat services/revenue/main.py",
        "echo 'unclosed",
    ] {
        allowed(shell(&a2, line));
    }
}

#[test]
fn copies_and_moves_are_edits_of_what_they_write() {
    let (_scratch, a2, _) = two();
    a2.write("services/rag_pipeline/sub/deep.py", "x\n");
    for line in [
        "cp services/rag_pipeline/main.py services/revenue",
        "cp -t services/revenue services/rag_pipeline/main.py",
        "cp -r services/rag_pipeline/sub services/revenue/",
        "mv services/rag_pipeline/main.py services/revenue/",
        "mv services/revenue/main.py services/rag_pipeline/other.py",
        "echo x >new.txt && cp new.txt services/revenue/",
        "install -m 755 services/rag_pipeline/main.py services/revenue/x",
    ] {
        refused(shell(&a2, line), "foreign-path");
    }
    for line in [
        "cp services/revenue/main.py services/rag_pipeline/copy.py",
        "cp services/revenue/main.py services/revenue/new.py services/rag_pipeline/sub",
        "cp -r services/revenue /tmp/elsewhere",
        "cat services/revenue/main.py; cp services/rag_pipeline/main.py services/rag_pipeline/sub/",
        "mv services/rag_pipeline/main.py services/rag_pipeline/sub/",
    ] {
        allowed(shell(&a2, line));
    }
}

/// What is said with a pass.
#[track_caller]
fn told(ran: Ran) -> String {
    let ran = ran.ok();
    assert_eq!(ran.err, "");
    let output = &ran.json()["hookSpecificOutput"];
    assert!(output.get("permissionDecision").is_none(), "{}", ran.out);
    output["additionalContext"].as_str().unwrap().to_owned()
}

#[test]
fn the_size_so_far_is_told_before_the_commit_is_refused() {
    let (_scratch, a2, _) = two();
    let (big, other) = ("services/rag_pipeline/big.py", "services/rag_pipeline/other.py");
    allowed(edit(&a2, big));
    a2.write(big, "x\n".repeat(250));
    let text = told(edit(&a2, other));
    assert!(text.contains("the whole change has 250 lines; the limit is 300"), "{text}");
    assert!(text.contains("git lane push") && text.contains("git switch -c"), "{text}");
    allowed(edit(&a2, other)); // told once
    a2.write(big, "x\n".repeat(310));
    let text = told(edit(&a2, other));
    assert!(text.contains("310 lines, more than the 300 allowed"), "{text}");
    a2.write(big, "x\n");
    allowed(edit(&a2, other));
    // What is committed counts as well, and what was moved is not counted twice.
    a2.write(big, "y\n".repeat(200));
    a2.git(&["add", "-A"]).ok();
    a2.git(&["commit", "-q", "-m", "[A2] feat: more"]).ok();
    allowed(edit(&a2, other));
    a2.git(&["mv", big, "services/rag_pipeline/moved.py"]).ok();
    a2.write("services/rag_pipeline/moved.py", "y\n".repeat(201));
    allowed(edit(&a2, "services/rag_pipeline/moved.py"));
    allowed(edit(&a2, other));
    a2.lane(&["who", "--mine", other]).ok();
}

#[test]
fn what_is_to_be_coordinated_is_told_at_the_edit() {
    let (scratch, a2, _) = two();
    let text = told(edit(&a2, "requirements.txt"));
    assert!(text.contains("uncoordinated-path") && text.contains("Coordinated-with: AGENT"), "{text}");
    allowed(edit(&a2, "requirements.txt"));
    a2.write("requirements.txt", "fastapi\nhttpx\n");
    a2.git(&["add", "-A"]).ok();
    let command =
        text.lines().find_map(|line| Some(line[line.find("git commit")?..].replace("AGENT", "a1"))).unwrap();
    scratch.run(&a2.root, "sh", &["-c", &format!("{command} -m x")]).ok();
    a2.lane(&["check"]).ok();
    a2.lane(&["who", "--mine", "requirements.txt"]).ok().says("Coordinated-with").says("you may change all");
    let before = json!({ "hook_event_name": "BeforeTool", "cwd": a2.root, "tool_name": "replace",
        "tool_input": { "file_path": "docs/../requirements.txt" } });
    assert_eq!(ask(&a2, "gemini", &before).ok().out, "");
}

#[test]
fn a_lock_is_not_stolen_without_a_reason() {
    let (_scratch, a2, a4) = two();
    a4.lane(&["lock", "common"]).ok();
    refused(shell(&a2, "git lane lock --steal common"), "git lane lock --steal --reason '…' NAME");
    a2.lane(&["lock", "--wait", "1s", "common"]).fails(1);
    allowed(shell(&a2, "git lane lock --steal --reason 'gone home' common"));
    a2.lane(&["lock", "--steal", "--reason", "gone home", "common"]).ok();
}

#[test]
fn every_harness_is_told_no_in_its_own_words() {
    let (_scratch, a2, _) = two();
    let file = a2.root.join("services/revenue/main.py");
    let patch = "*** Begin Patch\n*** Update File: services/rag_pipeline/main.py\n@@\n+x\n*** Add File: services/revenue/y\n+y\n*** End Patch\n";
    for (harness, payload, key) in [
        (
            "codex",
            json!({ "hook_event_name": "PreToolUse", "cwd": a2.root, "tool_name": "apply_patch", "tool_input": { "command": patch } }),
            "hookSpecificOutput",
        ),
        (
            "gemini",
            json!({ "hook_event_name": "BeforeTool", "cwd": a2.root, "tool_name": "replace", "tool_input": { "file_path": "services/revenue/main.py" } }),
            "decision",
        ),
        (
            "cursor",
            json!({ "hook_event_name": "preToolUse", "workspace_roots": [a2.root], "tool_name": "Write", "tool_input": { "file_path": file } }),
            "permission",
        ),
        (
            "copilot",
            json!({ "cwd": a2.root, "toolName": "edit", "toolArgs": { "path": file } }),
            "permissionDecision",
        ),
    ] {
        let ran = ask(&a2, harness, &payload).fails(2).says("foreign-path");
        assert!(ran.json().get(key).is_some(), "{harness}: {}", ran.out);
    }
    let opencode = json!({ "event": "tool", "cwd": a2.root, "project": a2.root, "tool": "edit", "args": { "filePath": file } });
    let ran = ask(&a2, "opencode", &opencode).fails(2).says("foreign-path");
    assert_eq!(ran.out, "");
    let ok = json!({ "hook_event_name": "preToolUse", "workspace_roots": [a2.root], "tool_name": "Write",
        "tool_input": { "file_path": a2.root.join("services/rag_pipeline/x") } });
    assert_eq!(ask(&a2, "cursor", &ok).ok().json()["permission"], "allow");
}

#[test]
fn recorded_payloads_get_an_answer() {
    let (_scratch, a2, _) = two();
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/harness"));
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let harness = name.split('-').next().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("/home/agent/repo", a2.root.to_str().unwrap());
        let ran = a2.lane_stdin(&["hook", "agent", &harness], text.as_bytes());
        assert!(ran.code == 0 || ran.code == 2, "{name}: {}", ran.all());
        assert!(
            ran.out.is_empty()
                || harness == "opencode"
                || name.contains("worktree-create")
                || serde_json::from_str::<Value>(&ran.out).is_ok(),
            "{name}: {}",
            ran.out
        );
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn what_cannot_be_read_is_refused_where_there_is_a_policy() {
    let (scratch, a2, _) = two();
    for payload in
        ["", "x", "[]", "{", "\u{0}", "{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Edit\"}"]
    {
        let ran = a2.lane_stdin(&["hook", "agent", "claude"], payload.as_bytes()).fails(2);
        assert!(ran.err.contains("could not decide"), "{payload}: {}", ran.all());
    }
    let elsewhere = Worktree { root: scratch.home(), home: scratch.home() };
    elsewhere.lane_stdin(&["hook", "agent", "claude"], b"x").ok();
    a2.lane_stdin(&["hook", "agent", "emacs"], b"{}").fails(2).says("unknown harness `emacs`");
}

#[test]
fn the_start_says_who_and_the_stop_what_is_left() {
    let (_scratch, a2, a4) = two();
    a4.lane(&["lock", "common"]).ok();
    let start = json!({ "hook_event_name": "SessionStart", "cwd": a2.root, "source": "startup" });
    let said = ask(&a2, "claude", &start).ok().json();
    let text = said["hookSpecificOutput"]["additionalContext"].as_str().unwrap().to_owned();
    for words in ["you are a2", "rag_pipeline", "feat/a2/x", "Locked by others: common (a4)"] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    assert!(text.chars().count() <= 2_000);
    let stop = |again: bool| json!({ "hook_event_name": "Stop", "cwd": a2.root, "stop_hook_active": again });
    ask(&a2, "claude", &stop(false)).ok();
    a2.write("services/revenue/main.py", "mine\n");
    let ran = ask(&a2, "claude", &stop(false)).ok().says("foreign-path");
    assert_eq!(ran.json()["decision"], "block");
    ask(&a2, "claude", &stop(true)).ok();
}

#[test]
fn who_mine() {
    let (_scratch, a2, _) = two();
    a2.lane(&["who", "--mine", "services/rag_pipeline/x.py"]).ok().says("you may change all of them");
    a2.lane(&["who", "--mine", "services/rag_pipeline/x.py", "services/revenue/y"])
        .fails(1)
        .says("foreign-path");
    a2.lane(&["who", "--mine", "services/common/y"]).fails(1).says("git lane lock common");
    // A folder is what is in it, and what may come into it.
    a2.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    a2.lane(&["who", "--mine", "services/rag_pipeline"]).ok();
    a2.sneak("services/revenue/z.py", "z\n", "[A2] feat: z");
    for folder in ["services/revenue", "services/revenue/", "services", ".", ":/services"] {
        a2.lane(&["who", "--mine", folder]).fails(1).says("services/revenue/z.py");
    }
    a2.lane(&["who", "--mine", "services/threads_adaptor/"]).fails(1).says("services/threads_adaptor/*");
    let below = Worktree { root: a2.root.join("services"), home: a2.home.clone() };
    below.lane(&["who", "--mine", ":/services/revenue/y"]).fails(1).says("services/revenue/y");
    below.lane(&["who", "--mine", ":/services/rag_pipeline/y"]).ok();
    a2.lane(&["who", "--mine", ""]).fails(2).says("a path is empty");
    let said = a2.lane(&["who", "--mine", "--format", "json", "services/revenue/y"]).fails(1).json();
    assert_eq!(said["verdict"], "fail");
}

#[test]
fn hooks_are_written_for_every_worktree_and_taken_out_byte_for_byte() {
    let (scratch, a2, a4) = two();
    let mine = "{\n  // mine\n  \"model\": \"opus\"\n}\n";
    a2.write(".claude/settings.local.json", mine);
    let main = scratch.main();
    main.lane(&["install", "--harness", "claude,codex,gemini,cursor,copilot,opencode"]).ok().says("trust it");
    for tree in [&main, &a2, &a4] {
        let text = fs::read_to_string(tree.root.join(".claude/settings.local.json")).unwrap();
        assert!(text.contains("hook agent claude"), "{text}");
        assert_eq!(
            tree.git(&["status", "--porcelain"]).ok().out,
            "",
            "nothing for `git add -A` to take along"
        );
    }
    let text = fs::read_to_string(a2.root.join(".claude/settings.local.json")).unwrap();
    assert!(text.starts_with("{\n  // mine\n  \"model\": \"opus\""), "{text}");
    assert!(main.root.join(".codex/hooks.json").is_file() && a2.root.join(".codex").is_dir());
    let again = main.lane(&["install", "--harness", "claude,codex,gemini,cursor,copilot,opencode"]).ok();
    assert!(!again.out.contains("created") && !again.out.contains("updated"), "{}", again.out);
    main.lane(&["doctor"]).says("Claude Code asks git-lane before it edits a file");
    let written = fs::read(a4.root.join(".claude/settings.local.json")).unwrap();
    a4.write(".claude/settings.local.json", "{}\n");
    main.lane(&["doctor"]).says("its hooks are gone from").says("git lane install --harness claude");
    main.lane(&["install", "--harness", "claude"]).ok();
    assert_eq!(fs::read(a4.root.join(".claude/settings.local.json")).unwrap(), written);
    main.lane(&["uninstall", "--all"]).ok();
    assert_eq!(fs::read_to_string(a2.root.join(".claude/settings.local.json")).unwrap(), mine);
    assert_eq!(fs::read_to_string(a4.root.join(".claude/settings.local.json")).unwrap(), "{}\n");
    assert!(!main.root.join(".claude").exists() && !main.root.join(".gemini").exists());
    assert!(!main.root.join(".opencode").exists() && !main.root.join(".github").exists());
    assert!(!main.root.join(".codex").exists() && !a2.root.join(".codex").exists());
}

#[test]
fn where_there_is_no_worktree_hooks_are_written_for_the_user() {
    let scratch = Scratch::empty();
    let bare = scratch.home().join("bare.git");
    scratch.run(&scratch.home(), "git", &["init", "-q", "--bare", "bare.git"]).ok();
    let bare = Worktree { root: bare, home: scratch.home() };
    bare.lane(&["install", "--harness", "claude"])
        .fails(2)
        .says("has no worktree to write hooks into")
        .says("git lane install --harness claude --user");
    bare.lane(&["install", "--harness", "claude", "--user"]).ok().says(".claude/settings.json");
}

#[test]
fn a_tracked_file_is_left_to_maintainers() {
    let (scratch, ..) = two();
    let main = scratch.main();
    main.commit(".gemini/settings.json", "{}\n", "settings").ok();
    main.lane(&["install", "--harness", "claude,gemini"]).fails(2).says("--shared").says("--user");
    assert!(!main.root.join(".claude").exists(), "nothing of it is written");
    assert_eq!(fs::read_to_string(main.root.join(".gemini/settings.json")).unwrap(), "{}\n");
    main.lane(&["install", "--harness", "gemini", "--shared"]).ok();
    let text = fs::read_to_string(main.root.join(".gemini/settings.json")).unwrap();
    assert!(text.contains("\"git-lane hook agent gemini\""), "{text}");
    main.lane(&["install", "--harness", "claude", "--user"]).ok();
    assert!(scratch.home().join(".claude/settings.json").is_file());
}

#[test]
fn what_is_in_the_way_is_moved_and_not_overwritten() {
    let (scratch, ..) = two();
    let main = scratch.main();
    let install = || main.lane(&["install", "--harness", "opencode"]);
    let typed = |told: &str| {
        let line = told.lines().find_map(|line| Some(&line[line.find("mv ")?..])).unwrap();
        scratch.run(&main.root, "sh", &["-c", line]).ok();
    };
    main.write(".opencode/plugins/git-lane.ts", "// mine\n");
    typed(&install().fails(2).says("is there, and is not ours").err);
    install().ok();
    assert_eq!(
        fs::read_to_string(main.root.join(".opencode/plugins/git-lane.ts.before")).unwrap(),
        "// mine\n"
    );
    main.write(".git/lane/harness.json", "{");
    typed(&install().fails(2).says("is damaged").err);
    install().ok();
}

/// What Claude Code's hook says to a worktree that a session asks for.
fn worktree(from: &Worktree, name: &str) -> Ran {
    ask(from, "claude", &json!({ "hook_event_name": "WorktreeCreate", "cwd": from.root, "name": name }))
}

#[test]
fn a_worktree_that_is_asked_for_is_a_lane() {
    let (scratch, a2, a4) = two();
    let main = scratch.main();
    let root = |ran: Ran| PathBuf::from(ran.ok().out.strip_suffix('\n').unwrap());
    // The first lane that is free: a2 and a4 are at work.
    let first = root(worktree(&main, "feature"));
    let tree = Worktree { root: first.clone(), home: scratch.home() };
    assert_eq!(tree.git(&["branch", "--show-current"]).ok().out, "feat/a1/main\n");
    assert_eq!(root(worktree(&main, "feature")), first, "the same for the same name");
    assert!(first.join(".agent.env").is_file() && main.git(&["status", "--porcelain"]).ok().out.is_empty());
    assert_eq!(root(worktree(&main, "a4")), a4.root, "by the agent's name");
    assert_ne!(root(worktree(&main, "other/one")), first);
    let none = worktree(&main, "more").fails(2);
    assert_eq!(none.out, "");
    none.says("no lane is free").says("git lane teardown a1");
    worktree(&main, "../x").fails(2).says("is not a valid name");
    // A session of an agent stays with it: one more worktree, where Claude Code would make it.
    let more = root(worktree(&a2, "sub"));
    assert_eq!(more, scratch.root().join(".claude/worktrees/sub"));
    let tree = Worktree { root: more.clone(), home: scratch.home() };
    assert_eq!(tree.git(&["branch", "--show-current"]).ok().out, "feat/a2/sub\n");
    assert_eq!(root(worktree(&a2, "sub")), more);
    worktree(&a2, "a4").fails(2).says("this session is a2's");
    allowed(edit(&tree, "services/rag_pipeline/x.py"));
    refused(edit(&tree, "services/revenue/main.py"), "foreign-path");
    // A subagent's edit there comes from a session in the first one.
    let payload = json!({ "hook_event_name": "PreToolUse", "cwd": more, "tool_name": "Write",
        "tool_input": { "file_path": more.join("services/rag_pipeline/x.py"), "content": "" } });
    let mut command = tree.command(crate::support::LANE);
    command.args(["hook", "agent", "claude"]).env("CLAUDE_PROJECT_DIR", &a2.root);
    allowed(crate::support::with_input(command, payload.to_string().as_bytes()));
    assert_eq!(main.git(&["status", "--porcelain"]).ok().out, "");
}

#[test]
fn a_worktree_is_removed_with_nothing_lost() {
    let (scratch, a2, _) = two();
    let main = scratch.main();
    let removal = |root: &PathBuf| {
        ask(
            &main,
            "claude",
            &json!({ "hook_event_name": "WorktreeRemove", "cwd": main.root, "worktree_path": root }),
        )
    };
    let more = PathBuf::from(worktree(&a2, "sub").ok().out.trim());
    let tree = Worktree { root: more.clone(), home: scratch.home() };
    tree.write("services/rag_pipeline/new.py", "new\n");
    removal(&more).fails(2).says("would be lost: not in git: services/rag_pipeline/new.py");
    fs::remove_file(more.join("services/rag_pipeline/new.py")).unwrap();
    removal(&more).ok();
    assert!(!more.exists());
    assert_eq!(main.git(&["branch", "--list", "*sub"]).ok().out, "", "it is merged");
    main.lane(&["setup", "a1"]).ok();
    let own = PathBuf::from(worktree(&main, "a1").ok().out.trim());
    removal(&own).fails(2).says("git lane teardown a1");
    assert!(own.exists());
    removal(&main.root).fails(2).says("is the main checkout");
}

#[test]
fn without_a_policy_a_worktree_is_what_claude_makes() {
    let scratch = Scratch::empty();
    let main = scratch.main();
    main.commit("a.txt", "a\n", "first").ok();
    let root = PathBuf::from(worktree(&main, "x").ok().out.trim());
    assert_eq!(root, scratch.root().join(".claude/worktrees/x"));
    let tree = Worktree { root: root.clone(), home: scratch.home() };
    assert_eq!(tree.git(&["branch", "--show-current"]).ok().out, "worktree-x\n");
    assert_eq!(worktree(&main, "x").ok().out.trim(), root.to_str().unwrap());
    let removal = json!({ "hook_event_name": "WorktreeRemove", "cwd": main.root, "worktree_path": root });
    ask(&main, "claude", &removal).ok();
    assert_eq!((root.exists(), main.git(&["branch", "--list", "worktree-x"]).ok().out.as_str()), (false, ""));
}

#[test]
fn the_policy_says_which_harnesses_setup_writes_for() {
    let policy = crate::support::POLICY.replace("max_age: 3h", "max_age: null");
    let scratch = Scratch::with_policy(&format!("harness: [claude, codex]\n{policy}"));
    scratch.add_origin();
    let main = scratch.main();
    main.lane(&["setup", "--dry-run", "a1"]).ok().says("would write the hooks of Claude Code, Codex");
    assert!(!main.root.join(".claude").exists());
    main.lane(&["setup", "a1"]).ok().says("wrote the hooks of Claude Code").says("trust it");
    let a1 = Worktree { root: scratch.home().join("wt-a1-mlops"), home: scratch.home() };
    for tree in [&main, &a1] {
        assert!(tree.root.join(".claude/settings.local.json").is_file());
        assert_eq!(tree.git(&["status", "--porcelain"]).ok().out, "");
    }
    assert!(main.root.join(".codex/hooks.json").is_file() && a1.root.join(".codex").is_dir());
    main.lane(&["setup", "a1"]).ok().says("nothing to do");
    let fresh = scratch.worktree("fresh", "worktree-fresh");
    fresh.lane(&["join", "a2"]).ok().says("wrote the hooks of Claude Code");
    assert!(fresh.root.join(".claude/settings.local.json").is_file());
    main.lane(&["uninstall", "--all"]).ok();
    assert!(!main.root.join(".claude").exists() && !main.root.join(".codex").exists());
    main.write("other.yaml", format!("harness: [cluade]\n{policy}"));
    main.lane(&["policy", "check", "other.yaml"]).fails(2).says("did you mean `claude`?");
}

#[test]
fn what_the_repository_uses_is_written_into_later_worktrees() {
    let (scratch, ..) = two();
    let main = scratch.main();
    main.lane(&["install", "--harness", "gemini"]).ok();
    main.lane(&["setup", "a1"]).ok().says("wrote the hooks of Gemini CLI");
    assert!(scratch.home().join("wt-a1-mlops/.gemini/settings.json").is_file());
    main.commit("CLAUDE.md", "# Hello\n", "for Claude Code").ok();
    assert!(main.lane(&["init", "--stdout"]).out.contains("\nharness: [claude]"));
}

#[test]
fn instructions_name_commands_that_exist() {
    let (_scratch, a2, _) = two();
    let mut seen = 0;
    for text in
        [include_str!("../../skills/git-lane/SKILL.md"), include_str!("../../src/harness/instructions.md")]
    {
        for command in text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("git lane ")) {
            crate::advice::sh(&a2, &format!("{command} --help")).ok();
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
    let skill = include_str!("../../skills/git-lane/SKILL.md");
    let head = skill.strip_prefix("---\n").unwrap().split("\n---\n").next().unwrap();
    assert!(head.contains("name: git-lane\n") && head.contains("description: "), "{head}");
}

#[test]
fn a_block_in_agents_md_is_a_maintainers_to_commit() {
    let (scratch, ..) = two();
    let main = scratch.main();
    main.write("AGENTS.md", "# Mine\n");
    main.lane(&["install", "--harness", "codex", "--instructions"]).fails(2).says("--shared");
    let install = || main.lane(&["install", "--harness", "claude,codex", "--shared", "--instructions"]);
    install().ok();
    let text = fs::read_to_string(main.root.join("AGENTS.md")).unwrap();
    assert!(text.starts_with("# Mine\n\n<!-- git-lane: begin -->\n"), "{text}");
    assert!(main.root.join("CLAUDE.md").is_file());
    assert!(!install().ok().out.contains("updated"));
    main.write("AGENTS.md", format!("{text}\nlater\n"));
    main.lane(&["doctor"]).says("Claude Code asks git-lane");
    main.lane(&["uninstall", "--all"]).ok();
    assert_eq!(fs::read_to_string(main.root.join("AGENTS.md")).unwrap(), "# Mine\n\nlater\n");
    assert!(!main.root.join("CLAUDE.md").exists());
}

#[test]
fn instructions_reach_the_harness_that_is_there() {
    let policy = crate::support::POLICY.replace("max_age: 3h", "max_age: null");
    let scratch = Scratch::with_policy(&format!("harness: [claude]\n{policy}"));
    scratch.add_origin();
    scratch.main().lane(&["setup", "a1"]).ok();
    let a1 = Worktree { root: scratch.home().join("wt-a1-mlops"), home: scratch.home() };
    assert!(fs::read_to_string(a1.root.join("CLAUDE.local.md")).unwrap().contains("# You are a1"));
    assert_eq!(a1.git(&["status", "--porcelain"]).ok().out, "");
    let start = json!({ "hook_event_name": "SessionStart", "cwd": a1.root, "source": "startup" });
    ask(&a1, "codex", &start).ok().says("All about your lane: AGENT_FOCUS.md");
}

#[test]
fn doctor_says_what_codex_has_to_be_told() {
    let (scratch, a2, a4) = two();
    let main = scratch.main();
    main.lane(&["install", "--harness", "codex,gemini"]).ok();
    let said = main.lane(&["doctor"]).says("until they are trusted").says("[sandbox_workspace_write]");
    let roots = said.all();
    let roots =
        roots.lines().find_map(|line| Some(&line[line.find("writable_roots = ")?..])).unwrap().to_owned();
    let hooks = main.root.join(".codex/hooks.json");
    fs::create_dir_all(scratch.home().join(".codex")).unwrap();
    let config = format!(
        "[sandbox_workspace_write]\n{roots}\n[hooks.state.\"{}:pre_tool_use:0:0\"]\ntrusted_hash = \"sha256:0\"\n",
        hooks.display()
    );
    fs::write(scratch.home().join(".codex/config.toml"), config).unwrap();
    let said = main.lane(&["doctor"]).all();
    assert!(!said.contains("until they are trusted") && !said.contains("writable_roots"), "{said}");
    fs::create_dir_all(a2.root.join("docs")).unwrap();
    let sub = Worktree { root: a2.root.join("docs"), home: scratch.home() };
    sub.lane(&["doctor"]).says("Gemini CLI finds no hooks").says("--user");
    fs::write(scratch.home().join(".codex/config.toml"), "=").unwrap();
    a4.lane(&["doctor"]).says("cannot be read as TOML");
}
