//! All commands that messages name, and where each is tried; and the examples of the manual page.

use crate::advice::sh;
use crate::support::Scratch;

/// The folders of all sources: the program's and those of its crates.
pub fn sources() -> Vec<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = std::fs::read_dir(root.join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path().join("src"));
    crates.chain([root.join("src")]).collect()
}

/// The strings of a source file, with `{}` for all places in them.
fn strings(source: &str) -> Vec<String> {
    let (mut found, mut chars) = (Vec::new(), source.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next().is_some_and(|c| c != '\n') {},
            '\'' if chars.peek() == Some(&'"') || chars.peek() == Some(&'\\') => {
                chars.next();
                chars.next();
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    match (c, chars.peek()) {
                        ('\\', Some('\n')) => {
                            while chars.peek().is_some_and(|c| c.is_whitespace()) {
                                chars.next();
                            }
                        }
                        ('\\', Some('n')) => {
                            chars.next();
                            text.push('\n');
                        }
                        ('\\', Some('x')) => {
                            chars.nth(2);
                            text.push(' ');
                        }
                        ('\\', Some(_)) => text.extend(chars.next()),
                        _ => text.push(c),
                    }
                }
                found.push(text);
            }
            _ => {}
        }
    }
    found
}

/// Every string of the code in some folders that is not a test's, and its file.
pub fn messages(folders: &[std::path::PathBuf]) -> Vec<(std::path::PathBuf, String)> {
    let (mut found, mut folders) = (Vec::new(), folders.to_vec());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !["tests.rs", "testing.rs"].contains(&name) {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.extend(strings(text).into_iter().map(|text| (path.clone(), text)));
            }
        }
    }
    found
}

/// A text with `{}` for every place in it.
fn without_names(text: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0_usize);
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    out.push_str("{}");
                }
            }
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// The commands that the messages of the program name: whole lines, and what follows `: ` in one.
fn named_commands() -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    let mut folders = sources();
    let is_other =
        |name: &str| ["tests.rs", "testing.rs", "focus.rs", "policy_text.rs", "mangen.rs"].contains(&name);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !is_other(&name) {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text
                    .split("\n#[cfg(test)]\n#[allow")
                    .next()
                    .unwrap()
                    .split("#[cfg(test)]\nmod tests")
                    .next()
                    .unwrap();
                let texts = strings(text).into_iter().filter(|text| !text.contains("## What it finds"));
                for line in texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()) {
                    let starts = ["git lane ", "git -C ", "gh pr ", "unset ", "git push", "git fetch"];
                    let more =
                        ["git rebase", "git commit", "git restore", "git switch", "git stash", "git am"];
                    let most =
                        ["git add", "git config", "git merge", "git cherry-pick", "git revert", "git branch"];
                    let rest =
                        ["git worktree", "git remote", "git update-ref", "git symbolic-ref", "git reset"];
                    let reading = ["git log ", "git notes ", "git tag ", "git show ", "git cat-file "];
                    let shell = ["cd ", "mv ", "rm ", "export PATH", "fuser "];
                    let is_command = |text: &str| {
                        let git = [&starts[..], &more, &most, &rest, &reading].concat();
                        git.iter().any(|word| text.starts_with(word)) && text.len() > 10
                            // What only begins like one is a sentence.
                            || shell.iter().any(|word| text.starts_with(word)) && !text.contains(", ")
                    };
                    // What stands in front of a command is empty, or a command of its own.
                    let mut line = line.trim();
                    while let Some((_, rest)) = line
                        .strip_prefix('{')
                        .and_then(|rest| rest.split_once('}'))
                        .filter(|(_, rest)| is_command(rest))
                    {
                        line = rest;
                    }
                    let told = line.split_once(": ").map_or(line, |(_, command)| command);
                    // A source that is named in a sentence ends with its comma.
                    let found_in =
                        [line, told].into_iter().find(|text| is_command(text) && !text.ends_with(','));
                    if let Some(command) = found_in {
                        assert!(
                            !command.contains(" && "),
                            "{}: two commands at once: {command}",
                            path.display()
                        );
                        found.insert(without_names(command));
                    }
                }
            }
        }
    }
    found
}

/// A command that a message names is typed by a test, in the state in which it is told; or it is in the list of those
/// that are not, which is to become shorter.
#[test]
fn every_command_that_is_named_is_tried() {
    let named = named_commands();
    let lists = [TYPED.lines().collect::<Vec<_>>(), NOT_TYPED.iter().map(|(command, _)| *command).collect()];
    assert!(NOT_TYPED.len() <= 8, "type them, do not list them");
    let listed: std::collections::BTreeSet<String> =
        lists.concat().into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let new: Vec<_> = named.difference(&listed).collect();
    assert!(new.is_empty(), "type these in a test, and list them in TYPED: {new:#?}");
    let gone: Vec<_> = listed.difference(&named).collect();
    assert!(gone.is_empty(), "no message names these any more: {gone:#?}");
}

