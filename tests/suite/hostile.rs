//! What others chose and git-lane repeats: nothing of it steers a terminal, hides in a log or turns the order of what
//! stands beside it, whichever way it comes in.

use crate::support::server::{Server, push};
use crate::support::{Ran, Scratch, Worktree};

/// No path can have a line feed or a NUL here; everything else that hides, and some that does not.
const HIDDEN: &str = "a\u{1b}[8mb\u{1b}]0;t\u{7}c\rd\u{8}\u{7f}\u{9b}8m\u{61c}\u{200b}\u{200f}\u{202e}\u{2066}\u{feff}\u{e0041}z";
/// What a ref may have of it.
const IN_REF: &str = "a\u{9b}8m\u{61c}\u{200b}\u{202e}\u{2066}\u{e0041}z";

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn harmless(what: &str, ran: &Ran) {
    let all = ran.all();
    let hidden: Vec<String> =
        all.chars().filter(|c| is_hidden(*c)).map(|c| c.escape_unicode().to_string()).collect();
    assert!(hidden.is_empty(), "{what}: {hidden:?} in {all:?}");
    assert!(!all.contains("error: internal error:"), "{what}: {all}");
}

/// The same with colours, of which there are ours and no others.
#[track_caller]
fn harmless_in_colour(what: &str, ran: &Ran) {
    let mut plain = ran.all();
    for code in [
        "0", "1", "2", "31", "32", "33", "1;31", "1;32", "1;33", "1;36", "31;1", "33;1", "35;1", "36", "4",
        "36;1;4",
    ] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    harmless(what, &Ran { code: ran.code, out: plain, err: String::new() });
}

fn each_way(tree: &Worktree, args: &[&str]) {
    let what = args.join(" ");
    harmless(&what, &tree.lane(args));
    harmless(&format!("{what} (JSON)"), &tree.lane(&[args, &["--format", "json"]].concat()));
    harmless_in_colour(&format!("{what} (colours)"), &tree.lane(&[args, &["--color", "always"]].concat()));
}

#[test]
fn what_was_typed() {
    let (_scratch, tree) = Scratch::installed();
    let h = HIDDEN;
    let commands: &[&[&str]] = &[
        &[h],
        &["check", h],
        &["check", &format!("--{h}")],
        &["check", "--format", h],
        &["check", "--color", h],
        &["check", "--agent", h],
        &["check", "--branch", h],
        &["check", "--range", h],
        &["check", "--range", &format!("{h}..HEAD")],
        &["check", "--policy", h],
        &["-C", h, "check"],
        &["-C", h, "status"],
        &["who", h],
        &["who", "services/revenue/x", "--policy", h],
        &["rule", h],
        &["policy", h],
        &["policy", "check", h],
        &["policy", "show", h],
        &["policy", "test", h],
        &["lock", h],
        &["lock", "common", "--ttl", h],
        &["lock", "common", "--agent", h],
        &["lock", "common", "--wait", h],
        &["unlock", h],
        &["locks", h],
        &["status", "--interval", h],
        &["sync", h],
        &["push", h],
        &["pr", "--title", h, "--yes"],
        &["pr", "--base", h, "--yes"],
        &["ci", "--base", h, "--head", h],
        &["ci", "--write", h],
        &["ci", "--write", &format!("json={h}/x")],
        &["request", h],
        &["request", "submit", h, "--reason", h],
        &["request", "submit", "--area", h],
        &["request", "submit", "services/revenue/x", "--file", h, "--reason", "x"],
        &["request", "show", h],
        &["request", "accept", h],
        &["request", "reject", h, "--reason", h],
        &["request", "done", h, "--commit", h],
        &["env", h],
        &["port", h],
        &["run", h, "--", "true"],
        &["run", "a2", "--", h],
        &["setup", h, "--dry-run"],
        &["teardown", h],
        &["install", "--agent", h],
        &["init", "--agents", h],
        &["hook", h],
        &["hook", "commit-msg", h],
        &["conflicts", h],
    ];
    for args in commands {
        // Past a `--` there are no options of ours.
        if args.contains(&"--") {
            harmless(&args.join(" "), &tree.lane(args));
        } else {
            each_way(&tree, args);
        }
    }
    let shown = tree.lane(&["who", h]);
    assert!(shown.all().contains("\\342\\200\\256") || shown.all().contains("\\u{202e}"), "{}", shown.all());
    tree.lane(&["check", "--agent", "a\u{202e}2"]).fails(2).says("a\\u{202e}2");
    tree.lane(&["chec\u{1b}k"]).fails(2).says("chec\\x1bk");
}

