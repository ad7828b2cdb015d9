//! What files may be and what may stand in them: `files`, `content`, and the checks that a policy switches on, with real
//! repositories.

use crate::advice::{commands, sh};
use crate::support::ci::Job;
use crate::support::server::{self, Server};
use crate::support::{POLICY, Scratch, Worktree};
use serde_json::json;

/// A key that no provider has given out.
const KEY: &str = concat!("ghp_", "q7Zt2Kx9Wb4Rm8Yc3Hn6Vd5Pf1Lg0JsTkQaU");
const PUSH: [&str; 4] = ["push", "-q", "origin", "HEAD"];

/// The reference policy with limits, and every check that is off by itself.
fn policy() -> String {
    let more = "files: { max_size: 10kB, max_path: 80, forbid: ['*.pem', node_modules/], except: ['*.onnx'] }\n\
                content:\n  - { builtin: secrets, marker: 'lane:allow' }\n  - { name: no-print, pattern: '^\\s*print\\(', \
                in: ['*.py'], except: ['*_test.py'], message: use the logger }\n";
    let rules = "rules: { stale-base: warn, conflict-marker: error, case-conflict: error, line-ending: error, \
                 executable-bit: error, outside-link: error }";
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    assert!(policy.contains("rules: { stale-base: warn }"));
    policy.replace("rules: { stale-base: warn }", rules) + "\n" + more
}

fn installed() -> (Scratch, Worktree) {
    Scratch::installed_with(&policy())
}

fn at(name: &str) -> String {
    format!("services/rag_pipeline/{name}")
}

#[test]
fn a_commit_with_all_of_it() {
    let (_scratch, tree) = installed();
    let long = at(&"l".repeat(80));
    let files: [(&str, String, String); 7] = [
        ("forbidden-file", at("KEY.PEM"), "x\n".into()),
        ("forbidden-file", at("node_modules/a.js"), "x\n".into()),
        ("large-file", at("a.bin"), "x".repeat(10_001)),
        ("long-path", long, "x\n".into()),
        ("forbidden-content", at("a.py"), "if a:\n    print(a)\n".into()),
        ("exposed-secret", at("b.py"), format!("x\nkey = '{KEY}'\n")),
        ("case-conflict", at("MAIN.py"), "x\n".into()),
    ];
    for (rule, path, text) in files {
        tree.write(&path, text);
        tree.git(&["add", "-A"]).ok();
        let ran = tree.git(&["commit", "-q", "-m", "feat: it"]).fails(1);
        ran.says(&format!("[{rule}]")).says(&path).does_not_say(&KEY[4..]);
        tree.git(&["rm", "-q", "-f", "--", &path]).ok();
    }
    for (rule, script) in [
        ("conflict-marker", "printf 'a\\n<<<<<<< HEAD\\nb\\n' >main.py; git add ."),
        ("line-ending", "printf 'a\\r\\nb\\n' >new.py; git add ."),
        ("executable-bit", "printf '#!/bin/sh\\n' >run; git add ."),
        ("executable-bit", "echo text >note; chmod +x note; git add ."),
        ("outside-link", "ln -s ../../../x link; git add ."),
    ] {
        sh(&tree, &format!("cd services/rag_pipeline; {script}")).ok();
        tree.git(&["commit", "-q", "-m", "feat: it"]).fails(1).says(&format!("[{rule}]"));
        tree.git(&["reset", "-q", "--hard"]).ok();
    }
}

