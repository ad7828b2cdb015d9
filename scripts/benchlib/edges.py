"""Repositories in which a cost grows, one function each: it makes what is needed, and gives the commands to be timed.

Each gives a title and the contenders by name. A contender is a function that takes a git-lane or none, and returns the
command, its standard input, its environment, and what to do before it, which is not timed.
"""

import os
import shutil

from .common import run

AGENT = "a2"
POLICY = """version: 1
services: {{ paths: "services/{{service}}/**" }}
agents:
  a1: {{ services: [one] }}
  a2: {{ services: [two] }}
{areas}branch: {{ pattern: "feat/{{agent}}/{{feature}}" }}
message: {{ tag: ["[{{AGENT}}]"] }}
change: {{ max_lines: 2000000 }}
{more}"""
NONE = "0" * 40


class Repo:
    """A repository with a remote that is a folder, on the branch of an agent."""

    def __init__(self, folder, env, areas="", more=""):
        self.folder, self.env, self.root, self.remote = folder, env, folder / "repo", folder / "origin.git"
        folder.mkdir(parents=True)
        run(["git", "init", "-q", str(self.root)], folder, env)
        run(["git", "init", "-q", "--bare", str(self.remote)], folder, env)
        self.write("policy.yaml", POLICY.format(areas=areas, more=more))
        for number in range(200):
            self.write(f"services/{('one', 'two')[number % 2]}/part{number % 7}/file{number}.py", f"line of {number}\n" * 20)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "first")
        self.git("remote", "add", "origin", str(self.remote))
        self.git("push", "-q", "-u", "origin", "main")
        self.git("switch", "-q", "-c", f"feat/{AGENT}/x")

    def git(self, *args, **options):
        return run(["git", *args], self.root, self.env, **options)

    def write(self, path, content):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)

    def import_commits(self, branch, count, of="main", path="services/two/new{n}.py"):
        """A line of small commits, by git fast-import."""
        lines = [f"reset refs/heads/{branch}\nfrom {self.git('rev-parse', of).strip()}\n\n"]
        for n in range(count):
            text, message = f"new {n}\n", f"[A2] feat: part {n}\n\nWhat it does.\n"
            name = path.format(n=n % 500)
            lines.append(f"commit refs/heads/{branch}\ncommitter B <b@example.com> {1700000000 + n} +0000\n"
                         f"data {len(message)}\n{message}M 644 inline {name}\ndata {len(text)}\n{text}\n")
        stream = self.folder / "stream"
        stream.write_text("".join(lines))
        run(["sh", "-c", f"git fast-import --quiet --force <'{stream}'"], self.root, self.env)

    def install(self, lane):
        run([lane, "install"], self.root, {**self.env, "AGENT_ID": AGENT})

    def hook(self, name, *args, text="", **extra):
        env = {**self.env, "AGENT_ID": AGENT, "GIT_DIR": str(self.root / ".git"), **extra}
        return lambda lane: ([str(lane), "hook", name, *args], text, env, None)

    def sh(self, script, text=""):
        return lambda _lane: (["sh", "-c", script], text, self.env, None)


def push(place, env, count):
    repo = Repo(place, env)
    repo.import_commits(f"feat/{AGENT}/push", count)
    tip = repo.git("rev-parse", f"feat/{AGENT}/push").strip()
    line = f"refs/heads/feat/{AGENT}/push {tip} refs/heads/feat/{AGENT}/push {NONE}\n"
    pipeline = (f"git rev-list {tip} --not --remotes=origin >list && "
                "git log --stdin --no-walk --format=%B <list >messages && git diff-tree --stdin -r --name-only <list | sort -u >paths && "
                f"git diff --numstat origin/main...{tip} >lines")
    return repo, f"pre-push of {count:,} commits", {
        "the same in a shell": repo.sh(pipeline),
        "`git rev-list`": repo.sh(f"git rev-list {tip} --not --remotes=origin >list"),
    }, repo.hook("pre-push", "origin", str(repo.remote), text=line)


def commits(place, env, count):
    repo = Repo(place, env)
    for n in range(count):
        # One by one, so that they are loose, as those of an agent are.
        repo.git("commit", "-q", "--allow-empty", "-m", f"[A2] feat: part {n}")
    repo.write("services/two/staged.py", "staged\n")
    repo.git("add", "-A")
    return repo, f"pre-commit on a branch of {count:,} commits", {
        "`git merge-base`": repo.sh("git merge-base HEAD origin/main"),
    }, repo.hook("pre-commit")


