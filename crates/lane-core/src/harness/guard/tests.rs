use super::super::shell::commands;
use super::{bypass, bypass_in_text, writes};

fn refused(line: &str) -> Option<String> {
    commands(line).expect(line).iter().find_map(bypass).map(|found| found.what)
}

fn written_files(line: &str) -> Vec<String> {
    let edits = commands(line).expect(line).iter().flat_map(writes).collect::<Vec<_>>();
    edits.into_iter().map(|edit| format!("{}{}", if edit.is_removed { "-" } else { "" }, edit.path)).collect()
}

#[test]
fn what_goes_round_the_hooks() {
    for line in [
        "git commit --no-verify -m x",
        "git commit -nm x",
        "git commit -anm x",
        "git -C a commit --no-verif",
        "cd a && git push --no-verify",
        "git merge --no-verify x",
        "git -c core.hooksPath=/dev/null commit",
        "git -c CORE.hookspath= commit",
        "git --config-env=core.hooksPath=X commit",
        "git -c hook.git-lane-pre-commit.enabled=false commit",
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0= git commit",
        "export GIT_CONFIG_PARAMETERS=\"'core.hooksPath'=''\"",
        "env GIT_CONFIG_KEY_0=core.hooksPath git commit",
        "git config core.hooksPath /tmp",
        "git config --local core.hooksPath ''",
        "git config --unset core.hooksPath",
        "git config unset --all core.hooksPath",
        "git config set hook.git-lane-pre-commit.command true",
        "git config --remove-section lane",
        "git config lane.agent a4",
        "git lane uninstall",
        "git-lane uninstall --all",
        "/usr/bin/git lane lock common --steal",
        "git worktree remove --force ../a4",
        "git worktree remove -f ../a4",
        "git push --force",
        "git push -fu origin x",
        "git push origin +x",
        "git push --force --force-with-lease",
        "sh -c 'git commit --no-verify'",
        "rm .git/hooks/pre-commit",
        "chmod -x .git/lane/hooks/pre-commit",
        "chmod -R a-x /r/.git/hooks",
        "cd .git/hooks && chmod 644 pre-commit",
        "echo x > .git/lane/hooks/pre-commit",
        "sed -i s/x/y/ /r/.git/config",
        "mv .git/hooks .git/off",
        "cp x .GIT/hooks/pre-commit",
        "chmod -x x; tee .git/config </dev/null",
    ] {
        assert!(refused(line).is_some(), "{line}");
    }
}

#[test]
fn what_is_anybodys_right() {
    for line in [
        "git commit -m 'no --no-verify here'",
        "git commit -m -n",
        "git commit -F -n",
        "git commit -uno",
        "git commit -- --no-verify",
        "git push -n",
        "git push --force-with-lease origin x",
        "git push --force-with-lease origin +x",
        "git push --dry-run -o force",
        "git config core.hooksPath",
        "git config --get core.hooksPath",
        "git config user.name x",
        "git config get core.hooksPath",
        "git -c color.ui=always status",
        "git worktree remove ../a4",
        "git lane lock common --steal --reason 'gone for a day'",
        "git lane doctor",
        "cat .git/config > x",
        "echo .git/hooks",
        "chmod +x scripts/build",
        "cp .git/config x",
        "git log --grep=--no-verify",
        "echo git commit --no-verify",
        "ls .github; touch .github/x .gitignore",
        "$GIT commit --no-verify",
    ] {
        assert_eq!(refused(line), None, "{line}");
    }
}

#[test]
fn a_line_that_cannot_be_read_is_looked_at_word_by_word() {
    let unread = "x 12345678901234567890<(y); ";
    for command in [
        "git push --no-verify",
        "cd a && git commit -n -m x",
        "sh -c 'git push --force'",
        "if then ((\n/usr/bin/git -c core.hooksPath=/dev/null commit",
        "echo `git-lane uninstall --all",
        "time git git push --no-verify",
    ] {
        let line = format!("{unread}{command}");
        assert_eq!(commands(&line), None, "{line}");
        assert!(bypass_in_text(&line).is_some(), "{line}");
    }
    for command in
        ["git push; echo --no-verify", "git commit -m x | tee -n", "ls .git", "echo --no-verify", ""]
    {
        assert_eq!(bypass_in_text(&format!("{unread}{command}")), None, "{command}");
    }
    assert_eq!(bypass_in_text(&"git ".repeat(60_000)), None);
}

#[test]
fn files_that_are_written() {
    assert_eq!(written_files("echo x > a; cat b >> c"), ["a", "c"]);
    assert_eq!(written_files("cd a && echo x > b"), ["a/b"]);
    assert_eq!(written_files("cd $A; echo x > b; echo y > /c"), ["/c"]);
    assert_eq!(written_files("x | tee -a a b"), ["a", "b"]);
    assert_eq!(written_files("cp -r a b c"), ["c"]);
    assert_eq!(written_files("mv a b"), ["-a", "b"]);
    assert_eq!(written_files("rm -rf a b"), ["-a", "-b"]);
    assert_eq!(written_files("sed -i 's/x/y/' a b"), ["a", "b"]);
    assert_eq!(written_files("sed -i.bak -e 's/x/y/' a"), ["a"]);
    assert_eq!(written_files("sed -n -i -e 's/x/y/' -e p a"), ["a"]);
    assert_eq!(written_files("sed 's/x/y/' a"), [""; 0]);
    assert_eq!(written_files("perl -pi -e 's/x/y/' a"), ["a"]);
    assert_eq!(written_files("truncate -s 0 a"), ["a"]);
    assert_eq!(written_files("dd if=x of=a"), ["a"]);
    assert_eq!(written_files("git mv a b; git rm c; git rm --cached d"), ["-a", "b", "-c"]);
    assert_eq!(written_files("cp a $B; rm $A b"), ["-b"]);
    assert_eq!(
        written_files("apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: a\n+x\n*** End Patch\nEOF\n"),
        ["a"]
    );
}
