"""A scratch repository with a bare remote and a worktree of an agent, and all that can be seen of it."""

import hashlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

POLICY = """version: 1
agents:
  a1: { owns: [one/], worktree: ../a1, branch: feat/a1/main, ports: 8080-8099 }
  a2: { owns: [two/], worktree: ../a2, branch: feat/a2/main, ports: 8180-8199 }
areas:
  - { name: common, paths: [common/], access: lock }
branch: { pattern: 'feat/{agent}/{feature}' }
message: { tag: ['[{AGENT}]'] }
locks: { remote: LOCKS }
land: { run: ['test -f one/f'] }
"""
# A hook of the user's own, which must go on being started whatever happens.
OWN_HOOK = "#!/bin/sh\necho \"$(git rev-parse --show-toplevel)\" >>\"$HOME/started\"\n"
NOW = "2026-01-05T12:00:00+00:00"
HIDDEN = ("GIT_", "LANE_", "GITHUB_", "GH_", "CLAUDE", "AI_AGENT", "CODEX_", "GEMINI_CLI", "CURSOR_", "COPILOT_", "OPENCODE", "CI")
# What no two runs have alike: ids of commits that hold a time, times, process ids, names of scratch files.
MASKS = [(re.compile(rb"%\(prefix\)(/\.\.)+"), b""), (re.compile(rb"\b[0-9a-f]{40}\b"), b"<id>"),
         (re.compile(rb"\b[0-9a-f]{7,16}\b"), b"<short>"),
         (re.compile(rb"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-][\d:]+)?"), b"<time>"), (re.compile(rb"\b\d{5,}\b"), b"<n>")]
# Settings of git-lane's own, which come into force and go in several steps.
OWN_SETTINGS = ("hook.git-lane-", "core.hookspath=", "lane.", "include.path=", "extensions.worktreeconfig=")
# Of the git folder: what is compared otherwise (refs, the index), or holds nothing but what happened.
APART = {"objects", "logs", "index", "refs", "packed-refs", "COMMIT_EDITMSG", "ORIG_HEAD", "FETCH_HEAD", "gc.log"}
# What git-lane keeps to be faster: it may be there or not.
KEPT = re.compile(r"lane/(journal|.*\.kept|.*cache|.*verdicts?)|main/\.git/lane/$"
                  r"|lane/(locks|requests|landings)/(guard$|floor-|repository.json|$)")


