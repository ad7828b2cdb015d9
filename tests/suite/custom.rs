//! Rules that a team writes itself (`custom`), with real repositories and real commands.

use lane_core::custom::{Answer, Request};
use serde_json::{Value, json};

use crate::support::{LANE, Ran, Scratch, Worktree};

const NO_TODO: &str = "#!/bin/sh\ngit grep -n -I TODO refs/lane/to -- services && exit 1 || test $? = 1\n";

/// The page, whose examples are tried.
const PAGE: &str = include_str!("../../docs/custom.md");

/// A repository with rules, scripts on its base, and the hooks installed for a2.
fn with(custom: &str, scripts: &[(&str, &str)]) -> (Scratch, Worktree) {
    let policy = crate::support::POLICY.replace("max_age: 3h", "max_age: null");
    let scratch = Scratch::with_policy(&format!("{policy}\ncustom:\n{custom}"));
    for (path, text) in scripts {
        scratch.write(path, text);
        scratch.git(&["add", "--chmod=+x", path]).ok();
    }
    scratch.git(&["commit", "-q", "--allow-empty", "-m", "scripts"]).ok();
    Scratch::installed_in(scratch)
}

fn at(name: &str) -> String {
    format!("services/rag_pipeline/{name}")
}

/// The example of a language on the page.
fn example(language: &str) -> &'static str {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    let mut found = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    found.find(|text| text.starts_with("#!")).unwrap()
}

fn stage(tree: &Worktree, name: &str, text: &str) {
    tree.write(&at(name), text);
    tree.git(&["add", "-A"]).ok();
}

fn check(tree: &Worktree) -> Ran {
    tree.lane(&["check", "--staged"])
}

#[test]
fn a_command_runs_once_for_a_commit_that_two_hooks_judge() {
    let policy = crate::support::POLICY.replace("max_age: 3h", "max_age: null, unverified: deny");
    let scratch =
        Scratch::with_policy(&format!("{policy}\ncustom: [{{ id: counted, run: ./scripts/count }}]\n"));
    let log = scratch.home().join("log");
    scratch.write("scripts/count", &format!("#!/bin/sh\necho >>'{}'\n", log.display()));
    scratch.git(&["add", "--chmod=+x", "scripts"]).ok();
    scratch.git(&["commit", "-q", "-m", "scripts"]).ok();
    let (_scratch, tree) = Scratch::installed_in(scratch);
    let runs = |args: &[&str]| {
        std::fs::write(&log, "").unwrap();
        tree.git(args).ok();
        std::fs::read_to_string(&log).unwrap().lines().count()
    };
    stage(&tree, "a.py", "x\n");
    assert_eq!(runs(&["commit", "-q", "-m", "feat: it"]), 1);
    // What no hook of a commit has seen is judged where the branch is moved.
    stage(&tree, "b.py", "x\n");
    assert_eq!(runs(&["commit", "-q", "--no-verify", "-m", "[A2] feat: it"]), 1);
    stage(&tree, "c.py", "x\n");
    assert_eq!(runs(&["commit", "-q", "-m", "feat: it"]), 1);
}

