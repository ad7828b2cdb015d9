"""Who is measured: hooks of several makers that check the same four things, as far as each can.

The four are: the paths of a commit are the agent's (and under a lock, held); the whole change has no more lines than
the limit; the branch has the agent's name; the message bears its tag. In sh they are four scripts; managers of hooks
run these scripts, linters of messages check the message alone. Each hooks folder is made by the tool's own `install`.
"""

import shutil

from .common import fail, run
from .scratch import LANE_OF_A2

COMMIT_HOOKS = ["pre-commit", "prepare-commit-msg", "commit-msg"]
NOTHING = "#!/bin/sh\nexit 0\n"
EVERYTHING = ["paths", "lock", "lines", "tag", "branch"]
LABELS = {"none": "no hooks", "nothing": "hooks that do nothing", "lane": "git-lane", "sh": "plain sh",
          "lefthook": "lefthook", "prek": "prek", "pre-commit": "pre-commit", "husky": "husky, commitlint",
          "committed": "committed (message only)", "gitlint": "gitlint (message only)"}
# What each must refuse. committed cannot ask for a tag: it checks the form of the subject.
REFUSES = {"lane": EVERYTHING, "sh": EVERYTHING, "lefthook": EVERYTHING, "prek": EVERYTHING, "pre-commit": EVERYTHING,
           "husky": EVERYTHING, "committed": ["wip"], "gitlint": ["tag"]}
PUSHERS = ["none", "nothing", "lane", "sh", "lefthook", "prek", "pre-commit"]

PATHS = """#!/bin/sh
# Every staged path is in the agent's lane, in nobody's, or under a lock that the agent holds.
status=0
IFS='
'
for path in $(git -c core.quotePath=false diff --cached --name-only --no-renames); do
    case $path in
    {lane}) ;;
    services/common/*)
        [ -e "$(git rev-parse --git-common-dir)/checks/common.a2" ] || {{ echo "$path: take the lock on common" >&2; status=1; }} ;;
    services/*|policy.yaml) echo "$path: not in the lane of a2" >&2; status=1 ;;
    esac
done
exit $status
"""
LINES = """#!/bin/sh
# The whole change, merge base to index, has no more than {limit} lines.
git diff --cached --numstat "$(git merge-base origin/main HEAD)" |
    awk '{{ lines += $1 + $2 }} END {{ if (lines > {limit}) {{ print lines " lines, {limit} are allowed" > "/dev/stderr"; exit 1 }} }}'
"""
BRANCH = """#!/bin/sh
# The branch has the agent's name.
case $(git symbolic-ref --short HEAD) in
feat/a2/?*) ;;
*) echo "branch: feat/a2/..." >&2; exit 1 ;;
esac
"""
TAG = """#!/bin/sh
# The message bears the agent's tag.
read -r subject < "$1"
case $subject in
"[A2] "*) ;;
*) echo "message: [A2] ..." >&2; exit 1 ;;
esac
"""
PUSH = """#!/bin/sh
# All of it for what is pushed: each commit's paths and tag, the lines of the whole, the branch.
# pre-commit and prek tell by variables what is pushed, git itself on standard input.
ref=${{PRE_COMMIT_LOCAL_BRANCH:-}} to=${{PRE_COMMIT_TO_REF:-}}
[ -n "$to" ] || read -r ref to rest
case $ref in
refs/heads/feat/a2/?*) ;;
*) echo "branch: feat/a2/..." >&2; exit 1 ;;
esac
git -c core.quotePath=false log --format='tformat:@%s' --name-only --no-renames "$to" --not --remotes=origin |
    awk '/^@/ {{ if ($0 !~ /^@\\[A2\\] /) {{ print "message: " $0; bad = 1 }} next }}
        /^{lane_pattern}/ {{ next }}
        /^services\\/|^policy.yaml$/ {{ print $0 ": not in the lane of a2"; bad = 1 }}
        END {{ exit bad }}' >&2 || exit 1
git diff --numstat "origin/main...$to" |
    awk '{{ lines += $1 + $2 }} END {{ if (lines > {limit}) {{ print lines " lines" > "/dev/stderr"; exit 1 }} }}'
"""


class Checks:
    """The scripts, in a folder outside the repository."""

    def __init__(self, folder, limit):
        self.folder = folder / "checks"
        self.folder.mkdir(parents=True)
        shape = {"limit": limit, "lane": "|".join(f"services/{name}/*" for name in LANE_OF_A2),
                 "lane_pattern": f"services\\/({'|'.join(LANE_OF_A2)})\\/"}
        for name, text in (("paths", PATHS), ("lines", LINES), ("branch", BRANCH), ("push", PUSH)):
            self.write(name, text.format(**shape))
        self.write("tag", TAG)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def files(self):
        """What managers of hooks want in the repository itself."""
        at = self.folder
        lefthook = ["no_tty: true", "output: false", "pre-commit:", "  parallel: true", "  commands:"]
        for name in ("paths", "lines", "branch"):
            lefthook += [f"    {name}:", f"      run: {at}/{name}"]
        lefthook += ["commit-msg:", "  commands:", "    tag:", f"      run: {at}/tag {{1}}",
                     "pre-push:", "  commands:", "    push:", "      use_stdin: true", f"      run: {at}/push"]
        entries = [(name, "pre-commit", "false") for name in ("paths", "lines", "branch")]
        entries += [("tag", "commit-msg", "true"), ("push", "pre-push", "false")]
        hooks = ["repos:", "- repo: local", "  hooks:"]
        for name, stage, passes in entries:
            hooks += [f"  - id: {name}", f"    name: {name}", f"    entry: {at}/{name}", "    language: system",
                      f"    stages: [{stage}]", f"    pass_filenames: {passes}", "    always_run: true"]
        return {"lefthook.yml": "\n".join(lefthook) + "\n", ".pre-commit-config.yaml": "\n".join(hooks) + "\n"}


