"""What `scripts/bench` measures: slices through sizes, histories, policies and changes, not all of their products."""

import os
import shutil
import subprocess
import sys
import time

from .common import fail, interleaved, say
from .contenders import LABELS, PUSHERS, Checks, Hooks, prove
from .scratch import Scratch

EVERYBODY = ["none", "nothing", "lane", "sh", "lefthook", "prek", "pre-commit", "husky", "committed", "gitlint"]
# Limits on lines that do not bind where a slice needs many lines.
WIDE = 1_000_000

# Points are numbers along the axis; `quick` are those of a quick run. `rounds`: a share of --rounds at each point.
SLICES = {
    "files": {"title": "git commit of 3 files", "axis": "files in the repository", "kinds": EVERYBODY,
              "points": [200, 5_000, 57_000, 200_000], "quick": [200, 5_000], "rounds": [1, 1, 0.5, 0.4]},
    "changed": {"title": "git commit in 5,000 files", "axis": "changed files in the commit", "kinds": PUSHERS,
                "points": [1, 10, 100, 1_000], "quick": [1, 100], "rounds": [0.5] * 4},
    "history": {"title": "git commit of 3 files, 5,000 files", "axis": "commits of main since the branch left it",
                "kinds": ["none", "nothing", "lane", "sh"], "points": [1, 1_000, 10_000, 80_000], "quick": [1, 10_000],
                "rounds": [0.7] * 4},
    "graph": {"title": "git commit of 3 files, 5,000 files, with a commit graph",
              "axis": "commits of main since the branch left it", "kinds": ["none", "nothing", "lane", "sh"],
              "points": [1, 1_000, 10_000, 80_000], "quick": [1, 10_000], "rounds": [0.7] * 4},
    "patterns": {"title": "git commit of 3 files, 5,000 files", "axis": "patterns in the policy",
                 "kinds": ["none", "nothing", "lane"], "points": [24, 100, 1_000, 10_000], "quick": [24, 10_000],
                 "rounds": [0.7] * 4},
    "pushed": {"title": "git push, 5,000 files", "axis": "commits pushed", "kinds": PUSHERS,
               "points": [1, 50, 1_000, 10_000], "quick": [1, 50], "rounds": [0.7, 0.7, 0.4, 0.25]},
    "range": {"title": "git lane check --range, 5,000 files", "axis": "commits in the range", "kinds": ["git", "lane"],
              "points": [100, 1_000, 10_000], "quick": [100, 1_000], "rounds": [0.5, 0.5, 0.3]},
}
RANGE_LABELS = {"git": "git log --raw, git diff --numstat", "lane": "git lane check --range"}


def labels_of(name):
    return RANGE_LABELS if name == "range" else LABELS


class Runner:
    """One run of the benchmark: where, with what, who."""

    def __init__(self, folder, env, lane, peers, options):
        self.folder, self.env, self.lane, self.peers, self.options = folder, env, lane, peers, options
        self.proven = set()

    def measure(self, name):
        """Each point of a slice: the seconds of each contender, and for ranges the peak memory in MB."""
        shape = SLICES[name]
        points = list(zip(shape["points"], shape["rounds"]))
        if self.options.quick:
            points = [each for each in points if each[0] in shape["quick"]]
        if self.options.points:
            points = [each for each in points if each[0] in self.options.points]
        kinds = [kind for kind in shape["kinds"] if kind not in self.peers.missing and self.is_wanted(kind)]
        for point, share in points:
            rounds = max(5, round(self.options.rounds * share))
            started = time.monotonic()
            place = self.folder / f"{name}-{point}"
            try:
                there = self.point(name, point, kinds, rounds, place)
            finally:
                if not self.options.keep:
                    shutil.rmtree(place, ignore_errors=True)
            say(f"{name} {point:,}: {rounds} rounds of {len(kinds)}, {time.monotonic() - started:.0f} s with all that was "
                "made for it")
            yield str(point), there

    def is_wanted(self, kind):
        return kind in ("none", "nothing", "lane", "git") or not self.options.peers or kind in self.options.peers

    def point(self, name, point, kinds, rounds, place):
        limit = WIDE if name in ("changed", "pushed", "range") else 300
        checks = Checks(place, limit)
        asked = {"files": {"size": point}, "changed": {"size": 5_000, "changed": point},
                 "history": {"size": 5_000, "history": point}, "graph": {"size": 5_000, "history": point, "graph": True},
                 "patterns": {"size": 5_000, "patterns": point},
                 "pushed": {"size": 5_000, "pushes": (point,)}, "range": {"size": 5_000, "pushes": (point,)}}[name]
        scratch = Scratch(place / "r", self.env, self.lane, max_lines=limit, extra=checks.files(), **asked)
        if name == "range":
            return self.range(scratch, point, kinds, rounds)
        Hooks(scratch, checks, self.peers).make(kinds)
        if name == "pushed":
            for kind in kinds[2:]:
                if scratch.refuses_push(kind, point) is None:
                    fail(f"{LABELS[kind]} let a push in that it is to refuse")
            return {"seconds": interleaved(kinds, rounds, lambda kind: scratch.push(kind, point), warm=1)}
        prove(scratch, [kind for kind in kinds if kind not in self.proven], True)
        prove(scratch, [kind for kind in kinds if kind in self.proven], False)
        self.proven.update(kinds)
        return {"seconds": interleaved(kinds, rounds, scratch.commit)}

    def range(self, scratch, count, kinds, rounds):
        """All commits of a branch, read as the policy job does, beside the two gits that read the same."""
        span = f"main..feat/a2/push-{count}"
        log = ["git", "--no-replace-objects", "log", "--raw", "--no-abbrev", "--no-renames", "--format=%H %P%n%B", span]
        whole = ["git", "diff", "--numstat", "--no-ext-diff", span]
        check = [self.lane, "check", "--range", span, "--agent", "a2", "--branch", "feat/a2/x"]
        commands = {"git": [log, whole], "lane": [check]}
        said = scratch.attempt(*check)
        if said[1] != 0:
            fail(f"git lane check --range gave {said[1]}:\n{said[2]}")
        foreign = [*check[:3], f"main..feat/a2/foreign-{count}", *check[4:]]
        if scratch.attempt(*foreign)[1] != 1:
            fail("git lane check --range let in what it is to refuse")
        seconds = interleaved(kinds, rounds, lambda kind: sum(scratch.timed(kind, *each) for each in commands[kind]), warm=1)
        memory = {kind: max(peak(scratch, each) for each in commands[kind]) for kind in kinds}
        return {"seconds": seconds, "peak": memory}


PEAK = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(scratch, command):
    """The most memory that a command, or a process below it, had at once, in MB. A small process starts it, whose
    own size (about 10 MB) is the least that can be seen."""
    done = subprocess.run([sys.executable, "-S", "-c", PEAK, *map(str, command)], cwd=scratch.tree, env=scratch.env,
                          stdout=subprocess.PIPE, check=True)
    return int(done.stdout) / (1024 * 1024 if os.uname().sysname == "Darwin" else 1024)