#[test]
fn the_examples_of_the_page_find_what_they_say() {
    for language in ["sh", "python"] {
        let rule = "  - { id: no-todo, when: ['services/**'], run: ./scripts/no-todo, message: name a ticket, timeout: 5m }\n";
        let (_scratch, tree) = with(rule, &[("scripts/no-todo", example(language))]);
        stage(&tree, "a.py", "x\n# TODO(AB-1) fine\n");
        tree.git(&["commit", "-q", "-m", "feat: fine"]).ok();
        stage(&tree, "b.py", "x\n# TODO later\n");
        let ran = tree.git(&["commit", "-q", "-m", "feat: it"]).fails(1);
        ran.says("error[no-todo]: ")
            .says("a TODO without a ticket")
            .says("name a ticket")
            .says("nothing was committed");
        let found = tree.lane(&["check", "--staged", "--format", "json"]).fails(1).json();
        let finding = &found["findings"][0];
        assert_eq!(finding["rule"], "no-todo", "{found:#}");
        if language == "python" {
            assert_eq!((&finding["path"], &finding["line"]), (&json!(at("b.py")), &json!(2)));
            let github = tree.lane(&["check", "--staged", "--format", "github"]).fails(1);
            github.says(&format!("::error file={},line=2,title=git-lane%3A no-todo::", at("b.py")));
        }
        let sarif = tree.lane(&["check", "--staged", "--format", "sarif"]).fails(1).json();
        let run = &sarif["runs"][0];
        let index = usize::try_from(run["results"][0]["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "no-todo");
        // Past the hook, the push and the job say the same.
        tree.git(&["commit", "-q", "--no-verify", "-m", "[A2] feat: it"]).ok();
        tree.git(&["push", "-q", "origin", "HEAD"])
            .fails(1)
            .says("error[no-todo]: ")
            .says("nothing was pushed");
        tree.git(&["push", "-q", "--no-verify", "origin", "HEAD"]).ok();
        let job = ["ci", "--base", "origin/main", "--branch", "feat/a2/x", "--title", "[A2] feat: it"];
        tree.lane(&job).fails(1).says("error[no-todo]: ");
        let timed = tree.lane(&["check", "--timings", "--format", "json"]).fails(1).json();
        let parts: Vec<&str> =
            timed["timings"].as_array().unwrap().iter().map(|it| it["part"].as_str().unwrap()).collect();
        assert!(["gather", "no-todo", "foreign-path"].iter().all(|part| parts.contains(part)), "{parts:?}");
        tree.lane(&["check", "--timings"]).fails(1).says("no-todo  (command)").says("gather  (");
        tree.lane_env(&["hook", "pre-commit"], &[("LANE_TIMINGS", "1")]).ok().says("foreign-path");
        tree.lane(&["rule", "no-todo"]).ok().says("./scripts/no-todo").says("name a ticket");
    }
}

#[test]
fn the_copy_of_the_base_judges() {
    let rule = "  - { id: no-todo, run: './scripts/no todo' }\n";
    let (_scratch, tree) = with(rule, &[("scripts/no todo", NO_TODO)]);
    let rule_with_words = "  - { id: no-todo, run: \"'./scripts/no todo'\" }\n";
    check(&tree).fails(2).says("`scripts/no` is not in the base");
    let (_scratch, tree) = with(rule_with_words, &[("scripts/no todo", NO_TODO)]);
    tree.write("scripts/no todo", "#!/bin/sh\nexit 0\n");
    stage(&tree, "a.py", "TODO\n");
    check(&tree).fails(1).says("refs/lane/to:services/rag_pipeline/a.py:1:TODO");
    tree.lane(&["check", "--worktree"]).fails(1).says("error[no-todo]");
    tree.lane(&["check"]).fails(1).says("error[no-todo]");
}

#[test]
fn what_fails_is_no_pass() {
    let script = "#!/bin/sh\ncat $(dirname $0)/../mode >/dev/null || exit 4\ncase $1 in\n\
                  slow) sleep 60 & sleep 60 ;;\n json) echo '{' ;;\n crash) kill -SEGV $$ ;;\n code) echo why >&2; exit 3 ;;\n\
                  much) head -c 10000000 /dev/zero | tr '\\0' x ;;\n silent) exit 1 ;;\n none) printf '{\"version\":1,\"findings\":[]}' ;;\nesac\n";
    let rule =
        |id: &str, more: &str| format!("  - {{ id: {id}, run: ./scripts/x {id}, needs: mode{more} }}\n");
    let ids = ["json", "crash", "code", "much", "silent", "none"];
    let custom = ids.map(|id| rule(id, "")).concat()
        + &rule("slow", ", timeout: 1s")
        + "  - { id: gone, run: ./scripts/gone }\n  - { id: plain, run: ./requirements.txt }\n  - { id: crlf, run: ./scripts/crlf }\n";
    let (_scratch, tree) =
        with(&custom, &[("scripts/x", script), ("mode", ""), ("scripts/crlf", "#!/bin/sh\r\n")]);
    tree.git(&["rm", "-q", "--cached", "--", "services/rag_pipeline/main.py"]).ok();
    let ran = check(&tree).fails(2);
    for expected in [
        "could not be judged: its JSON could not be read",
        "could not be judged: it failed with exit code 139",
        "could not be judged: it failed with exit code 3: why",
        "could not be judged: it wrote more than 1 MB",
        "could not be judged: it failed with exit code 1, and said nothing",
        "could not be judged: it was ended after 1s",
        "could not be judged: `scripts/gone` is not in the base",
        "could not be judged: `scripts/crlf` has Windows line ends",
        "could not be judged: `requirements.txt` is not executable in the base",
        "policy.yaml:",
    ] {
        assert!(ran.all().contains(expected), "{expected}\n{}", ran.all());
    }
    ran.does_not_say("error[none]");
    tree.git(&["commit", "-q", "-m", "feat: it"]).fails(1).says("nothing was committed");
    // Where it is only observed, it is told.
    let observing = tree.root.join("observing.yaml");
    let policy = std::fs::read_to_string(tree.root.join("policy.yaml")).unwrap();
    std::fs::write(&observing, format!("mode: observe\n{policy}")).unwrap();
    let ran = tree.lane(&["check", "--staged", "--policy", observing.to_str().unwrap()]).ok();
    ran.says("observed, would be refused: could not decide: `code`");
}

#[test]
fn what_the_command_is_told_and_may_do() {
    // It writes what it was told, and does what it should not.
    let script = "#!/bin/sh\ncat >\"$OUT\"\nenv | grep -E '^(GIT|LANE)_' | sort >\"$OUT.env\"\n\
                  git update-ref refs/evil refs/lane/to 2>/dev/null; git hash-object -w --stdin <\"$OUT\" >/dev/null\n\
                  git config user.name evil\ngit cat-file -e refs/lane/to:\"$(printf 'a b/n\\nl')\" || exit 5\n";
    let rule = "  - { id: told, run: ./tools/link, when: ['a b/', '*.md'], except: '*.txt' }\n";
    let (scratch, tree) = with(rule, &[("lib/real", script)]);
    let main = scratch.main();
    std::fs::create_dir(main.root.join("tools")).unwrap();
    std::os::unix::fs::symlink("../lib/real", main.root.join("tools/link")).unwrap();
    main.write("a b/old.md", "one\ntwo\nthree\nfour\n");
    main.git(&["add", "tools", "a b"]).ok();
    main.git(&["commit", "-q", "--no-verify", "-m", "link"]).ok();
    main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    tree.write("a b/n\nl", "text\n");
    tree.write("a b/left.txt", "text\n");
    tree.git(&["mv", "a b/old.md", "a b/new.md"]).ok();
    tree.git(&["add", "-A"]).ok();
    let objects = || scratch.git(&["count-objects", "-v"]).ok().out;
    let before = objects();
    let out = scratch.home().join("told.json");
    let ran: Ran = tree.command(LANE).args(["check", "--staged"]).env("OUT", &out).output().unwrap().into();
    ran.does_not_say("[told]");
    assert_eq!(objects(), before);
    let told: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let schema = Request::json_schema();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&told), "{told:#}");
    assert_eq!(
        (&told["event"], &told["agent"], &told["branch"]),
        (&json!("check"), &json!("a2"), &json!("feat/a2/x"))
    );
    assert_eq!(told["from"]["commit"], json!(tree.head()));
    assert_eq!(told["to"]["tree"], json!(tree.git(&["write-tree"]).ok().out.trim()));
    let files = told["files"].as_array().unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["\"a b/n\\nl\"", "a b/new.md"]);
    assert_eq!((&files[0]["path_hex"], &files[0]["added"]), (&json!("6120622f6e0a6c"), &json!(1)));
    assert_eq!((&files[1]["status"], &files[1]["old_path"]), (&json!("renamed"), &json!("a b/old.md")));
    let variables = std::fs::read_to_string(scratch.home().join("told.json.env")).unwrap();
    let names: Vec<&str> = variables.lines().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(names, ["GIT_DIR", "GIT_NO_LAZY_FETCH", "GIT_TERMINAL_PROMPT"]);
    // Nothing of it is in the repository, and nothing is left behind.
    assert_eq!(scratch.git(&["rev-parse", "-q", "--verify", "refs/evil"]).code, 1);
    assert_eq!(scratch.git(&["config", "user.name"]).code, 1);
    // The page has every key.
    let properties = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut keys = properties(&schema["properties"]);
    for part in schema["$defs"].as_object().unwrap().values().chain([&Answer::json_schema()]) {
        keys.extend(part.get("properties").map(properties).unwrap_or_default());
    }
    for key in keys {
        assert!(PAGE.contains(&key), "docs/custom.md does not have `{key}`");
    }
}