#[test]
fn what_the_environment_says() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("x", "x");
    for name in
        ["AGENT_ID", "LANE_GIT_BACKEND", "LANE_LOG", "GIT_INDEX_FILE", "GITHUB_REPOSITORY", "GITHUB_TOKEN"]
    {
        for args in
            [&["check"][..], &["status"], &["lock", "common"], &["ci"], &["hook", "pre-commit"], &["doctor"]]
        {
            harmless(
                &format!("{name} {args:?}"),
                &tree.lane_env(args, &[(name, HIDDEN), ("GITHUB_ACTIONS", "true")]),
            );
        }
    }
    tree.write(".agent.env", format!("export AGENT_ID='{HIDDEN}'\n"));
    each_way(&tree, &["check"]);
    std::fs::remove_file(tree.root.join(".agent.env")).unwrap();
    tree.git(&["config", "lane.agent", HIDDEN]).ok();
    each_way(&tree, &["check"]);
    each_way(&tree, &["doctor"]);
    harmless("LANE_LOG", &tree.lane_env(&["check"], &[("LANE_LOG", "debug")]));
}

#[test]
fn names_and_messages() {
    let (scratch, tree) = Scratch::installed();
    tree.git(&["switch", "-q", "-c", &format!("feat/a2/{IN_REF}")]).ok();
    tree.write(&format!("services/revenue/{HIDDEN}.py"), "x\n");
    tree.git(&["add", "-A"]).ok();
    harmless("git commit", &tree.git(&["commit", "-q", "-m", HIDDEN]));
    each_way(&tree, &["check"]);
    tree.git(&["commit", "-q", "--no-verify", "-m", &format!("{HIDDEN} {HIDDEN}")]).ok();
    for args in [
        &["check"][..],
        &["check", "-v"],
        &["check", "--range", "main..HEAD"],
        &["status"],
        &["conflicts"],
        &["sync"],
        &["pr", "--yes"],
        &["push"],
        &["doctor"],
        &["setup", "a1"],
        &["ci", "--base", "main", "--head", "HEAD"],
    ] {
        each_way(&tree, args);
    }
    for format in ["github", "sarif", "gitlab"] {
        harmless(format, &tree.lane(&["check", "--format", format]));
    }
    let page = scratch.home().join("summary.md");
    let page_name = page.to_str().unwrap();
    let env = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", page_name)];
    harmless("a job", &tree.lane_env(&["check", "--format", "github"], &env));
    let text = std::fs::read_to_string(&page).unwrap();
    harmless("the summary", &Ran { code: 0, out: text, err: String::new() });
    let written = scratch.home().join("report.txt");
    tree.lane(&["ci", "--base", "main", "--head", "HEAD", "--write", &format!("text={}", written.display())]);
    harmless(
        "a written report",
        &Ran { code: 0, out: std::fs::read_to_string(written).unwrap(), err: String::new() },
    );
    harmless("git push", &tree.git(&["push", "origin", "HEAD"]));
    let json = tree.lane(&["check", "--format", "json"]).json();
    assert_eq!(json["branch"], format!("feat/a2/{IN_REF}"), "data is what it was");
}

#[test]
fn locks_and_requests() {
    let (scratch, tree) = Scratch::installed();
    tree.write("patch", format!("one\r\n{HIDDEN}\ntwo\u{85}\n"));
    let reason = format!("because {HIDDEN}");
    for args in [
        &["lock", "common", "--reason", &reason][..],
        &["request", "submit", "services/revenue/x.py", "--file", "patch", "--reason", &reason],
        &["request", "submit", &format!("services/revenue/{HIDDEN}"), "--file", "patch", "--reason", &reason],
    ] {
        harmless(&args.join(" "), &tree.lane(args));
    }
    let other = scratch.worktree("a4", "feat/a4/x");
    for args in [
        &["locks"][..],
        &["locks", "--log"],
        &["locks", "common", "--log"],
        &["lock", "common"],
        &["status"],
        &["request", "list"],
        &["request", "show", "r1"],
        &["request", "reject", "r1", "--reason", &reason],
        &["request", "show", "r1"],
    ] {
        each_way(&other, args);
    }
    let shown = other.lane(&["request", "show", "r1"]).ok();
    assert!(shown.out.contains("one\n") && shown.out.contains("a\\x1b[8mb"), "{}", shown.out);
    // A record that nobody's git-lane wrote.
    let message = format!("{HIDDEN}\n\n{{\"lane-lock\":1,\"area\":\"{IN_REF}\"}}\n");
    let tree_of = tree.git_stdin(&["mktree"], b"").ok().out;
    let oid = tree.git(&["commit-tree", tree_of.trim(), "-m", &message]).ok().out;
    tree.git(&["update-ref", "refs/lane/locks/common", oid.trim()]).ok();
    each_way(&other, &["locks"]);
    each_way(&other, &["lock", "common"]);
    each_way(&other, &["status"]);
}

