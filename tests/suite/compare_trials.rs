//! The trials of `docs/compare.md`: its section, the restriction, a script that is refused, and one that passes.
//! A script runs in the worktree of a1, on `feat/a1/x`; `$A2` is the worktree of a2, `$ROOT` the main worktree.

const RELEASE: &str = "put services/web/n.py; commit; push HEAD:refs/heads/release/1";
const TO_MAIN: &str = "put services/web/n.py; commit; push HEAD:main";
const DELETE: &str = "git push -q origin :main";
const REWIND: &str = "git commit -q --amend --no-verify --date=2020-01-01T00:00Z -m 'again'; push +HEAD:main";
const OWN: &str = "put services/web/n.py; commit; push HEAD";
const MERGE: &str = "put services/web/n.py; commit; git switch -q -c feat/a1/y HEAD~1; put services/web/m.py; commit; \
                     git merge -q --no-verify --no-ff -m merge feat/a1/x; push HEAD";
const NAME: &str = "git switch -q -c fix; put services/web/n.py; commit";
const FOREIGN: &str = "put services/api/n.py; commit";
const INFRA: &str = "put infra/n.tf; commit";
const DOCS: &str = "put docs/n.md; commit";
const LARGE: &str = "put services/web/big \"$(head -c 10001 /dev/zero | tr '\\0' x)\"; commit";
const SMALL: &str = "put services/web/big \"$(head -c 9000 /dev/zero | tr '\\0' x)\"; commit";
const KEY: &str = "put services/web/n.py \"key = 'ghp_\"\"q7Zt2Kx9Wb4Rm8Yc3Hn6Vd5Pf1Lg0JsTkQaU'\"; commit";
const LOCKED: &str = "git lane lock infra --reason it; put infra/n.tf; commit; push HEAD";

/// Section, restriction, refused, passes.
pub const TRIALS: &[(&str, &str, &str, &str)] = &[
    ("GitHub rulesets", "Restrict creations", RELEASE, OWN),
    ("GitHub rulesets", "Restrict updates", TO_MAIN, OWN),
    ("GitHub rulesets", "Restrict deletions", DELETE, OWN),
    ("GitHub rulesets", "Block force pushes", REWIND, OWN),
    ("GitHub rulesets", "Require linear history", MERGE, OWN),
    ("GitHub rulesets", "Branch name must match a pattern", NAME, OWN),
    ("GitHub rulesets", "Restrict file paths", "put infra/secrets/n; commit", INFRA),
    (
        "GitHub rulesets",
        "Restrict file path length",
        "put services/web/a-name-that-is-a-little-longer-than-all-others-are.py; commit",
        OWN,
    ),
    ("GitHub rulesets", "Restrict file extensions", "put services/web/Setup.EXE; commit", OWN),
    ("GitHub rulesets", "Restrict file size", LARGE, SMALL),
    ("GitLab push rules", "Branch name", NAME, OWN),
    ("GitLab push rules", "Prohibited file names", "put services/web/a.jar; commit", OWN),
    ("GitLab push rules", "Maximum file size", LARGE, SMALL),
    ("GitLab push rules", "Prevent pushing secret files (names)", "put services/web/id_rsa; commit", OWN),
    ("GitLab push rules", "Prevent pushing secret files (content)", KEY, OWN),
    ("gitolite", "`RW refs/heads/feat/USER/`", "put services/web/n.py; commit; push HEAD:feat/a2/n", OWN),
    ("gitolite", "`- refs/heads/main`", TO_MAIN, OWN),
    ("gitolite", "`RW` without `+` (no rewind)", REWIND, OWN),
    ("gitolite", "`D` (delete)", DELETE, OWN),
    ("gitolite", "`C` (create)", RELEASE, OWN),
    ("gitolite", "`M` and `VREF/MERGE-CHECK`", MERGE, OWN),
    ("gitolite", "`VREF/NAME/` by user", FOREIGN, OWN),
    ("gitolite", "`VREF/NAME/` for nobody", INFRA, DOCS),
    ("gitolite", "`VREF/MAX_NEWBIN_SIZE`", LARGE, SMALL),
    ("gitolite", "`VREF/FILETYPE`", "put services/web/a.min.js; commit", "put services/web/a.js; commit"),
    ("gitolite", "`VREF/lock`", INFRA, LOCKED),
    (
        "gitolite",
        "`VREF/NAME_NC` (new files alone)",
        "put migrations/1.sql y; commit",
        "put migrations/2.sql; commit",
    ),
    ("policy-bot", "`changed_files`", INFRA, DOCS),
    ("policy-bot", "`only_changed_files`", FOREIGN, OWN),
    ("policy-bot", "`from_branch`", NAME, OWN),
    (
        "policy-bot",
        "`modified_lines`",
        "put services/web/n.py \"$(seq 101)\"; commit",
        "put services/web/n.py \"$(seq 99)\"; commit",
    ),
    ("CODEOWNERS", "A path and its owner", INFRA, "cd $A2; put infra/n.tf; commit"),
    ("CODEOWNERS", "The last match decides", INFRA, "put infra/notes/n.md; commit"),
    ("Reservations of mcp_agent_mail", "An exclusive reservation, and the guard at commit", INFRA, LOCKED),
    (
        "Reservations of mcp_agent_mail",
        "A reservation of some paths",
        "git lane lock infra/main.tf --reason it; put infra/n.tf; commit",
        "git lane lock infra/n.tf --reason it; put infra/n.tf; commit",
    ),
    (
        "Reservations of mcp_agent_mail",
        "A shared reservation, to be announced (`access: coordinate`)",
        INFRA,
        "put infra/n.tf; git commit -q -m 'feat: it' --trailer 'Coordinated-with: a2'",
    ),
    ("Hooks of prek, pre-commit and lefthook", "`check-added-large-files`", LARGE, SMALL),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`check-case-conflict`",
        "put services/web/MAIN.py; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`check-merge-conflict`",
        "put services/web/n.py '<<<<<<< HEAD'; commit",
        OWN,
    ),
    ("Hooks of prek, pre-commit and lefthook", "`detect-private-key`, `detect-aws-credentials`", KEY, OWN),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`mixed-line-ending`",
        "put services/web/n.py \"$(printf 'a\\r\\nb')\"; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`check-executables-have-shebangs`",
        "put services/web/n.py; git update-index --chmod=+x services/web/n.py; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`check-shebang-scripts-are-executable`",
        "put services/web/n '#!/bin/sh'; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`check-symlinks`",
        "ln -s ../../../else services/web/l; git add services/web/l; commit",
        "ln -s main.py services/web/l; git add services/web/l; commit",
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`no-commit-to-branch`",
        "git switch -q -c release; put services/web/n.py; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`deny-pattern`, pygrep hooks",
        "put services/web/n.py 'print(1)'; commit",
        "put services/web/n.md 'print(1)'; commit",
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`deny-filename-pattern`",
        "put 'services/web/a b'; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`check-illegal-windows-names`",
        "put services/web/aux.c; commit",
        OWN,
    ),
    (
        "Hooks of prek, pre-commit and lefthook",
        "`forbid-submodules`",
        "put .gitmodules '[submodule \"x\"]'; commit",
        OWN,
    ),
];
