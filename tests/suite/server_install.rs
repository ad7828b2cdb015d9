//! Putting the hooks of a server in place, and away again without a trace.

use std::fs;

use crate::support::server::{Server, commit, policy, push};
use crate::support::{LANE, Worktree};

fn bad(server: &Server) -> Worktree {
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/revenue/a.py", "[A2] feat: theirs");
    tree
}

#[test]
fn installed_and_taken_away_every_byte_is_as_it_was() {
    let server = Server::without_hook(&policy());
    fs::write(server.root().join("config"), format!("{}[x]\n\ty = 1", config(&server))).unwrap();
    let before = server.files();
    server
        .lane(&["install", "--server"])
        .ok()
        .says("hooks installed")
        .does_not_say("existing hooks run after them:");
    server.lane(&["install", "--server"]).ok().says("hooks already installed");
    server.lane(&["doctor"]).says("server hooks: installed");
    let tree = bad(&server);
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    server.lane(&["install", "--server", "--hook", "update"]).ok().says("hooks updated");
    push(&tree, &["HEAD"]).fails(1).says("(update, a2)");
    server.lane(&["uninstall", "--server"]).ok().says("hooks removed");
    assert_eq!(
        server.files().keys().filter(|path| !path.to_string_lossy().contains("/objects/")).count(),
        before.keys().filter(|path| !path.to_string_lossy().contains("/objects/")).count()
    );
    for (path, text) in &before {
        assert_eq!(&fs::read(path).unwrap_or_default(), text, "{}", path.display());
    }
    server.lane(&["uninstall", "--server"]).ok().says("no git-lane hooks here");
    push(&tree, &["HEAD"]).ok();
}

#[test]
fn nothing_is_started_for_each_ref_where_there_is_no_hook_for_it() {
    let server = Server::without_hook(&policy());
    let script = server.root().join("lane/server-hooks/update");
    server.lane(&["install", "--server", "--hook", "update"]).ok();
    assert!(script.is_file(), "it judges");
    server.lane(&["install", "--server"]).ok().says("hooks updated");
    assert!(!script.exists(), "what was installed before is taken away");
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    assert!(!script.exists());
    // One that comes later is not left out, not even by the first push after it.
    server.hook("hooks/update", "#!/bin/sh\necho no refs today >&2\nexit 1\n");
    server.lane(&["doctor"]).does_not_say("git no longer runs");
    commit(&tree, "services/rag_pipeline/b.py", "[A2] feat: b");
    push(&tree, &["HEAD"]).fails(1).says("no refs today");
    push(&tree, &["HEAD"]).fails(1).says("no refs today");
    // Where it cannot be passed on, nothing goes past it.
    fs::remove_file(&script).unwrap();
    fs::create_dir_all(script.join("x")).unwrap();
    push(&tree, &["HEAD"]).fails(1).says("git would leave out").says("git lane install --server");
    fs::remove_dir_all(&script).unwrap();
    fs::remove_file(server.root().join("hooks/update")).unwrap();
    push(&tree, &["HEAD"]).ok();
}

fn config(server: &Server) -> String {
    fs::read_to_string(server.root().join("config")).unwrap()
}

#[test]
fn hooks_that_are_there_run_after_ours() {
    let server = Server::without_hook(&policy());
    let log = server.scratch.home().join("log");
    let record = |name: &str| format!("#!/bin/sh\n(echo {name} \"$@\"; cat) >> '{}'\n", log.display());
    server.hook("hooks/pre-receive", &record("pre-receive"));
    server.hook("hooks/post-receive", &record("post-receive"));
    server
        .lane(&["install", "--server"])
        .ok()
        .says("existing hooks run after them:")
        .says("post-receive, pre-receive");
    // One that comes later is not lost.
    server.hook("hooks/update", &record("update"));
    let tree = bad(&server);
    push(&tree, &["HEAD"]).fails(1);
    assert!(!log.exists(), "what is refused goes no further");
    tree.git(&["reset", "-q", "--hard", "main"]).ok();
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    let (zero, head) = ("0".repeat(40), tree.head());
    let line = format!("{zero} {head} refs/heads/feat/a2/x");
    let update = format!("update refs/heads/feat/a2/x {zero} {head}");
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        format!("pre-receive\n{line}\n{update}\npost-receive\n{line}\n")
    );
    server.hook("hooks/pre-receive", "#!/bin/sh\necho not today >&2\nexit 1\n");
    commit(&tree, "services/rag_pipeline/b.py", "[A2] feat: b");
    push(&tree, &["HEAD"]).fails(1).says("not today");
}

#[test]
fn hooks_that_are_configured_for_all_repositories_run_too() {
    let server = Server::without_hook(&policy());
    let home = server.scratch.home();
    let log = home.join("log");
    server.hook("../all-hooks/pre-receive", &format!("#!/bin/sh\necho ran >> '{}'\n", log.display()));
    fs::write(
        home.join("gitconfig"),
        format!("[core]\n\thooksPath = {}\n", home.join("all-hooks").display()),
    )
    .unwrap();
    server.lane(&["install", "--server"]).ok().says("all-hooks (pre-receive)");
    let tree = bad(&server);
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    push(&tree, &["main:refs/heads/wip"]).ok();
    assert_eq!(fs::read_to_string(&log).unwrap(), "ran\n");
    server.lane(&["uninstall", "--server"]).ok();
    push(&tree, &["HEAD"]).ok();
}

