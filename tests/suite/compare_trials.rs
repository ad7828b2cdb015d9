//! The trials of `docs/compare.md`. A script runs in the worktree of a1, on `feat/a1/x`; `$A2` is the worktree of a2.

const RELEASE: &str = "put services/web/n.py; commit; push HEAD:refs/heads/release/1";
const TO_MAIN: &str = "put services/web/n.py; commit; push HEAD:main";
const DELETE: &str = "git push -q origin :main";
const REWIND: &str = "git commit -q --amend --no-verify --date=2020-01-01T00:00Z -m 'again'; push +HEAD:main";
const EVE: &str = "put services/web/n.py; git commit -q --author 'eve <eve@x>' -m 'feat: it'";
const BY_EVE: &str = "put services/web/n.py; GIT_COMMITTER_EMAIL=eve@x git commit -q -m 'feat: it'";
const SIGNED: &str = "ssh-keygen -q -t ed25519 -N '' -f ../key; git config gpg.format ssh; \
                      git config user.signingKey $PWD/../key; put services/web/n.py; git commit -q -S -m 'feat: it'; push HEAD";
const TAG: &str = "git tag v1; push v1";
const OWN_TAG: &str =
    "put services/web/n.py; commit; git tag a1-wip; push a1-wip; git push -q origin :a1-wip";
const OWN: &str = "put services/web/n.py; commit; push HEAD";
const MERGE: &str = "put services/web/n.py; commit; git switch -q -c feat/a1/y HEAD~1; put services/web/m.py; commit; \
                     git merge -q --no-verify --no-ff -m merge feat/a1/x; push HEAD";
const UPPER: &str = "put services/web/n.py; commit; push HEAD:refs/heads/feat/a1/New_One";
const NAME: &str = "git switch -q -c fix; put services/web/n.py; commit";
const FOREIGN: &str = "put services/api/n.py; commit";
const INFRA: &str = "put infra/n.tf; commit";
const DOCS: &str = "put docs/n.md; commit";
const LARGE: &str = "put services/web/big \"$(head -c 10001 /dev/zero | tr '\\0' x)\"; commit";
const SMALL: &str = "put services/web/big \"$(head -c 9000 /dev/zero | tr '\\0' x)\"; commit";
const KEY: &str = "put services/web/n.py \"key = 'ghp_\"\"q7Zt2Kx9Wb4Rm8Yc3Hn6Vd5Pf1Lg0JsTkQaU'\"; commit";
const TODO: &str = "put services/web/n.py TODO; printf '#!/bin/sh\\n' >scripts/no-todo; commit";
const UNAPPROVED: &str = "put infra/n.tf; commit; git lane ci --base main";
const APPROVED: &str = "git lane request submit --area infra --reason it; (cd $A2; git lane request accept r1); \
                        put infra/n.tf; commit; push HEAD; git lane ci --base main";
const LOCKED: &str = "git lane lock infra --reason it; put infra/n.tf; commit; push HEAD";

