"""A scratch repository of any size: files, history, branches to push, and the worktree of agent a2."""

import resource
import subprocess
import time
from pathlib import Path

from .common import PROJECT, fail, run

SERVICES = [
    "orchestrator", "celery_worker", "persona_runtime", "viral_engine", "rag_pipeline", "vllm_service",
    "achievement_collector", "dashboard_api", "finops_engine", "revenue", "event_bus", "threads_adaptor", "common",
]
LANE_OF_A2 = ["rag_pipeline", "vllm_service", "viral_engine"]
FOREIGN_FILE = "services/revenue/src/p000/m000.py"
LOCKED_FILE = "services/common/src/p000/m000.py"
TAGGED = "[A2] Rank by date"
# How git is told of a setting by the environment: git-config(1).
OVERRIDE = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0")


def contents(number, edition):
    lines = [f"def f{number}_{line}(value):\n    return value + {line * 7 + number}\n" for line in range(8)]
    return f"# module {number}, edition {edition}\n" + "\n".join(lines)


def file_paths(size):
    """Services of packages of 40 modules: the fan-out of an ordinary repository."""
    per_service = max(4, size // len(SERVICES) + 1)
    listed = [f"services/{service}/src/p{n // 40:03}/m{n % 40:03}.py"
              for n in range(per_service) for service in SERVICES]
    return listed[:max(size - 2, len(SERVICES) * 4)]


def policy_text(patterns=0, max_lines=300):
    """This project's policy; with `patterns`, further lanes of ten patterns each until it has so many."""
    text = (PROJECT / "policy.yaml").read_text().replace("max_lines: 300", f"max_lines: {max_lines}")
    extra = ""
    for n in range(max(0, patterns - 24) // 10):
        services = ", ".join(f"team{n}_{part}" for part in range(5))
        owned = f"/docs/team{n}/, team{n}.md, \"*.team{n}\", \"**/team{n}/**\", \"lib/*/team{n}_*.rs\""
        extra += f"  x{n}: {{ services: [{services}], owns: [{owned}] }}\n"
    return text.replace("agents:\n", "agents:\n" + extra, 1)


def processor_time():
    """Seconds that all processes so far have worked which this one, or one below it, has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Import:
    """A stream to `git fast-import`, written as it is made: a large repository does not stand in memory."""

    def __init__(self, folder, env):
        self.child = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, env=env, stdin=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL)
        self.out, self.now, self.last = self.child.stdin, int(time.time()), 0

    def data(self, text):
        raw = text.encode()
        self.out.write(b"data %d\n%s\n" % (len(raw), raw))

    def commit(self, branch, message, parent=None, age=0):
        """Starts a commit; `file` adds to it. Its mark."""
        self.last += 1
        when = f"{self.now - age} +0000"
        self.out.write(f"commit refs/heads/{branch}\nmark :{self.last}\n"
                       f"committer Bench <bench@example.com> {when}\n".encode())
        self.data(message)
        if parent:
            self.out.write(f"from :{parent}\n".encode())
        return self.last

    def file(self, path, text):
        self.out.write(f"M 100644 inline {path}\n".encode())
        self.data(text)

    def done(self):
        self.out.close()
        if self.child.wait() != 0:
            fail("git fast-import refused what it was given")


class Scratch:
    """A repository, its bare remote, and the worktree of a2 in which `git lane install` has been run.

    size: files; history: commits of main since the branch left it; pushes: lengths of branches to push;
    changed: files that a commit changes; graph: whether there is a commit graph; extra: further files of the first
    commit, by path.
    """

    clock = staticmethod(time.perf_counter)

    def __init__(self, folder, env, lane, size, history=0, graph=False, pushes=(), changed=3, patterns=0, max_lines=300,
                 extra=None):
        self.folder, self.lane, self.env, self.max_lines = folder, lane, env, max_lines
        self.main, self.tree, self.remote = folder / "main", folder / "a2", folder / "remote.git"
        self.edition, self.used = 0, None
        self.files = file_paths(size)
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", self.main, cwd=folder)
        self.import_all(history, pushes, policy_text(patterns, max_lines), extra or {})
        self.git("clone", "-q", "--bare", "--single-branch", "-b", "main", self.main, self.remote, cwd=folder)
        self.git("remote", "add", "origin", self.remote, cwd=self.main)
        self.git("fetch", "-q", "origin", cwd=self.main)
        if graph:
            self.git("commit-graph", "write", "--reachable", "--no-progress", cwd=self.main)
        self.git("worktree", "add", "-q", "-b", "feat/a2/x", self.tree, f"main~{history}", cwd=self.main)
        run([lane, "install", "--agent", "a2"], self.tree, env)
        self.hooks = {"lane": Path(self.git("config", "--get", "core.hooksPath").strip())}
        mine = [path for path in self.files if path.split("/")[1] in LANE_OF_A2]
        # From different folders, as changes do.
        self.changed = [path for service in LANE_OF_A2 for path in mine if f"/{service}/" in path][::max(1, len(mine) // changed)]
        self.changed = (self.changed if len(self.changed) >= changed else mine)[:changed]
        if len(self.changed) < changed:
            fail(f"{size} files have no {changed} in the lane of a2")
        self.stage()
        self.git("commit", "-q", "--no-verify", "-m", "[A2] An earlier commit of the branch")
        self.tip = self.git("rev-parse", "HEAD").strip()
        self.gitdir = Path(self.git("rev-parse", "--absolute-git-dir").strip())

    def git(self, *args, cwd=None, ok=(0,)):
        return run(["git", *args], cwd or self.tree, self.env, ok)

    def import_all(self, history, pushes, policy, extra):
        stream = Import(self.main, self.env)
        first = stream.commit("main", "Everything\n", age=60 * 60)
        for number, path in enumerate(self.files):
            stream.file(path, contents(number, 0))
        for path, text in {**extra, "policy.yaml": policy, "README.md": "# Scratch\n"}.items():
            stream.file(path, text)
        tip = first
        for number in range(history):
            tip = stream.commit("main", f"[A4] Change {number}\n", tip, age=60 * 60 - number // 100)
            stream.file(f"services/revenue/src/p000/m{number % 4:03}.py", contents(number, number))
        own = [number for number, path in enumerate(self.files) if path.startswith("services/rag_pipeline/")]
        for count in pushes:
            last = first
            for number in range(count):
                last = stream.commit(f"feat/a2/push-{count}", f"[A2] Change {number}\n", last)
                which = own[number % len(own)]
                stream.file(self.files[which], contents(which, count + number))
            stream.commit(f"feat/a2/foreign-{count}", "[A2] Take over\n", last)
            stream.file(FOREIGN_FILE, "taken over\n")
        stream.done()

    def stage(self):
        """The changed files, each with a new first line, in the index."""
        self.edition += 1
        for number, path in enumerate(self.changed):
            (self.tree / path).write_text(contents(number, self.edition))
        self.add(self.changed)

    def add(self, paths):
        names = "\n".join(paths).encode()
        subprocess.run(["git", "add", "--pathspec-from-file=-"], cwd=self.tree, env=self.env, input=names, check=True)

    def use(self, kind):
        """Lets git run these hooks in the worktree."""
        if self.used != kind:
            # As `git -c` does it: git-lane's own hooks folder is stronger than what a file of the configuration says.
            for name in OVERRIDE:
                self.env.pop(name, None)
            if kind != "lane":
                self.env.update(zip(OVERRIDE, ("1", "core.hooksPath", str(self.hooks[kind]))))
            self.used = kind

    def attempt(self, *command):
        """Seconds, exit code and what was said on standard error."""
        start = self.clock()
        done = subprocess.run([str(part) for part in command], cwd=self.tree, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self.clock() - start, done.returncode, done.stdout.decode(errors="replace")

    def timed(self, kind, *command):
        took, code, said = self.attempt(*command)
        if code != 0:
            fail(f"{kind}: {' '.join(map(str, command))} gave {code}:\n{said}")
        return took

    def commit(self, kind, message=TAGGED):
        """Seconds of one commit under these hooks; the branch is put back before it."""
        self.git("update-ref", "refs/heads/feat/a2/x", self.tip)
        self.stage()
        self.use(kind)
        return self.timed(kind, "git", "commit", "-q", "-m", message)

    def push(self, kind, count):
        """Seconds of one push of a branch that the remote does not have."""
        branch = f"feat/a2/push-{count}"
        self.git("update-ref", "-d", f"refs/heads/{branch}", cwd=self.remote)
        self.git("update-ref", "-d", f"refs/remotes/origin/{branch}")
        self.use(kind)
        return self.timed(kind, "git", "push", "-q", "origin", f"{branch}:{branch}")

    def refuses(self, kind, what):
        """Whether a commit with this wrong in it is refused. Returns what was said, or None where it was let in."""
        self.git("update-ref", "refs/heads/feat/a2/x", self.tip)
        self.git("reset", "-q", "--hard")
        message, branch = TAGGED, "feat/a2/x"
        if what in ("paths", "lock"):
            path = FOREIGN_FILE if what == "paths" else LOCKED_FILE
            (self.tree / path).write_text("taken over\n")
            self.add([path])
        else:
            self.stage()
        if what == "lines":
            with open(self.tree / self.changed[0], "a", encoding="utf-8") as file:
                file.write("more = 1\n" * (self.max_lines + 1))
            self.add(self.changed[:1])
        elif what == "tag":
            message = "[A3] Rank by date"
        elif what == "wip":
            message = "WIP"
        elif what == "branch":
            branch = "feat/a3/x"
            self.git("update-ref", f"refs/heads/{branch}", self.tip)
            self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        self.use(kind)
        _, code, said = self.attempt("git", "commit", "-q", "-m", message)
        # The commit may stand all the same: then hooks that say "no" do not bind.
        stands = self.git("rev-parse", "HEAD").strip() != self.tip
        self.git("symbolic-ref", "HEAD", "refs/heads/feat/a2/x")
        self.git("update-ref", "refs/heads/feat/a2/x", self.tip)
        self.git("reset", "-q", "--hard")
        return None if code == 0 or stands else said

    def refuses_push(self, kind, count):
        self.use(kind)
        _, code, said = self.attempt("git", "push", "-q", "origin", f"feat/a2/foreign-{count}")
        return None if code == 0 else said