class Place:
    """The folder `at` of a scratch folder: always at the same path, and copied from `saved` for each trial."""

    def __init__(self, folder, programs):
        self.folder, self.at, self.saved = folder, folder / "at", folder / "saved"
        self.bin, self.output = folder / "bin", folder / "output"
        self.main, self.tree, self.remote = self.at / "main", self.at / "a1", self.at / "remote.git"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.bin.exists():
            self.bin.mkdir()
            for program in ("git-lane", "git-lane-hook"):
                shutil.copy2(programs / program, self.bin / program)
        self.daemon = None
        self.lane = str(self.bin / "git-lane")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(HIDDEN) and key != "AGENT_ID"}
        self.env = {**kept, "PATH": f"{self.bin}:{kept['PATH']}", "HOME": str(self.at / "home"),
                    "XDG_CONFIG_HOME": str(self.at / "home/.config"), "TMPDIR": str(self.at / "tmp"), "LC_ALL": "C",
                    "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_DATE": NOW, "GIT_COMMITTER_DATE": NOW,
                    "SHELL": "/bin/sh", "RUST_BACKTRACE": "0"}

    def build(self, locks="null"):
        self.at.mkdir(exist_ok=True)
        for entry in self.at.iterdir():
            shutil.rmtree(entry)
        for name in ("home", "tmp"):
            (self.at / name).mkdir(parents=True)
        (self.at / "home/.gitconfig").write_text(
            "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n"
            "[user]\n\tname = Faults\n\temail = faults@example.com\n[core]\n\tfsync = none\n")
        self.git("init", "-q", self.main, cwd=self.at)
        for path, text in {"policy.yaml": POLICY.replace("LOCKS", locks), "one/f": "1\n", "two/f": "2\n", "common/f": "c\n"}.items():
            (self.main / path).parent.mkdir(exist_ok=True)
            (self.main / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Start")
        self.git("clone", "-q", "--bare", self.main, self.remote, cwd=self.at)
        self.git("remote", "add", "origin", self.remote)
        self.git("fetch", "-q", "origin")
        self.git("config", "user.colour", "green")
        hook = self.main / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(OWN_HOOK)
        hook.chmod(0o755)
        # What is at hand and not committed, of which nothing may be lost.
        (self.main / "two/draft").write_text("a draft\n")
        (self.main / "one/f").write_text("an edit\n")

    def worktree(self):
        self.git("worktree", "add", "-q", "-b", "feat/a1/main", self.tree, "main")
        (self.tree / "one/draft").write_text("a draft\n")

    def serve(self):
        """The remote by a server, which no fault of ours hits."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.daemon = subprocess.Popen(
            ["git", "daemon", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1", f"--port={port}", "--reuseaddr",
             f"--base-path={self.at}", str(self.at)],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        url = f"git://127.0.0.1:{port}/remote.git"
        self.git("remote", "set-url", "origin", url)
        for _ in range(100):
            if self.git("ls-remote", url, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("git daemon does not answer")

    def close(self):
        if self.daemon:
            os.killpg(self.daemon.pid, signal.SIGTERM)
            self.daemon.wait()

    def git(self, *args, cwd=None, check=True):
        done = subprocess.run(["git", *map(str, args)], cwd=cwd or self.main, env=self.env, capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"git {' '.join(map(str, args))}: {done.stderr}")
        return done.stdout if check else done

    def run(self, *args, cwd=None, env=None, program="", patience=60):
        """The exit code and all output of git-lane."""
        try:
            done = subprocess.run([program or self.lane, *args], cwd=cwd or self.tree, env={**self.env, **(env or {})}, text=True,
                                  errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=patience)
        except subprocess.TimeoutExpired as error:
            return 124, f"still at work after {patience} s: {error.output}"
        return done.returncode, done.stdout

    def good(self, *args, **more):
        code, out = self.run(*args, **more)
        if code != 0:
            raise RuntimeError(f"git lane {' '.join(args)}: {code}: {out}")
        return out

    def save(self):
        self.copy(self.at, self.saved)

    def restore(self):
        self.copy(self.saved, self.at)

    @staticmethod
    def copy(source, target):
        """The target may be where a file system is mounted: only what is in it goes."""
        target.mkdir(exist_ok=True)
        for entry in target.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        subprocess.run(["cp", "-a", f"{source}/.", target], check=True)

    def state(self):
        """All that a user or a program can see: name and what is there."""
        seen = {}
        for top in sorted(top for top in self.at.iterdir() if top.is_dir()):
            if top.name in ("tmp", "home"):
                self.files(top, top.name + "/", seen)
            elif (top / ".git").exists():
                self.files(top, top.name + "/", seen, {".git"})
                self.look(top, seen)
            elif (top / "HEAD").exists():
                self.git_folder(top, top.name, seen)
            else:
                self.files(top, top.name + "/", seen)
        self.git_folder(self.main / ".git", "main/.git", seen)
        listed = self.git("worktree", "list", "--porcelain", check=False)
        seen["worktrees"] = self.masked(listed.stdout.encode()).decode() or listed.stderr
        return seen

    def look(self, top, seen):
        """The index, the branch, and whether git gets on here."""
        name = top.name
        for what, command in {"index": ["ls-files", "-s"], "HEAD": ["rev-parse", "--symbolic-full-name", "HEAD"],
                              "settings": ["config", "--list"]}.items():
            done = self.git(*command, cwd=top, check=False)
            lines = sorted(self.masked(done.stdout.encode()).decode().splitlines())
            seen[f"{name}: {what}"] = "\n".join(line for line in lines if not line.startswith(OWN_SETTINGS)) or done.stderr

    def git_folder(self, folder, name, seen):
        self.files(folder, f"{name}/", seen, APART)
        done = self.git("for-each-ref", "--format=%(refname) %(objectname) %(contents:subject)", cwd=folder, check=False)
        for line in done.stdout.splitlines():
            ref, oid, subject = (line.split(" ", 2) + ["", ""])[:3]
            if ref.startswith("refs/lane/"):
                count = self.git("rev-list", "--count", oid, cwd=folder, check=False).stdout.strip()
                oid = f"{count} events, {subject}"
            seen[f"{name}: {ref}"] = oid

    def files(self, folder, name, seen, apart=frozenset()):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name in apart:
                continue
            label = name + re.sub(r"\d{3,}", "<n>", entry.name)
            if entry.is_dir(follow_symlinks=False):
                # A worktree's own folder of the git folder has an index too.
                self.files(entry.path, label + "/", seen, APART if "/worktrees/" in name else apart)
                seen[label + "/"] = "folder"
                continue
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                seen[label] = f"link to {os.readlink(entry.path)}"
            elif entry.name == "git-lane" and "/bin/" in label:
                seen[label] = "the program"
            else:
                data = self.masked(Path(entry.path).read_bytes())
                digest = hashlib.sha1(data).hexdigest()[:10]
                seen[label] = f"{mode & 0o777:o} {len(data)} bytes {digest}"

    @staticmethod
    def masked(data):
        for pattern, word in MASKS:
            data = pattern.sub(word, data)
        return data
