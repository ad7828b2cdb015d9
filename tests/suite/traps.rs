//! What a hurried or a clever agent does, and what must not be held against anybody: each was found
//! in a trial and got its test here.

use crate::support::{POLICY, Ran, Scratch};

#[test]
fn a_worktree_made_in_an_agents_worktree_is_still_the_agents() {
    let (scratch, tree) = Scratch::installed();
    let other = scratch.home().join("other");
    tree.git(&["worktree", "add", "-q", "-b", "hotfix", other.to_str().unwrap(), "origin/main"]).ok();
    let other = crate::support::Worktree { root: other, home: scratch.home() };
    other.commit("services/revenue/a.py", "x\n", "x").fails(1).says("foreign-path").says("the pattern of a2");
    other.sneak("services/revenue/a.py", "x\n", "x");
    other.git(&["push", "-q", "origin", "hotfix:main"]).fails(1).says("protected-branch");
    // A branch that bears another agent's id is that agent's worktree.
    other.git(&["checkout", "-q", "-b", "feat/a4/x", "origin/main"]).ok();
    other.commit("services/revenue/a.py", "x\n", "x").ok();
    other.lane(&["doctor"]).fails(1).says("copied").says("git lane install --agent");
}

#[test]
fn what_stands_in_a_folders_place_is_the_folders() {
    let (_scratch, tree) = Scratch::installed();
    for name in ["hooks", ".github", ".locks"] {
        std::os::unix::fs::symlink("services/rag_pipeline", tree.root.join(name)).unwrap();
        tree.git(&["add", "-f", name]).ok();
    }
    tree.git(&["commit", "-q", "-m", "x"]).fails(1).says("protected-path").says("local-file");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.git(&["rm", "-rq", "services/revenue"]).ok();
    let link = format!("160000,{},services/revenue", tree.head());
    tree.git(&["update-index", "--add", "--cacheinfo", &link]).ok();
    tree.git(&["commit", "-q", "-m", "x"]).fails(1).says("    services/revenue\n");
}

#[test]
fn hooks_that_are_called_wrongly_let_nothing_through() {
    let (_scratch, tree) = Scratch::installed();
    tree.lane_stdin(&["hook", "pre-receive"], b"x\n").fails(2).says("nothing was pushed");
    tree.lane(&["hook", "update"]).fails(2).says("this ref was not pushed");
    tree.lane(&["hook", "pre-comit"]).fails(2).says("git has no hook `pre-comit`");
    tree.lane(&["hook", "post-commit"]).ok();
}

#[test]
fn a_repository_that_moved_is_mended_and_left_clean() {
    let scratch = Scratch::new();
    let before = std::fs::read(scratch.root().join(".git/config")).unwrap();
    scratch.lane(&["install"]).ok();
    let moved = scratch.home().join("moved");
    std::fs::rename(scratch.root(), &moved).unwrap();
    let lane = |args: &[&str]| scratch.run(&moved, crate::support::LANE, args);
    lane(&["doctor"]).fails(1).says("git lane install");
    lane(&["install"]).ok();
    lane(&["uninstall"]).ok();
    assert_eq!(std::fs::read(moved.join(".git/config")).unwrap(), before);
    assert!(!moved.join(".git/config.worktree").exists());
    assert!(!moved.join(".git/lane").exists());
}

#[test]
fn a_policy_that_is_not_pushed_yet_counts_already() {
    let scratch = Scratch::empty();
    scratch.main().commit("a", "x\n", "first").ok();
    scratch.add_origin();
    scratch.main().commit("policy.yaml", POLICY, "a policy").ok();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.lane(&["check", "-v"]).says("refs/heads/main:policy.yaml");
    let ran = tree.commit("services/rag_pipeline/a.py", "x\n", "a").fails(1);
    ran.says("protected-path").says("git push origin main").does_not_say("git restore");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["commit", "-q", "-m", "a"]).ok();
}

#[test]
fn what_a_maintainer_has_not_pushed_is_not_the_agents_to_take_back() {
    let (scratch, tree) = Scratch::installed();
    scratch.main().commit("services/revenue/a.py", "x\n", "by a maintainer").ok();
    tree.git(&["rebase", "-q", "main"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "a")
        .fails(1)
        .says("git push origin main")
        .does_not_say("restore");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "a");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    ran.says("git push origin main").does_not_say("lane drop").does_not_say("force-rebase");
}

