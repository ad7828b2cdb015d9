"""Surroundings, measuring and tables: what every benchmark needs."""

import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
# Variables by which somebody's own settings would take part.
FOREIGN = ("GIT_", "LANE_", "GH_", "GITHUB_", "PRE_COMMIT", "PREK_", "LEFTHOOK", "HUSKY", "GITLINT_", "NODE_OPTIONS",
           "CLAUDE", "AI_AGENT", "CODEX_", "GEMINI_CLI", "CURSOR_", "COPILOT_", "OPENCODE")  # a coding agent may be the one who measures
SETTINGS = """[gc]
\tauto = 0
[maintenance]
\tauto = false
[receive]
\tautogc = false
[advice]
\tdetachedHead = false
[init]
\tdefaultBranch = main
[safe]
\tdirectory = *
"""


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def environment(home, programs=()):
    """The environment of everything that is measured: no settings but ours; `programs` are folders for PATH."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN) and key != "AGENT_ID"}
    # In a file, so that every git of the run reads it, and in the same way.
    config = home / "gitconfig"
    config.write_text(SETTINGS)
    path = os.pathsep.join([*map(str, programs), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "LC_ALL": "C", "TZ": "UTC",
            "GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Bench", "GIT_AUTHOR_EMAIL": "bench@example.com",
            "GIT_COMMITTER_NAME": "Bench", "GIT_COMMITTER_EMAIL": "bench@example.com"}


def run(command, cwd, env, ok=(0,)):
    """What a command prints. Ends the benchmark where the exit code is not one of `ok`."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in ok:
        fail(f"{' '.join(map(str, command))} gave {done.returncode}:\n{done.stderr.decode(errors='replace')}"
             f"{done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def measured(command, cwd, env, text="", ok=(0,)):
    """Seconds by the clock, and what a command and all that it starts used (getrusage). Ends the benchmark as `run` does."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:
        told.write(text.encode())
        told.seek(0)
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=env, stdin=told, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
        took = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in ok:
            said.seek(0)
            fail(f"{' '.join(map(str, command))[:300]} gave {child.returncode}:\n{said.read().decode(errors='replace')[:2000]}")
    return took, used


def interleaved(kinds, rounds, measure, warm=2):
    """A list of seconds per kind; each round measures all of them, in random order. `warm` rounds do not count."""
    times = {kind: [] for kind in kinds}
    for number in range(-warm, rounds):
        for kind in random.sample(list(kinds), len(kinds)):
            took = measure(kind)
            if number >= 0:
                times[kind].append(took)
    return times


def added(times, first):
    """Per kind, the differences in milliseconds to `first` of the same round."""
    return {kind: [1e3 * (a - b) for a, b in zip(values, times[first])] for kind, values in times.items()}


def ratio(times, kind, first):
    """The median of the ratios to `first` within each round."""
    return statistics.median(a / b for a, b in zip(times[kind], times[first]))


def rows(times, labels, reference):
    """Label, median, added over the first, quartiles of that, ratio of the added time to the reference's."""
    first = next(iter(times))
    differences = added(times, first)
    for kind, values in times.items():
        cells = [labels.get(kind, kind), f"{1e3 * statistics.median(values):.2f}"]
        if kind == first:
            yield [*cells, "", "", ""]
            continue
        low, middle, high = statistics.quantiles(differences[kind], n=4)
        against = statistics.quantiles(differences[reference], n=4) if reference else [0]
        # Where a quarter of the rounds shows nothing added by the reference, a ratio to it would mean nothing.
        against = f"{middle / against[1]:.2f}" if against[0] > 0 else ""
        yield [*cells, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", against]


def table(header, body, is_markdown, title=None):
    """The rows as text in columns, or as a table of Markdown; columns at the end that are empty are left out."""
    width = max(n + 1 for n in range(len(header)) if any(row[n] for row in body))
    header, body = header[:width], [row[:width] for row in body]
    if is_markdown:
        lines = [f"| {' | '.join(header)} |", f"| --- |{' ---: |' * (width - 1)}"]
        lines += [f"| {' | '.join(row)} |" for row in body]
        return "\n".join([f"{title}\n", *lines] if title else lines) + "\n"
    widths = [max(len(row[n]) for row in [header, *body]) for n in range(width)]
    lines = ["  " + row[0].ljust(widths[0]) + "".join("  " + cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))
             for row in [header, *body]]
    return "\n".join([title, *lines] if title else lines)


def machine():
    """One line on where this was measured."""
    version = subprocess.run(["git", "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {version}"


def say(text=""):
    print(text)
    sys.stdout.flush()


def add_lane(parser):
    parser.add_argument("--lane", type=Path, default=PROJECT / "target/release/git-lane", metavar="BINARY",
                        help="default: target/release/git-lane")


def lane_of(parser, options):
    """The binary that is to be measured, as an absolute path."""
    lane = options.lane.resolve()
    if not os.access(lane, os.X_OK):
        parser.error(f"{lane} is not there: scripts/build")
    return lane


def installed(lane, folder):
    """The program as `install.sh` puts it into a folder, by copying it: what a linker has written piece by piece lies in
    memory in small pieces too, and starts more slowly than what was written from end to end."""
    place = folder / "bin"
    place.mkdir(parents=True, exist_ok=True)
    hooks = lane.with_name("git-lane-hook")
    # One that is older would not be taken where it lies.
    is_taken = hooks.exists() and hooks.stat().st_mtime >= lane.stat().st_mtime
    for source, name in [(lane, "git-lane"), *([(hooks, "git-lane-hook")] if is_taken else [])]:
        shutil.copyfile(source, place / name)
        (place / name).chmod(0o755)
    return place / "git-lane"