def behind(place, env, count):
    repo = Repo(place, env)
    repo.import_commits("ahead", count, path="services/one/new{n}.py")
    repo.git("push", "-q", "origin", "ahead:main")
    repo.git("update-ref", "refs/remotes/origin/main", "ahead")
    repo.write("services/two/staged.py", "staged\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "[A2] feat: one")
    repo.write("services/two/staged.py", "staged again\n")
    repo.git("add", "-A")
    return repo, f"pre-commit with main {count:,} commits ahead, no commit graph", {
        "`git merge-base`": repo.sh("git merge-base HEAD origin/main"),
    }, repo.hook("pre-commit")


def patterns(place, env, kind, count):
    forms = {"plain": "/services/one/part{n}/**", "several stars": "*left{n}*right*.py"}
    listed = "".join(f"      - \"{forms[kind].format(n=n)}\"\n" for n in range(count))
    repo = Repo(place, env, areas=f"areas:\n  - name: many\n    access: owner\n    owner: a1\n    paths:\n{listed}")
    repo.write("services/two/staged.py", "staged\n")
    repo.git("add", "-A")
    (repo.folder / "ignore").write_text("".join(f"{forms[kind].format(n=n)}\n" for n in range(count)))
    ask = f"git -c core.excludesFile='{repo.folder}/ignore' check-ignore --no-index services/two/staged.py || :"
    return repo, f"pre-commit, {count:,} {kind} patterns", {
        "`git check-ignore`": repo.sh(ask),
    }, repo.hook("pre-commit")


def policy(place, env, kind, count):
    repo, _, others, _ = patterns(place, env, kind, count)
    return repo, f"`policy check`, {count:,} {kind} patterns", others, \
        lambda lane: ([str(lane), "policy", "check", "policy.yaml"], "", repo.env, None)


def large(place, env, kind, size):
    repo = Repo(place, env)
    line = b"a line of forty bytes, as others may be\n"
    block = line * 25_000 if kind == "text" else os.urandom(1 << 20)
    with open(repo.root / "services/two/large", "wb") as file:
        for _ in range(size):
            file.write(block)
    repo.git("add", "-A")
    return repo, f"pre-commit, {size} MB of {kind} staged", {
        "`git diff --cached --numstat`": repo.sh("git diff --cached --numstat"),
    }, repo.hook("pre-commit")


def worktrees(place, env, count):
    repo = Repo(place, env)
    repo.write("shared.txt", "".join(f"line {n}\n" for n in range(200)))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "shared")
    repo.git("push", "-q", "origin", "HEAD:main")
    repo.git("update-ref", "refs/heads/main", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    for n in range(count):
        repo.git("worktree", "add", "-q", "-b", f"feat/a2/w{n}", str(repo.folder / f"w{n}"))
        shared = repo.folder / f"w{n}/shared.txt"
        shared.write_text(shared.read_text().replace("line 100\n", f"line of {n}\n"))
        run(["git", "commit", "-q", "-a", "-m", f"[A2] feat: {n}"], repo.folder / f"w{n}", env)
    tips = [repo.git("rev-parse", f"feat/a2/w{n}").strip() for n in range(count)]
    pairs = "".join(f"{one} {two}\n" for at, one in enumerate(tips) for two in tips[at + 1:])
    (repo.folder / "pairs").write_text(pairs)
    repo.write(".git/lane/.keep", "")
    kept = repo.root / ".git/lane/merges"
    aside = repo.folder / "objects"

    def forget():
        kept.unlink(missing_ok=True)

    def clear():
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()

    merges = (f"GIT_OBJECT_DIRECTORY='{aside}' GIT_ALTERNATE_OBJECT_DIRECTORIES='{repo.root}/.git/objects' "
              f"git merge-tree --write-tree --stdin <'{repo.folder}/pairs' >/dev/null || :")
    def once_before(lane):
        # Another build may have forgotten what this one kept.
        return lambda: kept.exists() or run([str(lane), "conflicts"], repo.root, repo.env, ok=(0, 1))

    conflicts = lambda before: lambda lane: ([str(lane), "conflicts"], "", repo.env, before(lane))
    return repo, f"`conflicts` of {count} branches that change one line", {
        "`git merge-tree --stdin`": lambda _lane: (["sh", "-c", merges], "", repo.env, clear),
    }, {"git-lane, for the first time": conflicts(lambda _lane: forget),
        "git-lane, again": conflicts(once_before)}


def refs(place, env, count):
    repo = Repo(place, env)
    tip = repo.git("rev-parse", "HEAD").strip()
    lines = "".join(f"create refs/remotes/origin/topic/{n} {tip}\n" for n in range(count))
    (repo.folder / "refs").write_text(lines)
    run(["sh", "-c", f"git update-ref --stdin <'{repo.folder}/refs'"], repo.root, env)
    repo.git("pack-refs", "--all")
    repo.import_commits(f"feat/{AGENT}/push", 1)
    tip = repo.git("rev-parse", f"feat/{AGENT}/push").strip()
    line = f"refs/heads/feat/{AGENT}/push {tip} refs/heads/feat/{AGENT}/push {NONE}\n"
    return repo, f"pre-push with {count:,} packed refs of the remote", {
        "`git rev-list --not --remotes`": repo.sh(f"git rev-list {tip} --not --remotes=origin"),
    }, repo.hook("pre-push", "origin", str(repo.remote), text=line)


def locks(place, env, count):
    repo, _, _, _ = refs(place, env, count)
    return repo, f"`locks` with {count:,} packed refs", {
        "`git for-each-ref refs/lane`": repo.sh("git for-each-ref refs/lane"),
    }, lambda lane: ([str(lane), "locks"], "", repo.env, None)


def span(place, env, count):
    repo = Repo(place, env)
    repo.import_commits(f"feat/{AGENT}/push", count)
    asked = f"main..feat/{AGENT}/push"
    both = (f"git log --raw --no-abbrev --no-renames --format='%H %P%n%B' {asked} >log && "
            f"git diff --numstat {asked} >lines")
    return repo, f"`check --range` of {count:,} commits", {
        "`git log --raw`, `git diff --numstat`": repo.sh(both),
    }, lambda lane: ([str(lane), "check", "--range", asked, "--agent", AGENT, "--branch", f"feat/{AGENT}/push"], "",
                     repo.env, None)


EDGES = {
    "push": [(push, 1), (push, 100), (push, 1000), (push, 10000)],
    "commits": [(commits, 1), (commits, 300)],
    "behind": [(behind, 10000)],
    "patterns": [(patterns, "plain", 10000), (patterns, "several stars", 10000)],
    "policy": [(policy, "several stars", 10000)],
    "large": [(large, "binary", 50), (large, "text", 500)],
    "worktrees": [(worktrees, 40), (worktrees, 200)],
    "refs": [(refs, 50000), (locks, 50000)],
    "range": [(span, 1000), (span, 10000)],
}