#[test]
fn what_may_be_there() {
    let (_scratch, tree) = installed();
    tree.write(&at("model.onnx"), "x".repeat(20_000));
    tree.write(&at("a_test.py"), "print(1)\n");
    tree.write(&at("a.md"), "print(1)\nTitle\n=======\n");
    tree.write(&at("fixture.py"), format!("key = '{KEY}'  # lane:allow\n"));
    tree.write(&at("binary"), format!("\0{KEY}\r\n"));
    sh(&tree, "cd services/rag_pipeline; ln -s main.py link; printf '#!/bin/sh\\n' >run; chmod +x run").ok();
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: it"]).ok().does_not_say("[");
    tree.git(&PUSH).ok();
}

#[test]
fn lines_that_were_there_are_nobodys_breach() {
    let scratch = Scratch::with_policy(&policy());
    let main = scratch.main();
    let text = format!("a\n{KEY}\nprint(1)\nb\n");
    main.sneak(&at("old.py"), &text, "chore: old");
    main.sneak(&at("windows.py"), "a\r\nb\r\n", "chore: old");
    main.sneak(&at("old.pem"), "x\n", "chore: old");
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    // An edit beside them, and the file under another name.
    tree.write(&at("old.py"), format!("new\n{text}new\n"));
    tree.write(&at("windows.py"), "a\r\nb\r\nc\r\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: beside"]).ok();
    tree.git(&["mv", &at("old.py"), &at("renamed.py")]).ok();
    tree.git(&["rm", "-q", &at("old.pem")]).ok();
    tree.git(&["commit", "-q", "-m", "feat: renamed"]).ok();
    tree.git(&PUSH).ok();
    // The same words on a new line.
    tree.write(&at("renamed.py"), format!("new\n{text}new\nprint(1)\n"));
    tree.git(&["commit", "-q", "-a", "-m", "feat: again"]).fails(1).says("`no-print` in line 7");
}