#[test]
fn the_message_of_a_squash_is_tagged_right() {
    let (_scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "[A2] one").ok();
    tree.commit("services/rag_pipeline/b.py", "x\n", "[A2] two").ok();
    let mut git = tree.command("git");
    git.args(["rebase", "-q", "-i", "main"])
        .env("GIT_EDITOR", ":")
        .env("GIT_SEQUENCE_EDITOR", "sed -i '2s/pick/squash/'");
    Ran::from(git.output().unwrap()).ok();
    assert_eq!(tree.git(&["log", "--format=%s", "main.."]).out, "[A2] one\n");
}

#[test]
fn another_comment_character_is_respected() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["config", "core.commentChar", ";"]).ok();
    tree.write("services/rag_pipeline/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    let mut git = tree.command("git");
    git.args(["commit", "-q"]).env("GIT_EDITOR", "sh -c 'sed -i \"1s/$/feat: typed/\" \"$1\"' -");
    Ran::from(git.output().unwrap()).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out.trim(), "[A2] feat: typed");
}

#[test]
fn reverts_of_others_work_bear_ones_own_tag() {
    let (scratch, tree) = Scratch::installed();
    scratch.main().commit("docs/a", "x\n", "[A4] docs").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["rebase", "-q", "origin/main"]).ok();
    tree.git(&["revert", "--no-edit", "HEAD"]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] Revert \"[A4] docs\"\n");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn maintainers_put_agents_work_together() {
    let (scratch, tree) = Scratch::installed();
    scratch.lane(&["install"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "a").ok();
    scratch.git(&["branch", "feat/a4/x"]).ok();
    scratch.git(&["checkout", "-q", "-b", "integration"]).ok();
    scratch.git(&["merge", "-q", "--no-ff", "--no-edit", "feat/a2/x"]).ok();
    scratch.main().commit("services/revenue/a.py", "x\n", "[A4] b").ok();
    scratch.git(&["push", "-q", "origin", "integration"]).ok();
    scratch.git(&["checkout", "-q", "-b", "hotfix", "main"]).ok();
    scratch.git(&["merge", "-q", "--ff-only", "feat/a2/x"]).ok();
    scratch.git(&["tag", "v1"]).ok();
    scratch.git(&["push", "-q", "origin", "v1"]).ok();
}

#[test]
fn notes_are_nobodys_lane_but_no_way_around_either() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["notes", "add", "-m", "a note"]).ok();
    tree.git(&["push", "-q", "origin", "refs/notes/commits"]).ok();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] x");
    tree.git(&["push", "-q", "origin", "HEAD:refs/notes/x"]).fails(1).says("services/revenue/a.py");
}

#[test]
fn many_refs_of_one_commit_are_one_block() {
    let (_scratch, tree) = Scratch::installed();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] x");
    let names: Vec<String> = (0..8).map(|n| format!("HEAD:refs/heads/feat/a2/n{n}")).collect();
    let args: Vec<&str> =
        ["push", "-q", "origin"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let ran = tree.git(&args).fails(1).says("and 5 more refs");
    assert_eq!(ran.err.matches("error[foreign-path]").count(), 1, "{}", ran.err);
}

#[test]
fn edits_that_nobody_committed_are_set_aside_and_not_reset() {
    let (_scratch, tree) = Scratch::installed();
    tree.write("services/revenue/a.py", "x\n");
    tree.lane(&["check", "--worktree"])
        .fails(1)
        .says("git stash push --include-untracked -- services/revenue/a.py")
        .says("git stash pop")
        .does_not_say("stays");
}

#[test]
fn an_untouched_trailer_is_no_message() {
    let policy = POLICY.replace("tag: [\"[{AGENT}]\", \"Agent: {agent}\"]", "tag: [\"Agent: {agent}\"]");
    let scratch = Scratch::with_policy(&policy);
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.write("services/rag_pipeline/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q"]).fails(1).says("empty commit message").does_not_say("git-lane");
    tree.commit("services/rag_pipeline/a.py", "x\n", "a").ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out, "a\n\nAgent: a2\n\n");
}

#[test]
fn a_detached_head_is_judged_by_its_files() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["checkout", "-q", "--detach"]).ok();
    tree.commit("services/revenue/a.py", "x\n", "x").fails(1).says("foreign-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "x").ok();
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/y"]).ok();
}

#[test]
fn a_file_is_no_folder() {
    let policy = POLICY.replace("paths: [AGENT_FOCUS.md,", "paths: [build/, AGENT_FOCUS.md,");
    let policy = policy.replace(
        "areas:\n",
        "areas:\n  - { name: docs, paths: [/docs/], access: maintainer }\n  - { name: made, paths: [\"docs/*/**\"], access: open }\n",
    );
    let scratch = Scratch::with_policy(&policy);
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit("docs/index.md", "x\n", "x").fails(1).says("protected-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit("docs/made/index.md", "x\n", "x").ok();
    tree.commit("scripts/build", "x\n", "x").ok();
    std::os::unix::fs::symlink("..", tree.root.join("docs/link")).unwrap();
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "x"]).fails(1).says("protected-path");
}

