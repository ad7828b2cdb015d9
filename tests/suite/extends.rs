//! A policy of several files: each binds as the policy's own does, and is changed by whoever may change that.

use crate::support::server::{Server, push};
use crate::support::{Scratch, Worktree};

const OWN: &str = "\
version: 1
extends: [policy/shared.yaml]
agents:
  a1: { owns: [/src/] }
  a2: { owns: [/lib/] }
branch: { pattern: 'feat/{agent}/{feature}', protected: [main] }
";

const SHARED: &str = "\
areas:
  - { name: docs, paths: [/docs/], access: owner, owner: a2 }
  - { name: policy, paths: [/policy.yaml], access: maintainer }
";

const SHARED_ON_BASE: &str = "refs/remotes/origin/main:policy/shared.yaml";

fn scratch() -> Scratch {
    let scratch = Scratch::empty();
    for path in ["src/a.rs", "lib/b.rs", "docs/c.md"] {
        scratch.write(path, "x\n");
    }
    scratch.write("policy.yaml", OWN);
    scratch.write("policy/shared.yaml", SHARED);
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.add_origin();
    scratch
}

/// The same with hooks, and a worktree of a1.
fn installed() -> (Scratch, Worktree) {
    let scratch = scratch();
    scratch.lane(&["install"]).ok();
    let tree = scratch.worktree("a1", "feat/a1/x");
    tree.lane(&["install", "--agent", "a1"]).ok();
    (scratch, tree)
}