#[test]
fn a_merge_brings_nothing_of_its_own() {
    let (scratch, tree) = installed();
    tree.commit(&at("a.py"), "x\n", "feat: a").ok();
    let main = scratch.main();
    main.sneak(&at("main.py"), &format!("{KEY}\nprint(1)\n"), "chore: of main");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.git(&["merge", "-q", "-m", "Merge main", "origin/main"]).ok();
    tree.git(&PUSH).ok();
    // What somebody puts into a merge is theirs.
    main.sneak(&at("other.py"), "x\n", "chore: more of main");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.git(&["merge", "-q", "--no-commit", "origin/main"]);
    tree.write(&at("other.py"), "x\n  print(2)\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "Merge main"]).fails(1).says("`no-print` in line 2");
    tree.git(&["commit", "-q", "--no-verify", "-m", "Merge main"]).ok();
    tree.git(&PUSH).fails(1).says("`no-print` in line 2");
}

#[test]
fn a_push_has_what_a_later_commit_took_out() {
    let (_scratch, tree) = installed();
    tree.sneak(&at("a.py"), &format!("a\n{KEY}\n"), "[A2] feat: a");
    tree.sneak(&at("big.bin"), &"x".repeat(20_000), "[A2] feat: big");
    tree.sneak(&at("m.py"), "<<<<<<< HEAD\n", "[A2] feat: m");
    tree.sneak(&at("m.py"), "resolved\n", "[A2] feat: resolved");
    tree.git(&["rm", "-q", &at("big.bin")]).ok();
    tree.git(&["commit", "-q", "--no-verify", "-m", "[A2] feat: no more"]).ok();
    tree.sneak(&at("a.py"), "a\n", "[A2] feat: out again");
    let ran = tree.git(&PUSH).fails(1).says("(ghp_…) in line 2 of commit ").says("[large-file]");
    let told = commands(&ran.does_not_say("conflict").all());
    // What is told leads on, and leaves the edits.
    for command in told {
        sh(&tree, &command).ok();
    }
    assert_eq!(std::fs::read_to_string(tree.root.join(at("a.py"))).unwrap(), "a\n");
    tree.git(&["commit", "-q", "-m", "feat: a"]).ok();
    tree.git(&PUSH).ok();
}

#[test]
fn what_is_told_of_staged_lines_leads_on() {
    let (_scratch, tree) = installed();
    tree.write(&at("a.py"), "print(1)\n");
    tree.git(&["add", "-A"]).ok();
    let commit = ["commit", "-q", "-m", "feat: a"];
    let told = commands(&tree.git(&commit).fails(1).says("use the logger").all());
    tree.write(&at("a.py"), "log(1)\n");
    assert_eq!(told, [format!("git add -- {}", at("a.py"))]);
    sh(&tree, &told[0]).ok();
    tree.git(&commit).ok();
    for (rule, wrong, right) in [
        ("conflict-marker", "a\n>>>>>>> x\n", "a\n"),
        ("line-ending", "a\r\n", "b\n"),
        ("exposed-secret", KEY, "c\n"),
    ] {
        tree.write(&at("b.txt"), wrong);
        tree.git(&["add", "-A"]).ok();
        let told = commands(&tree.git(&commit).fails(1).says(&format!("[{rule}]")).all());
        tree.write(&at("b.txt"), right);
        assert_eq!(told, [format!("git add -- {}", at("b.txt"))]);
        sh(&tree, &told[0]).ok();
        tree.git(&commit).ok();
    }
    // `commit -a` stages by itself.
    tree.write(&at("a.py"), "print(1)\n");
    tree.git(&["commit", "-q", "-a", "-m", "feat: b"]).fails(1).says("use the logger, then commit again");
    // The mode of what is staged.
    tree.write(&at("a.py"), "log(2)\n");
    tree.write(&at("run"), "#!/bin/sh\n");
    tree.git(&["add", "-A"]).ok();
    let told = commands(&tree.git(&commit).fails(1).says("[executable-bit]").all());
    assert_eq!(told, [format!("git update-index --chmod=+x -- {}", at("run"))]);
    sh(&tree, &told[0]).ok();
    tree.git(&commit).ok();
}

#[test]
fn what_is_told_of_files_leads_on() {
    for (rule, script) in [
        ("forbidden-file", "echo x >a.pem"),
        ("large-file", "head -c 20000 /dev/zero >big.bin"),
        ("long-path", "echo x >$(printf 'l%.0s' $(seq 80))"),
        ("case-conflict", "echo x >MAIN.py"),
        ("outside-link", "ln -s /etc/passwd link"),
    ] {
        for is_committed in [false, true] {
            let (_scratch, tree) = installed();
            let script = format!("cd services/rag_pipeline; {script}; echo own >own.py; git add -A");
            sh(&tree, &script).ok();
            let refused = if is_committed { PUSH.as_slice() } else { &["commit", "-q", "-m", "feat: it"] };
            if is_committed {
                tree.git(&["commit", "-q", "--no-verify", "-m", "[A2] feat: it"]).ok();
            }
            let before = sh(&tree, "cd services/rag_pipeline; ls; git status -s").out;
            let told = commands(&tree.git(refused).fails(1).says(&format!("[{rule}]")).all());
            assert!(!told.is_empty(), "{rule}");
            told.iter().for_each(|command| drop(sh(&tree, command).ok()));
            tree.git(refused).ok();
            let after = sh(&tree, "cd services/rag_pipeline; ls; git status -s").out;
            let files = |text: &str| text.lines().filter(|line| !line.contains(' ')).count();
            assert_eq!(files(&before), files(&after), "{rule}: {before}{after}");
        }
    }
}

#[test]
fn maintainers_too() {
    let scratch = Scratch::with_policy(&policy());
    let main = scratch.main();
    main.lane(&["install"]).ok();
    main.write("key.pem", "x\n");
    main.write("a.py", format!("{KEY}\n"));
    main.git(&["add", "-A"]).ok();
    main.git(&["commit", "-q", "-m", "chore: it"]).fails(1).says("[forbidden-file]").says("[exposed-secret]");
}

#[test]
fn before_an_edit_paths_are_known() {
    let (_scratch, tree) = installed();
    let edit = |path: &str, key: &str, text: &str| {
        let payload = json!({ "hook_event_name": "PreToolUse", "cwd": tree.root, "tool_name": "Write",
            "tool_input": { "file_path": tree.root.join(path), key: text } });
        tree.lane_stdin(&["hook", "agent", "claude"], payload.to_string().as_bytes())
    };
    edit(&at("a.pem"), "content", "x").fails(2).says("[forbidden-file]");
    edit(&at(&"l".repeat(80)), "content", "x").fails(2).says("[long-path]");
    edit(&at("a.py"), "content", "x").ok();
    // What is to be written, where the harness says so.
    let text = format!("a\nkey = '{KEY}'\n");
    let ran = edit(&at("a.py"), "content", &text).fails(2).says("(ghp_…) in what is to be written");
    ran.does_not_say(&KEY[4..]);
    edit(&at("main.py"), "new_string", "  print(1)")
        .fails(2)
        .says("[forbidden-content]")
        .says("use the logger");
    // It is there already.
    tree.write(&at("main.py"), format!("  print(1)\n{text}"));
    edit(&at("main.py"), "content", &format!("x\n  print(1)\n{text}")).ok();
}

#[test]
fn a_server_and_a_job_say_the_same() {
    let policy = policy();
    let server = Server::with(&policy);
    let tree = server.clone("c", "feat/a2/x");
    tree.sneak(&at("a.py"), &format!("a\n{KEY}\n"), "[A2] feat: a");
    tree.sneak(&at("b.pem"), "x\n", "[A2] feat: b");
    let ran = server::push(&tree, &["HEAD"]).fails(1).says("(ghp_…) in line 2");
    ran.says("[forbidden-file]").does_not_say(&KEY[4..]);

    let job = Job::with_policy(&policy);
    job.commit(&at("a.py"), &format!("a\n{KEY}\n"), "[A2] feat: a");
    job.push();
    let checkout = job.checkout(&[]);
    let report = job.on_github(&checkout, &["--format", "json"], &job.payload(|_| {}), &[]).fails(1).json();
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["line"]), (&"exposed-secret".into(), &2.into()));
    let log = job.on_github(&checkout, &[], &job.payload(|_| {}), &[]).fails(1);
    log.says(&format!("file={},line=2", at("a.py")));
}