#[test]
fn policies() {
    let texts = [
        format!("version: 1\nagents:\n  a1: {{ name: \"{HIDDEN}\", services: [\"{HIDDEN}\"] }}\n"),
        format!("version: 1\nagents:\n  \"{IN_REF}\": {{ services: [x] }}\n"),
        format!("version: 1\n{IN_REF}: 1\nagents:\n  a1: {{ services: [x] }}\n"),
        format!("version: 1\n{HIDDEN}: 1\n"),
        format!(
            "version: 1\nagents:\n  a1: {{ services: [x], owns: [\"{IN_REF}/\"] }}\nrules: {{ \"{IN_REF}\": warn }}\n"
        ),
        format!(
            "version: 1\nagents: {{ a1: {{ services: [x] }} }}\nareas: [{{ name: {IN_REF}, paths: [/x], access: {IN_REF} }}]\n"
        ),
        format!(
            "version: 1\nagents: {{ a1: {{ services: [x] }} }}\ntests: [\"a1 may change {IN_REF}\", \"{IN_REF}\"]\n"
        ),
        format!("version: 1\nagents: {{ a1: {{ owns: [x/], env: {{ X: \"{IN_REF}\" }} }} }} # {HIDDEN}\n"),
    ];
    for text in texts {
        let scratch = Scratch::with_policy(&text);
        let tree = scratch.worktree("x", "feat/a1/x");
        tree.write("y/z", "x\n");
        tree.git(&["add", "-A"]).ok();
        for args in [
            &["policy", "check"][..],
            &["policy", "show"],
            &["policy", "test"],
            &["check"],
            &["status"],
            &["doctor"],
            &["who", "x", "y/z"],
            &["env", "a1"],
            &["setup", "--dry-run"],
        ] {
            each_way(&tree, args);
        }
        harmless("a hook", &tree.lane(&["hook", "pre-commit"]));
    }
    // Where the mark stands, with what is before it written out.
    let scratch =
        Scratch::with_policy("version: 1\nagents: { a1: { name: \"a\u{202e}b\", servces: [x] } }\n");
    let said = scratch.lane(&["policy", "check"]).fails(2).out;
    let lines: Vec<&str> = said.lines().collect();
    let at = lines.iter().position(|line| line.contains("\\u{202e}")).unwrap();
    assert_eq!(lines[at].find("servces"), lines[at + 1].find('^'), "{said}");
}

#[test]
fn what_git_says() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    tree.git(&["remote", "set-url", "origin", &format!("../{HIDDEN}")]).ok();
    for args in [&["sync"][..], &["push"], &["locks"], &["status"], &["doctor"]] {
        each_way(&tree, args);
    }
    let other = scratch.worktree("y", "feat/a4/y");
    std::fs::write(other.root.join(".git"), format!("gitdir: {HIDDEN}\n")).unwrap();
    each_way(&tree, &["status"]);
    each_way(&tree, &["doctor"]);
    each_way(&other, &["check"]);
    for backend in ["git", "git2"] {
        for args in [&["check", "--range", IN_REF][..], &["check"], &["who", HIDDEN]] {
            harmless(backend, &tree.lane_env(args, &[("LANE_GIT_BACKEND", backend)]));
            harmless(backend, &other.lane_env(args, &[("LANE_GIT_BACKEND", backend)]));
        }
    }
}

#[test]
fn values_of_an_environment_stay_what_they_are() {
    let policy = "version: 1\nagents:\n  a1: { owns: [x/], env: { X: \"a${Y}b\" } }\n";
    let scratch = Scratch::with_policy(policy);
    let value = "\u{202e}it's\u{1b}\n\n";
    let said = scratch.main().lane_env(&["env", "a1"], &[("Y", value)]).ok();
    harmless("env", &said);
    let script = format!("{}printf '%s.' \"$X\"", said.out);
    assert_eq!(scratch.run(&scratch.home(), "sh", &["-c", &script]).ok().out, format!("a{value}b."));
    let said = scratch.main().lane_env(&["env", "a1", "--format", "json"], &[("Y", value)]).ok();
    harmless("env (JSON)", &said);
    assert_eq!(said.json()["X"], format!("a{value}b"));
}