/// Puts files on main and its remote without asking the hooks.
fn put(scratch: &Scratch, files: &[(&str, &str)]) {
    for (path, text) in files {
        scratch.write(path, text);
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "--no-verify", "-m", "chore: policy"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
}

#[test]
fn what_is_extended_binds_and_is_the_bases() {
    let (scratch, tree) = installed();
    tree.commit("src/n.rs", "x\n", "feat: mine").ok();
    for _ in 0..2 {
        tree.commit("docs/c.md", "y\n", "feat: theirs")
            .fails(1)
            .says("error[foreign-path]")
            .says(&format!("[{SHARED_ON_BASE}:2:27]"));
    }
    tree.git(&["reset", "-q", "--hard"]).ok();
    // The edit, the commit, the push: nobody who is judged by it may change it.
    let edit = format!(
        r#"{{"hook_event_name":"PreToolUse","tool_name":"Edit","cwd":{0:?},"tool_input":{{"file_path":"{1}/policy/shared.yaml","old_string":"a","new_string":"b"}}}}"#,
        tree.root,
        tree.root.display()
    );
    let told = tree.lane_stdin(&["hook", "agent", "claude"], edit.as_bytes());
    assert!(told.all().contains("protected-path"), "{}", told.all());
    let loose = SHARED.replace("access: owner, owner: a2", "access: open");
    tree.commit("policy/shared.yaml", &loose, "feat: loosen")
        .fails(1)
        .says("error[protected-path]")
        .says("[refs/remotes/origin/main:policy.yaml:2:11]");
    tree.git(&["commit", "-q", "--no-verify", "-m", "feat: loosen"]).ok();
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit("docs/c.md", "y\n", "feat: theirs").fails(1).says("foreign-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("protected-path");
    tree.lane(&["who", "docs/c.md"])
        .says("a file that it extends in the working tree differs")
        .says(SHARED_ON_BASE);
    let json = tree.lane(&["check", "--format", "json"]).fails(1).json();
    let finding = &json["findings"][0];
    assert_eq!(
        (&finding["policy"]["line"], &finding["policy"]["file"]),
        (&2.into(), &serde_json::Value::Null)
    );
    // What the base has from now on is what counts from now on.
    tree.git(&["reset", "-q", "--hard", "HEAD~"]).ok();
    put(&scratch, &[("policy/shared.yaml", &loose)]);
    tree.commit("docs/c.md", "y\n", "feat: everybody's").ok();
    tree.lane(&["check"]).ok();
}

#[test]
fn a_policy_that_cannot_be_put_together_lets_nothing_pass() {
    let (scratch, tree) = installed();
    // At the commit that brings it.
    let main = scratch.main();
    main.commit("policy/shared.yaml", "areas: [{ name: docs }]\n", "chore: break it")
        .fails(1)
        .says("policy-mistake")
        .says("policy/shared.yaml:1:9");
    main.git(&["reset", "-q", "--hard"]).ok();
    main.git(&["rm", "-q", "policy/shared.yaml"]).ok();
    main.git(&["commit", "-q", "-m", "chore: without it"])
        .fails(1)
        .says("with a mistake at policy.yaml:2:11: no file policy/shared.yaml");
    main.git(&["commit", "-q", "--no-verify", "-m", "chore: without it"]).ok();
    main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    // And where it is on the base all the same.
    let told = tree.lane(&["check"]).fails(2).says("[refs/remotes/origin/main:policy.yaml:2:11]");
    told.says("error: no file refs/remotes/origin/main:policy/shared.yaml");
    tree.commit("src/n.rs", "x\n", "feat: mine").fails(1).says("nothing was committed");
    std::os::unix::fs::symlink("../src/a.rs", scratch.root().join("policy-link")).unwrap();
    std::fs::create_dir_all(scratch.root().join("policy")).unwrap();
    std::fs::rename(scratch.root().join("policy-link"), scratch.root().join("policy/shared.yaml")).unwrap();
    scratch
        .lane(&["policy", "check"])
        .fails(2)
        .says("error: policy/shared.yaml is a symbolic link")
        .says("[policy.yaml:2:11]");
    put(&scratch, &[]);
    tree.lane(&["check"]).fails(2).says("main:policy/shared.yaml is a symbolic link");
    // A maintainer's repair goes through.
    std::fs::remove_file(scratch.root().join("policy/shared.yaml")).unwrap();
    main.commit("policy/shared.yaml", SHARED, "fix: the policy").ok().says("this change fixes it");
}

#[test]
fn commands_about_the_policy_know_its_files() {
    let scratch = scratch();
    scratch
        .lane(&["policy", "check"])
        .ok()
        .says("policy.yaml and 1 other file: no mistakes; 2 agents, 2 areas, 4 patterns");
    let shown = scratch.lane(&["policy", "show", "--origin"]).ok();
    shown.says("refs/remotes/origin/main:policy/shared.yaml:2:13  areas[0].name: docs").says("\n4:16 ");
    let json = scratch.lane(&["policy", "show", "--origin", "--format", "json"]).ok().json();
    let settings = json["settings"].as_array().unwrap();
    let area = settings.iter().find(|it| it["path"] == "areas[0].name").unwrap();
    assert_eq!(area["place"]["file"], "refs/remotes/origin/main:policy/shared.yaml");
    // What is shown is one file that says the same, of all but the file that is a part of the policy no more.
    let whole = scratch.lane(&["policy", "show"]).ok().out;
    scratch.write("whole.yaml", &whole);
    scratch
        .lane(&["policy", "diff", "policy.yaml", "whole.yaml"])
        .ok()
        .says("Who may change what: 1 of")
        .says("policy/");
    scratch.write("policy/shared.yaml", &SHARED.replace("owner: a2", "owner: a1"));
    scratch.lane(&["policy", "diff"]).ok().says("docs/").says("a2").says("a1");
    scratch.lane(&["policy", "diff", "HEAD:policy.yaml", "main:"]).ok().says("no difference in meaning");
    scratch.lane(&["policy", "try", "--last", "1"]).ok();
    std::fs::write(scratch.home().join("elsewhere.yaml"), OWN).unwrap();
    scratch.lane(&["who", "docs/c.md", "--policy", "../elsewhere.yaml"]).ok().says("a1");
    scratch.write("policy/shared.yaml", "areas: [{ name: docs }]\n");
    let json = scratch.lane(&["policy", "check", "--format", "json"]).fails(2).json();
    assert_eq!(json["diagnostics"][0]["file"], "policy/shared.yaml");
    let sarif = scratch.lane(&["check", "--policy", "policy.yaml", "--format", "sarif"]).fails(2).out;
    assert!(sarif.contains("policy/shared.yaml"), "{sarif}");
}

#[test]
fn a_server_and_a_job_read_them_from_the_base() {
    let server = Server::empty();
    let tree = Worktree { root: server.scratch.root(), home: server.scratch.home() };
    for (path, text) in [("policy.yaml", OWN), ("policy/shared.yaml", SHARED), ("docs/c.md", "x\n")] {
        tree.write(path, text);
    }
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--no-verify", "--amend", "-m", "first"]).ok();
    push(&tree, &["main"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a1/x"]).ok();
    tree.sneak(
        "policy/shared.yaml",
        &SHARED.replace("access: owner, owner: a2", "access: open"),
        "feat: loosen",
    );
    tree.sneak("docs/c.md", "y\n", "feat: theirs");
    push(&tree, &["HEAD"])
        .fails(1)
        .says("foreign-path")
        .says("refs/heads/main:policy/shared.yaml:2:27")
        .says("protected-path");
    tree.git(&["switch", "-q", "main"]).ok();
    tree.sneak("policy/shared.yaml", "areas: 3\n", "chore: break it");
    push(&tree, &["main"]).fails(1).says("refs/heads/main:policy/shared.yaml:1:8").says("it cannot be used");
}

#[test]
fn a_folder_speaks_of_itself() {
    let (scratch, tree) = installed();
    let own = OWN.replacen("agents:", "include: ['services/*/lane.yaml', 'tools/*/lane.yaml']\nagents:", 1);
    let web = "areas: [{ name: web, paths: ['**'], access: owner, owner: a2 }]\n";
    put(&scratch, &[("policy.yaml", &own), ("services/web/lane.yaml", web), ("services/api/x.py", "x\n")]);
    tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    tree.commit("services/web/n.py", "x\n", "feat: theirs")
        .fails(1)
        .says("error[foreign-path]")
        .says("[refs/remotes/origin/main:services/web/lane.yaml:1:30]");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit("services/api/x.py", "y\n", "feat: nobody's").ok();
    // A file that is to come is a part of the policy already.
    tree.commit("services/api/lane.yaml", web, "feat: mine now").fails(1).says("error[protected-path]");
    tree.git(&["reset", "-q", "--hard"]).ok();
    let main = scratch.main();
    main.commit(
        "services/api/lane.yaml",
        &web.replace("'**'", "../web/").replace("web,", "api,"),
        "chore: theirs",
    )
    .fails(1)
    .says("with a mistake at services/api/lane.yaml:1:30: `../web/` leaves the folder services/api");
    main.git(&["reset", "-q", "--hard"]).ok();
    let loose = own + "areas: [{ name: services, paths: [/services/], access: open }]\n";
    main.write("policy.yaml", loose);
    main.lane(&["policy", "check"])
        .fails(2)
        .says("[services/web/lane.yaml:1:30]")
        .says("[policy.yaml:8:")
        .says("the area `services` covers all of it");
    main.git(&["rm", "-q", "-f", "services/web/lane.yaml"]).ok();
    main.write("services/web/lane.yaml", "areas: []\n");
    main.lane(&["policy", "check"])
        .ok()
        .says("warning: `tools/*/lane.yaml` matches no file\n")
        .says("warning: agents may change services/web/lane.yaml, which is a part of the policy")
        .says("policy.yaml and 2 other files: no mistakes");
}

/// The commands of the page, with a repository of policies beside this one.
#[test]
fn a_policy_is_shared_by_copies() {
    let page =
        include_str!("../../docs/extends.md").split("## One policy for many repositories").nth(1).unwrap();
    let blocks: Vec<String> =
        page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    let scratch = scratch();
    let sh = |block: &str| {
        let block = block.replace("https://git.example.org/policies.git", "../policies");
        crate::advice::sh(&scratch.main(), &format!("set -e\n{block}"))
    };
    let home = scratch.home();
    scratch.run(&home, "git", &["init", "-q", "-b", "main", "policies"]).ok();
    let policies = Worktree { root: home.join("policies"), home };
    policies.sneak("shared.yaml", SHARED, "first");
    sh(&blocks[1]).ok();
    policies.sneak("shared.yaml", &SHARED.replace("owner: a2", "owner: a1"), "second");
    sh(&blocks[1]).fails(1).says("-  - { name: docs").says("owner: a1");
    sh(&blocks[0]).ok().says("no mistakes").says("areas.docs.owner");
    sh(&blocks[1]).ok();
}
