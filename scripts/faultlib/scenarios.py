"""The commands that are tried, each with what has to be there before."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Scenario:
    name: str
    args: list  # of git-lane
    build: Callable  # of a Place: the state before the command
    where: str = "a1"  # the folder to run it in
    probe: str = ""  # the worktree in which commits are tried; none: the same folder
    claims: str = ""  # "installed" or "removed": what a success says of the hooks of that worktree
    undo: tuple = ()  # the command that takes it back, and with it whatever faults have left
    ways: tuple = ()  # faults at the call with a path, after which it gets on in another way: (what, pattern)
    between: str = ""  # what has values of its own while it is at work
    slack: str = ""  # what git itself leaves as it was, and says so, without failing
    excuse: tuple = ()  # what a message may say was not done though the rest was: (words, files)
    then: tuple = ()  # what a second run says to go on with, where it does not go on itself: (words, arguments)
    program: str = ""  # another program than git-lane


def installed(place, locks="null"):
    place.build(locks)
    place.worktree()
    place.good("install", "--agent", "a1")


def plain(place):
    place.build()
    place.worktree()


def both(place):
    plain(place)
    place.git("worktree", "add", "-q", "-b", "feat/a2/main", "../a2", "main")


def bare(place):
    place.build()


def no_policy(place):
    place.build()
    place.git("rm", "-q", "-f", "policy.yaml")
    place.git("commit", "-q", "-m", "No policy")
    place.git("push", "-q", "origin", "main")


def set_up(place):
    place.build()
    place.good("setup", "a1", cwd=place.main)


def work_done(place, locks="null"):
    """A commit of a1, which may be pushed and land."""
    installed(place, locks)
    (place.tree / "one/f").write_text("done\n")
    place.git("add", "one/f", cwd=place.tree)
    place.git("commit", "-q", "-m", "[A1] Done", cwd=place.tree)


def to_land(place):
    """As above, and the base has moved, so that it has to be rebased."""
    work_done(place)
    place.git("stash", "-q")
    (place.main / "two/f").write_text("meanwhile\n")
    place.git("commit", "-q", "-am", "Meanwhile")
    place.git("push", "-q", "origin", "main")
    place.git("stash", "pop", "-q")


def locked(place, locks="null"):
    installed(place, locks)
    place.good("lock", "common")


def submitted(place):
    installed(place)
    place.git("worktree", "add", "-q", "-b", "feat/a2/main", "../a2", "main")
    place.good("install", "--agent", "a2", cwd=place.at / "a2")
    place.good("request", "submit", "two/f", "--reason", "a column")


NO_LINK = (("EPERM", r"lane/bin/\.git-lane\.\d+$"),)
MIRROR = r"refs/lane/remotes/|lane/locks/synced"  # fetched again when it is asked for
TRACKING = "refs/remotes/origin/"
MARKERS = (r"does not show the current locks|guard cannot be written", r"\.locks/")
ALL_AWAY = ("uninstall", "--all")
SUBMIT = ["request", "submit", "two/f", "--reason", "a column"]
SCENARIOS = [
    Scenario("install", ["install", "--agent", "a1"], plain, claims="installed", undo=ALL_AWAY, ways=NO_LINK),
    Scenario("install-all", ["install", "--all"], both, where="main", probe="a1", claims="installed", undo=ALL_AWAY, ways=NO_LINK),
    Scenario("install-server", ["install", "--server"], bare, where="remote.git", undo=("uninstall", "--server")),
    Scenario("install-harness", ["install", "--harness", "claude"], installed, undo=ALL_AWAY, between="lane/harness.json"),
    Scenario("uninstall", ["uninstall"], installed, claims="removed"),
    Scenario("uninstall-all", ["uninstall", "--all"], set_up, where="main", probe="a1", claims="removed"),
    Scenario("setup", ["setup", "a1"], bare, where="main", probe="a1", claims="installed", undo=ALL_AWAY, ways=NO_LINK,
             between=r"lane/setup/a1.json|worktrees/a1/locked|^worktrees$|^a1: "),
    Scenario("lock", ["lock", "common"], installed, excuse=MARKERS),
    Scenario("lock-remote", ["lock", "common"], lambda place: installed(place, "origin"), excuse=MARKERS, slack=MIRROR),
    Scenario("unlock", ["unlock", "common"], locked, excuse=MARKERS),
    Scenario("unlock-remote", ["unlock", "common"], lambda place: locked(place, "origin"), excuse=MARKERS, slack=MIRROR),
    Scenario("commit", ["commit", "-m", "[A1] Done"], lambda place: (installed(place), (place.tree / "one/f").write_text("done\n"),
             place.git("add", "one/f", cwd=place.tree)), program="git"),
    Scenario("push", ["push"], work_done, slack=TRACKING),
    Scenario("git-push", ["push", "-q", "origin", "HEAD"], work_done, program="git", slack=TRACKING),
    Scenario("push-net", ["push"], lambda place: (work_done(place), place.serve()), slack=TRACKING),
    Scenario("lock-net", ["lock", "common"], lambda place: (installed(place, "origin"), place.serve()), excuse=MARKERS, slack=MIRROR),
    Scenario("submit", SUBMIT, installed),
    Scenario("accept", ["request", "accept", "r1"], submitted, where="a2", probe="a1"),
    Scenario("land", ["land"], to_land, slack=TRACKING),
    Scenario("teardown", ["teardown", "a1"], set_up, where="main", between=r"lane/setup/a1.json|worktrees/a1/|^worktrees$|^a1: "),
    Scenario("init", ["init", "--yes", "--agents", "2"], no_policy, where="main", then=("to install the hooks for it", ["install"])),
]