/// A restriction of the page, a script that is refused, and one that passes.
pub type Trial = (&'static str, &'static str, &'static str);

/// Them all, by the sections of the page.
pub const TRIALS: &[(&str, &[Trial])] = &[
    (
        "GitHub rulesets",
        &[
            ("Restrict creations", RELEASE, OWN),
            ("Restrict updates", TO_MAIN, OWN),
            ("Restrict deletions", DELETE, OWN),
            ("Block force pushes", REWIND, OWN),
            ("Require linear history", MERGE, OWN),
            ("Branch name must match a pattern", NAME, OWN),
            ("Branch name must match a regex", UPPER, OWN),
            ("Commit message must match a pattern", "put services/web/n.py; commit 'add it'", OWN),
            ("Commit author email must match a pattern", EVE, OWN),
            ("Committer email must match a pattern", BY_EVE, OWN),
            ("Restrict creations of tags", TAG, OWN_TAG),
            (
                "Restrict updates and deletions of tags",
                "git tag v1; push v1; git push -q origin :v1",
                OWN_TAG,
            ),
            ("Tag name must match a pattern", TAG, "git tag v1.2; push v1.2"),
            ("Require signed commits", OWN, SIGNED),
            ("Restrict file paths", "put infra/secrets/n; commit", INFRA),
            (
                "Restrict file path length",
                "put services/web/a-name-that-is-a-little-longer-than-all-others-are.py; commit",
                OWN,
            ),
            ("Restrict file extensions", "put services/web/Setup.EXE; commit", OWN),
            ("Restrict file size", LARGE, SMALL),
            ("Require review from code owners", UNAPPROVED, APPROVED),
        ],
    ),
    (
        "GitLab push rules",
        &[
            ("Branch name", UPPER, "git branch -q -m feat/a1/x-2; put services/web/n.py; commit; push HEAD"),
            (
                "Require expression in commit messages",
                OWN,
                "put services/web/n.py; commit 'feat: it (#7)'; push HEAD",
            ),
            (
                "Reject expression in commit messages",
                "put services/web/n.py; git commit -q -m 'feat: it' -m 'It is still WIP.'",
                "put services/web/n.py; git commit -q -m 'feat: it' -m 'It is wiped.'",
            ),
            ("Commit author's email", EVE, OWN),
            ("Commit author is not allowed to have another name", EVE, OWN),
            (
                "Reject commits that aren't DCO certified",
                OWN,
                "put services/web/n.py; git commit -q -s -m 'feat: it'; push HEAD",
            ),
            ("Do not allow users to remove Git tags", OWN_TAG, "git tag a1-wip; push a1-wip"),
            ("Reject unsigned commits", OWN, SIGNED),
            ("Prohibited file names", "put services/web/a.jar; commit", OWN),
            ("Maximum file size", LARGE, SMALL),
            ("Prevent pushing secret files (names)", "put services/web/id_rsa; commit", OWN),
            ("Prevent pushing secret files (content)", KEY, OWN),
        ],
    ),
    (
        "gitolite",
        &[
            ("`RW refs/heads/feat/USER/`", "put services/web/n.py; commit; push HEAD:feat/a2/n", OWN),
            ("`RW refs/heads/feat/USER/[a-z]+$`", UPPER, OWN),
            ("`- refs/heads/main`", TO_MAIN, OWN),
            ("`RW` without `+` (no rewind)", REWIND, OWN),
            ("`D` (delete)", DELETE, OWN),
            ("`C` (create)", RELEASE, OWN),
            ("`- refs/tags/v`", TAG, OWN_TAG),
            ("`M` and `VREF/MERGE-CHECK`", MERGE, OWN),
            ("`VREF/NAME/` by user", FOREIGN, OWN),
            ("`VREF/NAME/` for nobody", INFRA, DOCS),
            ("`VREF/MAX_NEWBIN_SIZE`", LARGE, SMALL),
            ("`VREF/FILETYPE`", "put services/web/a.min.js; commit", "put services/web/a.js; commit"),
            ("`VREF/EMAIL-CHECK`, for a domain", BY_EVE, OWN),
            ("`VREF/lock`", INFRA, LOCKED),
            ("`VREF/NAME_NC/` by user", FOREIGN, OWN),
            ("`VREF/VOTES`, of one", UNAPPROVED, APPROVED),
            ("A `VREF/` of one's own", TODO, OWN),
        ],
    ),
    (
        "policy-bot",
        &[
            ("`changed_files`", INFRA, DOCS),
            ("`only_changed_files`", FOREIGN, OWN),
            ("`from_branch`", NAME, OWN),
            ("`requires: { count: 1, users: [a2] }` where `changed_files` match", UNAPPROVED, APPROVED),
            (
                "`modified_lines`",
                "put services/web/n.py \"$(seq 101)\"; commit",
                "put services/web/n.py \"$(seq 99)\"; commit",
            ),
            (
                "`modified_lines` where `changed_files` match",
                "put infra/n.tf \"$(seq 3)\"; commit",
                "put infra/n.tf \"$(seq 2)\"; put services/web/n.py \"$(seq 9)\"; commit",
            ),
        ],
    ),
    (
        "CODEOWNERS",
        &[
            ("A path and its owner", INFRA, "cd $A2; put infra/n.tf; commit"),
            ("The last match decides", INFRA, "put infra/notes/n.md; commit"),
        ],
    ),
    (
        "Reservations of mcp_agent_mail",
        &[
            ("An exclusive reservation, and the guard at commit", INFRA, LOCKED),
            (
                "A reservation of some paths",
                "git lane lock infra/main.tf --reason it; put infra/n.tf; commit",
                "git lane lock infra/n.tf --reason it; put infra/n.tf; commit",
            ),
            (
                "A shared reservation, to be announced (`access: coordinate`)",
                INFRA,
                "put infra/n.tf; git commit -q -m 'feat: it' --trailer 'Coordinated-with: a2'",
            ),
        ],
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        &[
            ("`check-added-large-files`", LARGE, SMALL),
            ("`check-case-conflict`", "put services/web/MAIN.py; commit", OWN),
            ("`check-merge-conflict`", "put services/web/n.py '<<<<<<< HEAD'; commit", OWN),
            ("`detect-private-key`, `detect-aws-credentials`", KEY, OWN),
            ("`mixed-line-ending`", "put services/web/n.py \"$(printf 'a\\r\\nb')\"; commit", OWN),
            (
                "`check-executables-have-shebangs`",
                "put services/web/n.py; git update-index --chmod=+x services/web/n.py; commit",
                OWN,
            ),
            ("`check-shebang-scripts-are-executable`", "put services/web/n '#!/bin/sh'; commit", OWN),
            (
                "`check-symlinks`, for links that lead out of the repository",
                "ln -s ../../../else services/web/l; git add services/web/l; commit",
                "ln -s main.py services/web/l; git add services/web/l; commit",
            ),
            ("`no-commit-to-branch`", "git switch -q -c release; put services/web/n.py; commit", OWN),
            (
                "`deny-pattern`, pygrep hooks",
                "put services/web/n.py 'print(1)'; commit",
                "put services/web/n.md 'print(1)'; commit",
            ),
            ("`deny-filename-pattern`", "put 'services/web/a b'; commit", OWN),
            ("`check-illegal-windows-names`", "put services/web/aux.c; commit", OWN),
            ("Local hooks (`language: script`), `run:` of lefthook", TODO, OWN),
            (
                "`forbid-submodules`",
                "git -c protocol.file.allow=always submodule --quiet add ../origin.git services/web/sub; commit",
                OWN,
            ),
        ],
    ),
];