#[test]
fn bytes_of_a_message_in_another_encoding_stay() {
    let (scratch, tree) = Scratch::installed();
    tree.git(&["config", "i18n.commitEncoding", "ISO-8859-1"]).ok();
    std::fs::write(scratch.home().join("message"), b"caf\xe9\n").unwrap();
    tree.write("services/rag_pipeline/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-F", "../message"]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s", "--encoding=UTF-8"]).out, "[A2] café\n");
}

#[test]
fn comment_characters_that_only_the_command_line_says() {
    let (_scratch, tree) = Scratch::installed();
    for (name, set) in [("a", "core.commentChar=;"), ("b", "core.commentChar=auto")] {
        tree.write(&format!("services/rag_pipeline/{name}.py"), "x\n");
        tree.git(&["add", "-A"]).ok();
        tree.git(&["-c", set, "commit", "-q", "-e", "-m", "#12 fix"]).ok();
        assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out.trim(), "[A2] #12 fix", "{set}");
    }
}

#[test]
fn an_unedited_template_is_no_message() {
    let (scratch, tree) = Scratch::installed();
    std::fs::write(scratch.home().join("template"), "Subject here\n").unwrap();
    tree.write("services/rag_pipeline/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-t", "../template"]).fails(1);
    assert_eq!(tree.git(&["log", "--format=%s"]).out, "first\n");
}

#[test]
fn two_tags_in_one_message_are_no_way_out() {
    let (scratch, _tree) = Scratch::installed();
    scratch.lane(&["install"]).ok();
    scratch.git(&["checkout", "-q", "-b", "nid"]).ok();
    scratch.main().sneak("services/revenue/a.py", "x\n", "[A1] [A2] one");
    scratch.git(&["push", "-q", "origin", "nid"]).fails(1).says("foreign-path");
}

