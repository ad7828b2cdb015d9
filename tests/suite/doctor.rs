//! What `doctor` says of real installations.

use std::fs;

use crate::support::install::{Sandbox, write};
#[cfg(unix)]
use crate::{
    advice::sh,
    support::{LANE, Ran, Scratch},
};

fn doctor(sandbox: &Sandbox, dir: &std::path::Path) -> String {
    sandbox.run(dir, &["doctor"]).unwrap()
}

/// The line about one thing has these words in it.
fn says(text: &str, check: &str, words: &[&str]) {
    let line = text.lines().find(|line| line.starts_with(check));
    let line = line.unwrap_or_else(|| panic!("nothing about {check}:\n{text}"));
    for word in words {
        assert!(line.contains(word), "`{word}` is not in: {line}\n{text}");
    }
}

#[test]
fn no_repository() {
    let sandbox = Sandbox::new();
    says(&doctor(&sandbox, &sandbox.root), "repository Problem", &["git init"]);
}

#[test]
fn nothing_installed_then_all_well() {
    let sandbox = Sandbox::with_repo();
    says(&doctor(&sandbox, &sandbox.main()), "hooks Problem", &["=> git lane install"]);
    sandbox.install(&sandbox.main(), &["--agent", "a1"]);
    let said = doctor(&sandbox, &sandbox.main());
    assert!(!said.contains(" Problem:"), "{said}");
    says(&said, "hooks Ok", &["lane/hooks"]);
    says(&said, "scripts Ok", &["6 scripts"]);
    says(&said, "binary Warning", &["but this is"]);
    says(&said, "identity Ok", &["`a1`"]);
    says(&said, "policy Ok", &["refs/heads/main:policy.yaml"]);
    says(&said, "base Ok", &["refs/heads/main"]);
}

#[test]
fn scripts() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    let hooks = sandbox.main().join(".git/lane/hooks");
    fs::remove_file(hooks.join("pre-push")).unwrap();
    write(&hooks.join("commit-msg"), "#!/bin/sh\n");
    let text = fs::read_to_string(hooks.join("pre-commit")).unwrap();
    fs::write(hooks.join("pre-commit"), text.replace("exit 2", "exit 0")).unwrap();
    fs::remove_file(sandbox.lane()).unwrap();
    let said = doctor(&sandbox, &sandbox.main());
    says(
        &said,
        "scripts Problem",
        &["pre-push is missing", "commit-msg was replaced", "pre-commit was modified"],
    );
    says(&said, "binary Problem", &["missing or not executable", "=> git lane install"]);
}

#[test]
fn scripts_that_are_gone() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    let hooks = sandbox.main().join(".git/lane/hooks");
    let names: Vec<_> = fs::read_dir(&hooks).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.iter().for_each(|path| fs::remove_file(path).unwrap());
    let all =
        ["pre-commit is missing", "commit-msg is missing", "pre-push is missing", "=> git lane install"];
    for _ in 0..2 {
        let said = doctor(&sandbox, &sandbox.main());
        says(&said, "hooks Problem", &["replaced or removed: pre-commit", "=> git lane install"]);
        says(&said, "scripts Problem", &all);
        let _ = fs::remove_dir(&hooks);
    }
    sandbox.install(&sandbox.main(), &[]);
    fs::remove_file(hooks.join("pre-push")).unwrap();
    let said = doctor(&sandbox, &sandbox.main());
    says(&said, "hooks Problem", &["replaced or removed: pre-push;", "=> git lane install"]);
    says(&said, "scripts Problem", &["pre-push is missing"]);
    assert!(!said.contains("pre-commit is missing"), "{said}");
    sandbox.install(&sandbox.main(), &[]);
    write(&hooks.join("commit-msg"), "#!/bin/sh\n");
    let said = doctor(&sandbox, &sandbox.main());
    says(&said, "scripts Problem", &["commit-msg was replaced"]);
    says(&said, "hooks Problem", &["replaced or removed: commit-msg"]);
    sandbox.install(&sandbox.main(), &[]);
    assert!(!doctor(&sandbox, &sandbox.main()).contains(" Problem:"));
}