/// By the tests of the modules `advice` and `advice_*`, of `affected`, `approvals`, `branch_regex`, `change_base`, `codeowners`, `database`, `doctor`, `health`, `inbox`,
/// `init_whole`, `join`, `land_edges`, `locks_faults`, `metadata`, `report_edges`, `requests`, `signatures`, `stack_sync`, `status_serve` and `teardown`.
const TYPED: &str = r#"
cd {}
export PATH="{}:$PATH"
gh pr edit {} --add-label '{}'
gh pr edit {} --title {}
git -C {} lane drop …
git -C {} lane sync
git -C {} lane sync --push
git -C {} rebase --abort
git -C {} status
git -C {} submodule foreach --recursive '{}'
git -C {} switch {}
git -C {} worktree move {} {}
git -C {} worktree repair
git -C {} worktree repair {}
git add -- FILE
git add -- {}
git add -u -- {}
git add policy.yaml
git add {}
git am --abort
git am --continue
git am --skip
git branch --all
git branch --list
git branch -m {}
git branch NAME {}
git cat-file -t {}
git cat-file blob {}{}
git cherry-pick --abort
git cherry-pick --continue
git commit -- {}
git commit --amend
git commit --amend --no-edit
git commit --amend --no-edit --only {}
git commit --amend --no-edit --reset-author
git commit --amend --no-edit -S
git commit --amend --no-edit -s
git commit --amend --no-edit {}
git commit --trailer 'Coordinated-with: <agent>'
git commit -m 'chore: a policy for our agents'
git commit -m 'chore: a policy for our agents'{}
git commit {}
git commit-graph write --reachable
git config --list --show-origin
git config --local --unset-all {}
git config --worktree --unset-all core.hooksPath
git config --worktree commit.gpgSign true
git config --worktree gpg.format ssh
git config --worktree user.signingKey KEY_FILE
git config --worktree {} "$(git config --local {})"
git config --{} --unset-all {}
git config commit.gpgSign true
git config core.hooksPath FOLDER
git config extensions.worktreeConfig true
git config i18n.commitEncoding NAME
git config lane.agent
git config lane.custom true
git config user.email ADDRESS
git config user.name NAME
git fetch --deepen=100 {}
git fetch --no-tags {} '{}'{}
git fetch --no-tags {} {}
git fetch --refetch --no-filter {}
git fetch --unshallow
git fetch --unshallow {}
git fetch {}
git fetch {} +refs/heads/{}:{}
git fetch {} +refs/notes/{}:refs/notes/{}/{}
git fetch {} {}:refs/remotes/{}/{}
git lane --help
git lane --version
git lane -C FOLDER …
git lane -C REPOSITORY.git install --server
git lane -C {} install
git lane affected --range A..B
git lane affected --worktree
git lane check
git lane check --range A..B
git lane check --worktree
git lane ci --base A --head B
git lane ci --base main --head HEAD --branch feat/a1/x
git lane ci --base {}
git lane conflicts
git lane doctor
git lane drop -- {}{}
git lane drop --branch {} -- {}
git lane drop {}-- {}
git lane help {}
git lane hook commit-msg FILE
git lane hook update REF OLD_OID NEW_OID
git lane hook {} FILE
git lane inbox
git lane init
git lane init --stdout
git lane init --yes
git lane install
git lane install --agent ID
git lane install --agent {}
git lane install --all
git lane install --harness claude
git lane install --harness {}
git lane install --harness {} --shared
git lane install --harness {} --user
git lane install --server
git lane join ID
git lane join {}
git lane join {} FEATURE
git lane join {} {}
git lane join {}{}
git lane join {}{}{}
git lane land
git lane land --all
git lane land --list
git lane land --withdraw BRANCH
git lane land --withdraw {}
git lane land BRANCH
git lane land {}
git lane lock --steal --reason '…' NAME
git lane lock --wait 30m NAME
git lane lock AREA
git lane lock {}
git lane lock {} --renew
git lane lock {} --steal --reason '…'
git lane lock {} --wait 10m
git lane lock {} --wait 1h
git lane lock {} --wait {}
git lane locks
git lane locks --log {}
git lane locks {}
git lane logs {}
git lane policy check
git lane policy codeowners
git lane policy {}
git lane port SERVICE --release
git lane port api
git lane port {}
git lane port {} --release
git lane pr --yes
git lane push
git lane push --force-with-lease
git lane push --stack --force-with-lease
git lane push -f
git lane report
git lane report --coverage FILE
git lane report --format html
git lane report --format markdown
git lane report --since 2w
git lane request accept {}
git lane request done {} --commit COMMIT
git lane request done {} --commit HEAD
git lane request list
git lane request list --all
git lane request reject {} --reason '…'
git lane request show {}
git lane request submit --area {} --reason '…'
git lane request submit PATH --reason '…'
git lane request submit {} --reason '…'
git lane request submit {} --to {} --reason 'needed while you hold the lock'
git lane request withdraw {}
git lane rule {}
git lane setup
git lane setup {}
git lane setup {} --resume
git lane status --format json
git lane status --health -v
git lane status --serve
git lane sync
git lane sync --all
git lane sync --autostash
git lane sync --push
git lane teardown ID
git lane teardown {}
git lane teardown {} --drop-schema --yes-drop {}
git lane test
git lane uninstall --all
git lane unlock {}
git lane unlock {} --agent {}
git lane who --mine PATH
git lane who {}
git lane {}
git log --first-parent --format='%h %ci %cn'
git log --max-parents=0 ONE OTHER
git log -5 {}
git log HEAD..{}
git log {}..{}
git log {}
git log {}{}
git merge --abort
git merge --continue
git merge-tree --write-tree ONE OTHER
git notes --ref {} merge refs/notes/{}/{}
git push --no-verify {} {}:{}
git push {} HEAD
git push {} refs/notes/{}
git push {} refs/notes/{}:refs/notes/{}/{}
git push {} {}
git push {} {}:refs/heads/{}
git rebase --abort
git rebase --autostash --onto HEAD~1 HEAD
git rebase --autostash --onto {} {}{}
git rebase --autostash --onto {}~1 {}{}{}
git rebase --autostash {}
git rebase --autostash {}{}{}
git rebase --continue
git rebase --quit
git rebase --exec 'git commit --amend --no-edit --allow-empty -s'
git rebase --exec 'git commit --amend --no-edit -S'
git rebase --exec 'test "$(git log -1 --format={})" != "{}" || {} --allow-empty'
git rebase --force-rebase
git rebase --force-rebase {}
git rebase --signoff
git rebase {}
git rebase -i
git remote -v
git remote add locks {}
git remote add {} URL
git reset -q -- {}
git restore --staged -- {}
git restore --staged --source={} -- {}
git revert --abort
git revert --continue
git show {}:PATH
git stash drop
git stash pop
git stash push
git stash push --include-untracked
git stash push --include-untracked -- {}
git stash show --patch
git switch -c BRANCH
git switch -c {}
git switch BRANCH
git switch {}
git symbolic-ref -d {}
git tag -a -f TAG COMMIT
git tag -f {} {} {}^{}
git update-ref -d {}
git update-ref -d {} {}
git update-ref refs/lane/kept/{} {}
git update-ref {} {}
git update-ref {} {} {}
git worktree add PATH BRANCH
git worktree list
git worktree move {} {}
git worktree prune
git worktree remove --force {}
git worktree repair NEW_PLACE
git worktree repair {}
git worktree unlock {}
mv {} {}
mv {} {}.before
mv {} {}.damaged
rm -r {}
rm {}
unset AGENT_ID
unset GIT_CONFIG_COUNT
unset LANE_GIT_BACKEND
unset {}
"#;