/// `git rev-list main..HEAD` lists the merge base here, and its policy would be the agent's doing.
#[test]
fn a_clock_that_was_wrong_by_days_makes_nothing_ones_own() {
    let (scratch, tree) = Scratch::installed();
    for at in 0..30 {
        let mut command = scratch.main().command("git");
        command.env("GIT_COMMITTER_DATE", "2025-01-02T03:04:05Z");
        command.args(["commit", "-q", "--no-verify", "--allow-empty", "-m", &at.to_string()]);
        crate::support::Ran::from(command.output().unwrap()).ok();
    }
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    for backend in ["git2", "git"] {
        let range = ["check", "--agent", "a2", "--range", "origin/main..HEAD", "--format", "json"];
        for args in [&["check", "--format", "json"][..], &range[..]] {
            let report = tree.lane_env(args, &[("LANE_GIT_BACKEND", backend)]).ok().json();
            assert_eq!(report["stats"]["commits"], 1, "{backend} {args:?}");
        }
    }
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

const MESSAGES: &[&str] = &[
    "feat: x\n",
    "\n# c\n\nfeat: y\n\nBody\n# Please enter\n#\n",
    "feat: crlf\r\n\r\nBody\r\n",
    "#12 fix\n\nBody\n",
    "[ x\nfeat: y\n",
    "; a\nfeat: z\n",
    "\n\n",
    "# c\n",
    "  feat: indented\n",
    "feat: a\nover two lines\n\nSigned-off-by: x <x@y.z>\n",
    "feat: x\n\n# ------------------------ >8 ------------------------\n#\n\nbelow\n",
    "\u{feff}feat: a byte order mark\n",
];

/// Commits the same with and without git-lane. The tag is all that may differ, and whatever git refuses by itself it
/// refuses in its own words alone.
fn only_the_tag_differs(tree: &crate::support::Worktree, options: &[&str], args: &[&str], editor: &str) {
    let commit = |more: &[&str]| {
        let start = tree.head();
        let mut git = tree.command("git");
        git.args(options).args(more).args(["commit", "-q", "--allow-empty"]).args(args);
        let ran = Ran::from(git.env("GIT_EDITOR", editor).output().unwrap());
        let is_made = tree.head() != start;
        let message = is_made.then(|| tree.git(&["log", "-1", "--format=%B"]).out.trim().to_owned());
        let subject = tree.git(&["log", "-1", "--format=%s"]).out;
        let trailer = tree.git(&["log", "-1", "--format=%(trailers:key=Agent,valueonly)"]).out;
        tree.git(&["reset", "-q", "--soft", &start]).ok();
        // git sees no trailer below scissors, even where it keeps what stands there.
        let is_below =
            message.as_ref().is_some_and(|text| text.contains(">8") && text.ends_with("Agent: a2"));
        (ran, message, subject.contains("[A2]") || trailer.trim() == "a2" || is_below)
    };
    let (_, plain, _) = commit(&["-c", "core.hooksPath=/dev/null"]);
    let (ran, tagged, has_tag) = commit(&[]);
    let what = format!("{options:?} {args:?} {editor}: {plain:?} {tagged:?}\n{}", ran.all());
    match (plain, tagged) {
        (None, None) => assert!(!ran.all().contains("git-lane"), "{what}"),
        // To git, blank lines are a message where they are kept.
        (Some(plain), None) if plain.is_empty() => {}
        (Some(plain), Some(tagged)) => {
            assert!(has_tag, "{what}");
            let tags = ["[A2] ", " [A2]", "\n\nAgent: a2", "\nAgent: a2"];
            assert!(tags.iter().any(|tag| tagged.replacen(tag, "", 1) == plain), "{what}");
        }
        _ => panic!("{what}"),
    }
}

#[test]
fn whatever_the_mode_of_cleanup_and_the_comments_the_tag_is_all_that_differs() {
    let (scratch, tree) = Scratch::installed();
    let file = scratch.home().join("message");
    let name = file.to_str().unwrap();
    let editor = "sh -c 'sed -i \"1s/$/ typed/\" \"$1\"' -";
    for (at, text) in MESSAGES.iter().enumerate() {
        std::fs::write(&file, text).unwrap();
        let comments: &[&[&str]] = &[
            &["-c", "i18n.commitEncoding=utf-8"],
            &["-c", "core.commentChar=;"],
            &["-c", "core.commentChar=["],
            &["-c", "core.commentChar=auto"],
        ];
        for comment in [comments[at % 4], comments[(at / 4 + at + 1) % 4]] {
            only_the_tag_differs(&tree, comment, &["-F", name], "false");
            only_the_tag_differs(&tree, comment, &["-F", name, "--cleanup=strip"], "false");
            only_the_tag_differs(&tree, comment, &["-F", name, "-e"], "true");
        }
        // The rest is the same for each comment character; a part of it each time.
        let modes = ["strip", "whitespace", "verbatim", "scissors"];
        let config = format!("commit.cleanup={}", modes[at % 4]);
        let option = format!("--cleanup={}", modes[(at + 1) % 4]);
        only_the_tag_differs(&tree, &["-c", &config], &["-F", name], "false");
        only_the_tag_differs(&tree, &["-c", &config], &["-F", name, "-e", "-v"], "true");
        only_the_tag_differs(&tree, &["-c", &config], &["-F", name, &option], "false");
        only_the_tag_differs(&tree, &[], &["-F", name, "-e", &option], "true");
        only_the_tag_differs(&tree, &[], &["-t", name], "true");
        only_the_tag_differs(&tree, &[], &["-t", name], editor);
        only_the_tag_differs(&tree, &["-c", comments[at % 4][1]], &["-t", name, &option], editor);
    }
    only_the_tag_differs(&tree, &[], &["-m", ""], "true");
    only_the_tag_differs(&tree, &[], &[], "true");
    only_the_tag_differs(&tree, &[], &["--allow-empty-message", "-m", "x"], "true");
}

#[test]
fn the_environment_may_say_what_a_comment_is() {
    let (_scratch, tree) = Scratch::installed();
    let mut git = tree.command("git");
    git.args(["commit", "-q", "--allow-empty"])
        .env("GIT_EDITOR", "sh -c 'sed -i \"1s/$/feat: typed/\" \"$1\"' -");
    git.envs([
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.commentChar"),
        ("GIT_CONFIG_VALUE_0", "["),
    ]);
    Ran::from(git.output().unwrap()).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out.trim(), "feat: typed\n\nAgent: a2");
}

#[test]
fn latin_1_that_the_command_line_names_stays() {
    let (scratch, tree) = Scratch::installed();
    std::fs::write(scratch.home().join("message"), b"feat: caf\xe9\n").unwrap();
    let encoding = "i18n.commitEncoding=ISO-8859-1";
    tree.git(&["-c", encoding, "commit", "-q", "--allow-empty", "-F", "../message"]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: café\n");
}