class Hooks:
    """Makes the hooks folders of a scratch repository, one for each contender."""

    def __init__(self, scratch, checks, peers):
        self.scratch, self.checks, self.peers = scratch, checks.folder, peers

    def make(self, kinds):
        for kind in kinds:
            if kind == "lane":
                continue
            self.scratch.hooks[kind] = self.scratch.folder / f"hooks-{kind}"
            getattr(self, "make_" + kind.replace("-", "_"))(self.scratch.hooks[kind])

    def write(self, folder, name, text):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    def make_none(self, folder):
        folder.mkdir()

    def make_nothing(self, folder):
        for name in [*COMMIT_HOOKS, "pre-push"]:
            self.write(folder, name, NOTHING)

    def make_sh(self, folder):
        checks = "".join(f"( . '{self.checks}/{name}' ) || exit 1\n" for name in ("paths", "lines", "branch"))
        self.write(folder, "pre-commit", "#!/bin/sh\n" + checks)
        shutil.copy(self.checks / "tag", folder / "commit-msg")
        shutil.copy(self.checks / "push", folder / "pre-push")

    def make_lefthook(self, folder):
        self.installed(folder, self.peers.program("lefthook", "lefthook"), "install")

    def make_prek(self, folder):
        self.installed(folder, self.peers.program("prek", "prek"), "install", *self.types())

    def make_pre_commit(self, folder):
        self.installed(folder, self.peers.program("pre-commit", "pre-commit"), "install", *self.types())

    def types(self):
        return [part for name in ("pre-commit", "commit-msg", "pre-push") for part in ("--hook-type", name)]

    def installed(self, folder, *command):
        """Managers install where git looks by itself; from there their scripts are taken."""
        scratch = self.scratch
        scratch.use("lane")
        run([scratch.lane, "uninstall"], scratch.tree, scratch.env)
        place = scratch.main / ".git/hooks"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        run(command, scratch.tree, scratch.env)
        run([scratch.lane, "install", "--agent", "a2"], scratch.tree, scratch.env)
        folder.mkdir()
        for script in place.iterdir():
            shutil.move(str(script), str(folder / script.name))
        if not (folder / "pre-commit").exists():
            fail(f"{' '.join(map(str, command))} made no pre-commit hook")

    def make_husky(self, folder):
        scratch = self.scratch
        run([self.peers.program("husky", "husky"), ".husky"], scratch.tree, scratch.env)
        # It sets this for all worktrees; here it is set for one, when its turn comes.
        scratch.git("config", "--local", "--unset", "core.hooksPath", ok=(0, 5))
        home = scratch.folder / "husky"
        shutil.move(str(scratch.tree / ".husky"), str(home))
        scratch.hooks["husky"] = home / "_"
        checks = "".join(f"{self.checks}/{name}\n" for name in ("paths", "lines", "branch"))
        self.write(home, "pre-commit", checks)
        config = scratch.folder / "commitlint.config.cjs"
        config.write_text("module.exports = { parserPreset: { parserOpts: { headerPattern: /^\\[(\\w+)\\] (.*)$/,\n"
                          "  headerCorrespondence: ['type', 'subject'] } },\n"
                          "  rules: { 'type-empty': [2, 'never'], 'type-enum': [2, 'always', ['A2']] } };\n")
        linter = self.peers.program("husky", "commitlint")
        self.write(home, "commit-msg", f"'{linter}' --config '{config}' --edit \"$1\"\n")

    def make_committed(self, folder):
        config = self.scratch.folder / "committed.toml"
        config.write_text("style = \"none\"\nimperative_subject = false\nsubject_capitalized = false\nno_wip = true\n")
        program = self.peers.program("committed", "committed")
        self.write(folder, "commit-msg", f"#!/bin/sh\nexec '{program}' --config '{config}' --commit-file \"$1\"\n")

    def make_gitlint(self, folder):
        config = self.scratch.folder / "gitlint.ini"
        config.write_text("[general]\nignore=body-is-missing\n[title-match-regex]\nregex=^\\[A2\\] \n")
        program = self.peers.program("gitlint", "gitlint")
        self.write(folder, "commit-msg", f"#!/bin/sh\nexec '{program}' -C '{config}' --msg-filename \"$1\"\n")


def prove(scratch, kinds, is_full):
    """Makes sure that each contender refuses what it is said to check. Ends the benchmark where one does not."""
    for kind in kinds:
        for what in REFUSES.get(kind, [])[:None if is_full else 1]:
            if scratch.refuses(kind, what) is None:
                fail(f"{LABELS[kind]} let in what it is to refuse ({what}): its figures would mean nothing")