#[test]
fn a_tree_that_git_does_not_check_out() {
    let server = Server::with(&policy());
    let tree = server.clone("c", "feat/a2/x");
    let script = "blob=$(echo x | git hash-object -w --stdin); \
                  inner=$(printf '100644 blob %s\\tconfig\\n' $blob | git mktree); \
                  root=$( (git ls-tree HEAD; printf '040000 tree %s\\t.GIT\\n' $inner) | git mktree); \
                  git update-ref HEAD $(git commit-tree -p HEAD -m '[A2] feat: x' $root)";
    sh(&tree, script).ok();
    let ran = server::push(&tree, &["HEAD"]).fails(1).says("[git-path]");
    let told = ran.err.lines().find_map(|line| line.split_once("git lane drop ")).unwrap().1;
    sh(&tree, &format!("git lane drop {told}")).ok();
    server::push(&tree, &["HEAD"]).ok();
}

#[test]
fn a_text_of_many_bytes_cannot_be_decided() {
    let (_scratch, tree) = installed();
    let script = "yes 0123456789 | head -c 100000012 >services/rag_pipeline/a.onnx; git add -A";
    sh(&tree, script).ok();
    let ran = tree.git(&["commit", "-q", "-m", "feat: a"]).fails(1);
    ran.says("could not decide").says("is a text of 100 MB");
    // A binary one is not read.
    sh(
        &tree,
        "(printf '\\0'; cat services/rag_pipeline/a.onnx) >b.onnx; mv b.onnx services/rag_pipeline/a.onnx",
    )
    .ok();
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: a"]).ok();
}

#[test]
fn mistakes_have_their_places() {
    for (text, told) in [
        ("files: { max_size: much }", "size of a file `much`"),
        ("files: { max_size: 5MB, forbid: ['!x'] }", "patterns cannot be negated"),
        ("files: { maxsize: 5MB }", "did you mean `max_size`"),
        ("files: { except: [x] }", "`files.except` has nothing to except from"),
        ("files: { extensions: ['*.exe'] }", "write exe; patterns go under `files.forbid`"),
        ("files: { extensions: [a/exe] }", "`a/exe` is no file extension"),
        ("content: secret", "did you mean `secrets`"),
        ("content: [{ pattern: a }]", "has no `name`"),
        ("content: [{ name: a }]", "has no `pattern`"),
        ("content: [{ name: a, pattern: a, builtin: secrets }]", "has both `builtin` and `pattern`"),
        ("content: [{ name: a, pattern: '[z-a]' }]", "invalid character class range"),
        ("content: [{ name: a, pattern: '\\Ax' }]", "`\\A` has no meaning in `content`"),
        ("content: [{ name: a, pattern: '(\\w{1000}){100}' }]", "it would take more than 2 MB of memory"),
        (
            "content: [{ name: a, pattern: x }, { name: a, pattern: y }]",
            "two entries of `content` are called `a`",
        ),
    ] {
        let scratch = Scratch::with_policy(&format!("version: 1\n{text}\n"));
        scratch.lane(&["policy", "check"]).fails(2).says(told);
    }
    // The caret stands inside of the pattern.
    let scratch = Scratch::with_policy("version: 1\ncontent: [{ name: a, pattern: 'abc(def' }]\n");
    let ran = scratch.lane(&["policy", "check"]).fails(2).says("unclosed group");
    let lines: Vec<&str> = ran.out.lines().collect();
    let line = lines.iter().position(|line| line.contains("content:")).unwrap();
    assert_eq!(lines[line].find('('), lines[line + 1].find('^'), "{}", ran.out);
}