/// A git that lists hooks as one of the configuration's time does; `listed`: a shell's pattern of those that it finds.
#[cfg(unix)]
fn newer_git(scratch: &Scratch, listed: &str) -> String {
    let bin = scratch.home().join("newer");
    let real = scratch.run(&scratch.home(), "sh", &["-c", "command -v git"]).ok().out;
    let script = format!(
        "#!/bin/sh\ncase \"$1 $2 $4\" in\n'hook list '{listed}) echo \"git-lane-$4\" ;;\n\
         'hook list '*) echo 'no hooks found' >&2; exit 1 ;;\n*) exec {} \"$@\" ;;\nesac\n",
        real.trim()
    );
    write(&bin.join("git"), &script);
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

#[cfg(unix)]
#[test]
fn hooks_that_the_configuration_names() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let doctor = |listed: &str| {
        let path = newer_git(&scratch, listed);
        Ran::from(tree.command(LANE).env("PATH", path).arg("doctor").output().unwrap())
    };
    doctor("*").says("ok       configured hooks: git starts all of them");
    tree.git(&["config", "--global", "hook.git-lane-pre-push.enabled", "false"]).ok();
    let ran =
        doctor("[!p]*").fails(1).says("git finds no git-lane-pre-commit").says("help: git lane install");
    ran.says("hook.git-lane-pre-push.enabled is false for pre-push");
    let mend = "git config --global --unset-all hook.git-lane-pre-push.enabled";
    doctor("[!p]*").says(mend);
    sh(&tree, mend).ok();
    doctor("*").says("ok       configured hooks");
    let path = newer_git(&scratch, "[!p]*");
    let ask = format!(
        "export PATH='{path}' GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=hook.git-lane-pre-commit.enabled GIT_CONFIG_VALUE_0=false\n"
    );
    let on = |step: &str| sh(&tree, &format!("{ask}{step}\n{LANE} doctor"));
    on("").fails(1).says("clear the variable: unset GIT_CONFIG_COUNT");
    on("unset GIT_CONFIG_COUNT").fails(1).does_not_say("GIT_CONFIG_COUNT");
    // One that knows none says what follows, here and where a script was replaced.
    let none = tree.lane(&["doctor"]).says("configured hooks: git version ");
    if none.out.contains(" starts none") {
        none.says("plain pushes are not judged");
    }
    write(&scratch.root().join(".git/lane/hooks/pre-push"), "#!/bin/sh\n");
    for command in ["status", "doctor"] {
        tree.lane(&[command])
            .says("replaced or removed: pre-push; a git before 2.54 does not judge a plain git push then");
    }
}

#[test]
fn another_hooks_path() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    // What `git config` writes stands before what ours includes.
    sandbox.git(&sandbox.main(), &["config", "--worktree", "core.hooksPath", "/elsewhere"]);
    says(&doctor(&sandbox, &sandbox.main()), "hooks Ok", &["lane/hooks"]);
    let own = sandbox.main().join(".git/config.worktree");
    let text = fs::read_to_string(&own).unwrap();
    fs::write(&own, text + "[core]\n\thooksPath = /elsewhere\n").unwrap();
    says(&doctor(&sandbox, &sandbox.main()), "hooks Problem", &["/elsewhere", "=> git lane install"]);
    sandbox.install(&sandbox.main(), &[]);
    sandbox.git(&sandbox.main(), &["config", "extensions.worktreeConfig", "false"]);
    says(&doctor(&sandbox, &sandbox.main()), "hooks Problem", &["extensions.worktreeConfig is off"]);
    let (mut command, out) = sandbox.lane_command(&sandbox.main(), &["doctor"]);
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.hooksPath");
    command.env("GIT_CONFIG_VALUE_0", "/dev/null");
    let said = crate::support::install::result(command.output().unwrap(), &out).unwrap();
    says(&said, "hooks Problem", &["GIT_CONFIG_COUNT", "=> unset"]);
}

#[test]
fn hooks_that_came_later() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    write(&sandbox.main().join(".git/hooks/post-commit"), "#!/bin/sh\n");
    says(&doctor(&sandbox, &sandbox.main()), "earlier hooks Warning", &["post-commit"]);
    sandbox.install(&sandbox.main(), &[]);
    assert!(!doctor(&sandbox, &sandbox.main()).contains("earlier hooks"));
}

#[test]
fn identities() {
    let sandbox = Sandbox::with_repo();
    let one = sandbox.worktree("wt-a1");
    says(&doctor(&sandbox, &one), "identity Warning", &["a1's", "=> git lane install --agent a1"]);
    sandbox.install(&one, &["--agent", "a2"]);
    says(&doctor(&sandbox, &one), "identity Warning", &["says that this worktree is a1's"]);
    fs::write(one.join(".agent.env"), "AGENT_ID=a1\n").unwrap();
    says(&doctor(&sandbox, &one), "identity Problem", &["disagree", ".agent.env says `a1`"]);
    fs::remove_file(one.join(".agent.env")).unwrap();
    sandbox.git(&one, &["config", "--worktree", "lane.agent", "A1"]);
    says(&doctor(&sandbox, &one), "identity Problem", &["unknown agent", "--agent a1"]);
    sandbox.git(&one, &["config", "--worktree", "lane.agent", "a1"]);
    // git copies the settings of the worktree that a new one is made in.
    let two = sandbox.root.join("wt-a2");
    sandbox.git(&one, &["worktree", "add", "-q", "-b", "two", two.to_str().unwrap()]);
    says(&doctor(&sandbox, &two), "identity Problem", &["copied", "--agent a2"]);
    assert!(!sandbox.install(&two, &[]).contains("(a1)"));
}