#[test]
fn a_program_that_is_gone_lets_nothing_in() {
    let server = Server::without_hook(&policy());
    let copy = server.scratch.home().join("it's/git-lane");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(LANE, &copy).unwrap();
    server.scratch.run(&server.root(), copy.to_str().unwrap(), &["install", "--server"]).ok();
    let tree = bad(&server);
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    fs::remove_file(&copy).unwrap();
    push(&tree, &["main:refs/heads/wip"])
        .fails(1)
        .says("pre-receive is blocked, and nothing was pushed")
        .says("git lane install --server");
    server.lane(&["doctor"]).fails(1).says(", which is missing or not executable: they block everything");
    server.lane(&["install", "--server"]).ok().says("hooks updated");
    push(&tree, &["main:refs/heads/wip"]).ok();
}

#[test]
fn a_repository_that_is_moved_keeps_its_hooks() {
    let server = Server::new();
    let tree = bad(&server);
    let moved = server.scratch.home().join("moved.git");
    fs::rename(server.root(), &moved).unwrap();
    tree.git(&["remote", "set-url", "origin", moved.to_str().unwrap()]).ok();
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
}

#[test]
fn gitea_and_forgejo_get_a_file_in_their_folder() {
    let server = Server::without_hook(&policy());
    // What Gitea has there: each file of the folder is run with what was pushed.
    server.hook(
        "hooks/pre-receive",
        "#!/usr/bin/env bash\ndata=$(cat)\nexitcodes=\"\"\nhookname=$(basename $0)\nGIT_DIR=${GIT_DIR:-$(dirname $0)/..}\n\
         for hook in ${GIT_DIR}/hooks/${hookname}.d/*; do\n  test -x \"${hook}\" && test -f \"${hook}\" || continue\n\
         \x20 echo \"${data}\" | \"${hook}\"\n  exitcodes=\"${exitcodes} $?\"\ndone\n\
         for i in ${exitcodes}; do\n  [ ${i} -eq 0 ] || exit ${i}\ndone\n",
    );
    server.hook("hooks/pre-receive.d/gitea", "#!/bin/sh\nexit 0\n");
    let before = server.files();
    server.lane(&["install", "--server"]).ok().says("hooks/pre-receive.d/git-lane along with its own hooks");
    server.lane(&["install", "--server"]).ok().says("hooks already installed");
    assert_eq!(config(&server).as_bytes(), before[&server.root().join("config")]);
    server.lane(&["doctor"]).says("server hooks: installed");
    let tree = bad(&server);
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    push(&tree, &["main:refs/heads/wip"]).ok();
    server.git(&["update-ref", "-d", "refs/heads/wip"]).ok();
    server.lane(&["uninstall", "--server"]).ok().says("hooks removed");
    assert_eq!(server.files(), before);
}

#[test]
fn gitlab_gets_a_file_in_custom_hooks() {
    let server = Server::without_hook(&policy());
    server.git(&["config", "gitlab.fullpath", "group/project"]).ok();
    let before = server.files();
    server.lane(&["install", "--server"]).ok().says("custom_hooks/pre-receive.d/git-lane");
    let script = server.root().join("custom_hooks/pre-receive.d/git-lane");
    assert!(fs::read_to_string(&script).unwrap().contains("hook --alone pre-receive"));
    server.lane(&["install", "--server", "--hook", "update"]).ok();
    assert!(!script.exists());
    server.lane(&["uninstall", "--server"]).ok();
    assert_eq!(server.files(), before);
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::write(&script, "#!/bin/sh\n").unwrap();
    server.lane(&["install", "--server"]).fails(2).says("was not written by git-lane");
    assert_eq!(fs::read_to_string(&script).unwrap(), "#!/bin/sh\n");
}

#[test]
fn where_it_does_not_belong() {
    let server = Server::without_hook(&policy());
    server
        .scratch
        .lane(&["install", "--server"])
        .fails(2)
        .says("this is a worktree: --server is for a bare repository that others push to");
    server.lane(&["install"]).fails(2).says("git lane install --server");
    server.lane(&["install", "--server", "--agent", "a1"]).fails(2);
    server.lane(&["install", "--hook", "update"]).fails(2);
}

#[test]
fn worktrees_of_a_bare_repository_keep_their_hooks() {
    let server = Server::without_hook(&policy());
    let root = server.scratch.home().join("wt");
    server.git(&["worktree", "add", "-q", "-b", "feat/a2/x", root.to_str().unwrap(), "main"]).ok();
    let tree = Worktree { root, home: server.scratch.home() };
    server.hook("hooks/pre-commit", "#!/bin/sh\necho mine >&2\n");
    server.lane(&["install", "--server"]).ok();
    tree.write("services/rag_pipeline/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-m", "[A2] feat: a"]).ok().says("mine");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.git(&["commit", "--allow-empty", "-m", "feat: b"]).ok().says("mine");
    let other = bad(&server);
    push(&other, &["HEAD:refs/heads/feat/a2/y"]).fails(1).says("foreign-path");
    tree.lane(&["uninstall"]).ok();
    push(&other, &["HEAD:refs/heads/feat/a2/y"]).fails(1).says("foreign-path");
    server.lane(&["uninstall", "--server"]).ok();
    tree.git(&["commit", "--allow-empty", "-m", "c"]).ok().says("mine");
}