/// The tree of folders `d0` to `d9` that hold one another to a depth, with ten files in the innermost.
fn bomb(tree: &Worktree, levels: u32, blob: &str) -> String {
    let files: String = (0..10).map(|n| format!("100644 blob {blob}\tf{n}\n")).collect();
    let mut oid = tree.git_stdin(&["mktree"], files.as_bytes()).ok().out.trim().to_owned();
    for _ in 1..levels {
        let folders: String = (0..10).map(|n| format!("040000 tree {oid}\td{n}\n")).collect();
        oid = tree.git_stdin(&["mktree"], folders.as_bytes()).ok().out.trim().to_owned();
    }
    oid
}

/// A commit on top of another, with something at `services/rag_pipeline/bomb` or without it.
fn planted(tree: &Worktree, parent: &str, bomb: Option<&str>) -> String {
    let mut root = String::new();
    let list = |name: &str| tree.git(&["ls-tree", name]).ok().out;
    let inner: String = list(&format!("{parent}:services/rag_pipeline"))
        .lines()
        .filter(|line| !line.ends_with("\tbomb"))
        .map(|line| format!("{line}\n"))
        .chain(bomb.map(|oid| format!("040000 tree {oid}\tbomb\n")))
        .collect();
    let mut below = tree.git_stdin(&["mktree"], inner.as_bytes()).ok().out.trim().to_owned();
    for (folder, name) in [("services", "rag_pipeline"), ("", "services")] {
        root = list(&format!("{parent}:{folder}"))
            .lines()
            .map(|line| match line.ends_with(&format!("\t{name}")) {
                true => format!("040000 tree {below}\t{name}\n"),
                false => format!("{line}\n"),
            })
            .collect();
        below = tree.git_stdin(&["mktree"], root.as_bytes()).ok().out.trim().to_owned();
    }
    assert!(root.contains("services"));
    tree.git(&["commit-tree", &below, "-p", parent, "-m", "[A2] feat: x"]).ok().out.trim().to_owned()
}

fn blob(tree: &Worktree, text: &str) -> String {
    tree.git_stdin(&["hash-object", "-w", "--stdin"], text.as_bytes()).ok().out.trim().to_owned()
}

#[test]
fn folders_that_hold_one_another_are_refused_in_time() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    let (main, one) = (tree.head(), blob(&tree, "x\n"));
    let million = planted(&tree, &main, Some(&bomb(&tree, 6, &one)));
    let billion = planted(&tree, &main, Some(&bomb(&tree, 9, &one)));
    let taken_back = planted(&tree, &billion, None);
    for tip in [&million, &billion, &taken_back] {
        let begun = std::time::Instant::now();
        let refused = push(&tree, &[&format!("{tip}:refs/heads/feat/a2/x")]).fails(1);
        refused.says("too large to be judged").says("lane.maxFiles").says("nothing was pushed");
        // Three times what it may take in a program that is built for use.
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }
    for backend in ["git", "git2"] {
        for args in [
            &["check", "--range", &format!("{main}..{taken_back}")][..],
            &["ci", "--base", &main, "--head", &billion],
        ] {
            let ran = tree.lane_env(args, &[("LANE_GIT_BACKEND", backend)]);
            ran.fails(2).says("too large to be judged");
        }
    }
    let line = format!("refs/heads/x {billion} refs/heads/feat/a2/x {}\n", "0".repeat(40));
    let ran = tree.lane_stdin(&["hook", "pre-push", "origin", "url"], line.as_bytes());
    ran.fails(2).says("too large to be judged").says("nothing was pushed");
}

#[test]
fn a_policy_is_not_held_against_files_without_end() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    let billion = planted(&tree, "HEAD", Some(&bomb(&tree, 9, &blob(&tree, "x\n"))));
    tree.git(&["update-ref", "refs/heads/main", &billion]).ok();
    for args in [&["policy", "check"][..], &["policy", "check", "--format", "json"], &["policy", "test"]] {
        let begun = std::time::Instant::now();
        tree.lane(args).fails(2).says("could not be checked").says("git config lane.maxFiles");
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }
}

#[test]
fn how_many_files_is_a_setting() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    let main = tree.head();
    let thousand = bomb(&tree, 3, &blob(&tree, "x\n"));
    let tip = planted(&tree, &main, Some(&thousand));
    let to = format!("{tip}:refs/heads/feat/a2/x");
    push(&tree, &[&to]).fails(1).says("1000 lines").does_not_say("too large to be judged");
    server.git(&["config", "lane.maxFiles", "1500"]).ok();
    push(&tree, &[&to]).fails(1).says("more than 1500 files").says("lane.maxFiles 15000");
    // In so many commits that git is asked for their files.
    let mut script = format!("reset refs/heads/feat/a2/y\nfrom {main}\n\n");
    for n in 0..260 {
        let text = format!("{n}\n");
        script += "commit refs/heads/feat/a2/y\ncommitter T <t@example.com> 0 +0000\ndata 12\n[A2] feat: x";
        for file in 0..10 {
            let path = format!("services/rag_pipeline/bomb/f{file}");
            script += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
    }
    tree.git_stdin(&["fast-import", "--quiet"], script.as_bytes()).ok();
    let to = "feat/a2/y";
    push(&tree, &[to]).fails(1).says("more than 1500 files");
    server.git(&["config", "lane.maxFiles", "3000"]).ok();
    push(&tree, &[to]).ok();
}