/// Those that cannot be typed here, and why: GitHub, a server administrator, another user, a broken terminal.
const NOT_TYPED: &[(&str, &str)] = &[
    ("gh pr edit {} --base {}", "edits a pull request on GitHub"),
    ("git config --global --add safe.directory FOLDER", "wants a folder of another user"),
    ("git config lane.base main", "a server administrator types it, on the server"),
    ("git config {} {}", "a server administrator types it, on the server"),
    ("git lane status", "only where a terminal breaks that worked when the command began"),
    ("git symbolic-ref HEAD {}", "a server administrator types it, on the server"),
    ("git symbolic-ref {}", "a server administrator types it, on the server"),
];

#[test]
fn the_examples_of_the_manual_work_in_their_order() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    tree.lane(&["mangen", "../man"]).ok();
    let page = std::fs::read_to_string(scratch.home().join("man/git-lane.1")).unwrap();
    let examples = page.split(".SH EXAMPLES").nth(1).unwrap().split(".SH ").next().unwrap();
    let lines = examples.lines().filter_map(|line| line.strip_prefix("\\fBgit lane "));
    let commands: Vec<String> =
        lines.map(|line| format!("git lane {}", line.trim_end_matches("\\fR").replace('\\', ""))).collect();
    assert_eq!(commands.len(), 5, "{examples}");
    for command in commands {
        sh(&tree, &command).ok();
    }
}