#[test]
fn what_cannot_be_written() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    says(&doctor(&sandbox, &sandbox.main()), "write access Ok", &["all writable"]);
    // Permissions stop everybody but root: a file where a folder should be stops root, too.
    fs::write(sandbox.main().join(".git/refs/lane"), "").unwrap();
    says(
        &doctor(&sandbox, &sandbox.main()),
        "write access Problem",
        &["refs/lane cannot be written", "=> check its owner"],
    );
}

#[test]
fn policies() {
    let sandbox = Sandbox::new();
    sandbox.git(&sandbox.root, &["init", "-q", "-b", "main", "main"]);
    says(&doctor(&sandbox, &sandbox.main()), "policy Problem", &["git lane init"]);
    fs::write(sandbox.main().join("policy.yaml"), crate::support::install::POLICY).unwrap();
    let said = doctor(&sandbox, &sandbox.main());
    says(&said, "policy Warning", &["git add policy.yaml"]);
    says(&said, "base Problem", &["no branch `main`"]);
    fs::write(sandbox.main().join("policy.yaml"), "version: 1\nagnts: {}\n").unwrap();
    says(&doctor(&sandbox, &sandbox.main()), "policy Problem", &["line 2", "=> git lane policy check"]);
}

#[test]
fn several_gits() {
    let sandbox = Sandbox::with_repo();
    let mut paths = Vec::new();
    for version in ["1.0", "2.0"] {
        let git = sandbox.root.join(version).join("git");
        write(&git, &format!("#!/bin/sh\necho git version {version}\n"));
        paths.push(git.parent().unwrap().to_owned());
    }
    let (mut command, out) = sandbox.lane_command(&sandbox.main(), &["doctor"]);
    command.env("LANE_TEST_PATH", std::env::join_paths(paths).unwrap());
    let said = crate::support::install::result(command.output().unwrap(), &out).unwrap();
    says(&said, "git Warning", &["git (1.0)", "git (2.0)"]);
}

#[test]
fn stale_locks() {
    let sandbox = Sandbox::with_repo();
    let lock = sandbox.main().join(".git/config.lock");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    fs::File::create(&lock).unwrap().set_modified(old).unwrap();
    says(&doctor(&sandbox, &sandbox.main()), "lock files Problem", &["config.lock", "rm "]);
}

#[test]
fn a_base_far_ahead_wants_a_commit_graph() {
    use std::io::Write;
    let sandbox = Sandbox::with_repo();
    let tree = sandbox.worktree("x");
    let ahead = |count: usize| {
        let mut command = sandbox.command("git", &sandbox.main());
        command.args(["fast-import", "--quiet"]).stdin(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for at in 0..count {
            let from = if at == 0 { "from refs/heads/main^0\n" } else { "" };
            let who = "committer T <t@example.com> 1704067201 +0000";
            write!(stdin, "commit refs/heads/main\n{who}\ndata 1\nx\n{from}\n").unwrap();
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    };
    ahead(999);
    assert!(!doctor(&sandbox, &tree).contains("commit graph"));
    ahead(1);
    says(
        &doctor(&sandbox, &tree),
        "commit graph Warning",
        &["main is 1000 commits ahead", "=> git commit-graph write"],
    );
    let root = sandbox.git(&sandbox.main(), &["rev-list", "--max-parents=0", "main"]);
    let shallow = sandbox.main().join(".git/shallow");
    sandbox.git(&sandbox.main(), &["checkout", "-q", "-b", "y", "x"]);
    says(&doctor(&sandbox, &sandbox.main()), "commit graph Warning", &[]);
    fs::write(&shallow, format!("{}\n", root.trim())).unwrap();
    assert!(!doctor(&sandbox, &sandbox.main()).contains("commit graph"), "git would write none");
    fs::remove_file(shallow).unwrap();
    sandbox.git(&sandbox.main(), &["commit-graph", "write", "--reachable"]);
    assert!(!doctor(&sandbox, &tree).contains("commit graph"));
}