#[test]
fn folders_as_deep_as_git_reads_them() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    for (depth, is_read) in [(2030, true), (2100, false)] {
        let path = format!("services/rag_pipeline/{}f", "d/".repeat(depth - 2));
        let from = "from refs/heads/main^0\n";
        let who = "committer T <t@example.com> 0 +0000\ndata 12\n[A2] feat: x";
        let script =
            format!("commit refs/heads/feat/a2/x{depth}\n{who}\n{from}M 100644 inline {path}\ndata 2\nx\n\n");
        tree.git_stdin(&["-c", "core.maxTreeDepth=9999", "fast-import", "--quiet"], script.as_bytes()).ok();
        for backend in ["git", "git2"] {
            let args = ["check", "--range", &format!("main..feat/a2/x{depth}")];
            let ran = tree.lane_env(&args, &[("LANE_GIT_BACKEND", backend)]);
            if is_read {
                ran.ok();
            } else {
                ran.fails(2).says("its folders are nested more than 2048 deep");
            }
        }
    }
}

#[test]
fn messages_without_end_are_not_read() {
    let server = Server::new();
    let tree = server.clone("clone", "feat/a2/x");
    let path = tree.root.join(".git/message");
    let long = |bytes: usize| format!("[A2] feat: x\n\n{}\n", "x".repeat(bytes));
    let commit = |bytes: usize| {
        std::fs::write(&path, long(bytes)).unwrap();
        let ran = tree.git(&["commit-tree", "-p", "main", "main^{tree}", "-F", path.to_str().unwrap()]);
        ran.ok().out.trim().to_owned()
    };
    let large = commit(5_000_000);
    for to in ["refs/heads/feat/a2/x", "refs/tags/v1", "refs/notes/x"] {
        push(&tree, &[&format!("{large}:{to}")])
            .fails(1)
            .says("at most 4000000 are read")
            .says("lane.maxFiles 50")
            .says("could not decide");
    }
    // A tag has a message of its own, and may be one of another tag.
    std::fs::write(&path, long(5_000_000)).unwrap();
    tree.git(&["tag", "-a", "-F", path.to_str().unwrap(), "v1", "main"]).ok();
    tree.git(&["tag", "-a", "-m", "x", "v2", "v1"]).ok();
    for name in ["v1", "v2"] {
        push(&tree, &[name]).fails(1).says("the tag ").says("at most 4000000 are read");
    }
    // As much as people write is read, and more where it is wanted.
    push(&tree, &[&format!("{}:refs/heads/feat/a2/y", commit(500_000))]).ok();
    server.git(&["config", "lane.maxFiles", "600000"]).ok();
    push(&tree, &[&format!("{large}:refs/heads/feat/a2/x"), "v1", "v2"]).ok();
}

#[test]
fn commits_without_files_count_as_well() {
    let server = Server::new();
    let tree = server.clone("clone", "feat/a2/x");
    for _ in 0..5 {
        tree.git(&["commit", "-q", "--allow-empty", "-m", "[A2] feat: x"]).ok();
    }
    server.git(&["config", "lane.maxFiles", "4"]).ok();
    push(&tree, &["HEAD"]).fails(1).says("more than 4 files").says("each commit as one more");
}

#[test]
fn a_blob_that_no_diff_would_show_is_not_read() {
    let server = Server::new();
    let tree = server.clone("clone", "feat/a2/x");
    tree.git(&["config", "core.compression", "1"]).ok();
    let path = tree.root.join("services/rag_pipeline/big");
    // One byte more than core.bigFileThreshold, and no room on the disk.
    std::fs::File::create(&path).unwrap().set_len((512 << 20) + 1).unwrap();
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "[A2] feat: big"]).ok();
    std::fs::remove_file(&path).unwrap();
    push(&tree, &["HEAD"]).ok();
    let said = tree.git(&["diff", "--numstat", "main", "HEAD"]).ok();
    said.says("-\t-\tservices/rag_pipeline/big");
}