#[test]
fn a_server_runs_only_what_its_administrator_allows() {
    let rule = "  - { id: no-todo, at: [server], run: ./scripts/no-todo }\n";
    let (scratch, tree) = with(rule, &[("scripts/no-todo", NO_TODO)]);
    let server = scratch.home().join("origin.git");
    scratch.run(&server, LANE, &["install", "--server"]).ok();
    stage(&tree, "a.py", "TODO\n");
    tree.git(&["commit", "-q", "-m", "feat: it"]).ok();
    let push = || tree.git(&["push", "-q", "--no-verify", "origin", "HEAD"]);
    push().ok().says("not run on this server: no-todo");
    stage(&tree, "b.py", "TODO\n");
    tree.git(&["commit", "-q", "-m", "feat: again"]).ok();
    scratch.run(&server, LANE, &["doctor"]).says("not run on this server: no-todo");
    scratch.run(&server, "git", &["config", "lane.custom", "true"]).ok();
    push().fails(1).says("error[no-todo]").says("b.py:1:TODO");
}

#[test]
fn a_policy_names_files_that_are_there() {
    let (_scratch, tree) =
        with("  - { id: no-todo, run: ./scripts/no-todo }\n", &[("scripts/no-todo", NO_TODO)]);
    tree.lane(&["policy", "check"]).ok();
    let policy = std::fs::read_to_string(tree.root.join("policy.yaml")).unwrap();
    tree.write("policy.yaml", policy.replace("./scripts/no-todo", "./scripts/nothing, needs: lib"));
    let ran = tree.lane(&["policy", "check"]).fails(2);
    ran.says("`scripts/nothing`, which `no-todo` needs, is not in the repository").says("`lib`, which");
}
