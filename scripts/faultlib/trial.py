"""One trial: a fault at one call, what must hold after it, and the same command again."""

import os
import re
import shutil
from dataclasses import dataclass, field

from .place import KEPT, Place
from .tracer import Fault, Tracer

# By class of call: what is tried there beside `kill` and `crash`.
ERRORS = {"open": ["full", "EACCES"], "write": ["full", "short", "EIO"], "send": ["EPIPE", "EINTR"], "rename": ["EACCES", "EIO"],
          "link": ["full", "EPERM"], "unlink": ["EACCES"], "mkdir": ["full", "EACCES"], "chmod": ["EPERM"], "sync": ["EIO"],
          "lock": ["ENOLCK", "EINTR"], "connect": ["ECONNREFUSED", "ETIMEDOUT"], "exec": ["ENOMEM", "gone"], "fork": ["EAGAIN"]}
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"  # of Debian's faketime
# What a message says to remove: a lock file that git leaves when it is killed, the rest of a folder.
LEFT = re.compile(r"'?(/\S+\.lock)'?")
REST = re.compile(r"rm -r (/\S+)")
# What a message may say, and where nothing may have changed then.
CLAIMS = {"nothing was (changed|half done|written|rebased)": "", "nothing was (pushed|landed)": "remote.git: refs/heads",
          "nothing was committed": ": refs/heads"}
# What files are called that are to get another name, of git and of git-lane.
SCRATCH = re.compile(r"(\.<n>|\.new|\.lock|\.lock\.lane|/tmp_\w+|\.tmp\w*|~|\.lane-new)$|/\.[\w.-]*<n>|/\.tmp\w+|tmp/|/\.lane-new-")


@dataclass
class Outcome:
    where: str
    what: str
    kind: str
    result: str = ""  # completed, refused, killed, not reached
    again: str = ""  # at once, after a lock file was removed, or what is wrong
    defects: list = field(default_factory=list)
    left: list = field(default_factory=list)
    out: str = ""


def heading(out):
    """The first line, without what differs each time."""
    return Place.masked(out.encode()).decode().partition("\n")[0]


class Trials:
    """All trials of one scenario, in one place."""

    def __init__(self, place, scenario):
        self.place, self.scenario = place, scenario
        scenario.build(place)
        place.save()
        self.before = place.state()
        first = self.traced()
        if first.code != 0:
            raise RuntimeError(f"{scenario.name}: {first.code}: {first.out}")
        self.calls, self.after, self.said = first.calls, place.state(), first.out
        self.undone = self.undo()
        place.restore()
        self.traced()
        # Where a run has done its work and did not say so, or died after it, the next one finds it done.
        self.repeated = self.plainly()
        self.twice = place.state()
        place.restore()
        self.traced()
        other = place.state()
        # What differs between two runs without a fault says nothing.
        self.loose = {key for key in {*self.after, *other} if self.after.get(key) != other.get(key)}
        self.ends = [self.after] + [self.other_end(*way) for way in scenario.ways]
        self.probes = {}
        place.restore()
        self.probed = self.probe(self.before)

    def other_end(self, what, pattern):
        """How it ends where something can only be done in another way, as when there are no hard links."""
        call = next(call for call in self.calls if re.search(pattern, call.path))
        self.place.restore()
        ran = self.traced(Fault(call, what))
        if ran.code != 0:
            raise RuntimeError(f"{self.scenario.name} without {call.name} {call.path}: {ran.out}")
        return self.place.state()

    def traced(self, fault=None):
        place, scenario = self.place, self.scenario
        program = shutil.which(scenario.program) if scenario.program else place.lane
        command = [program, *scenario.args]
        tracer = Tracer(place.at, fault, lambda: place.remote.rename(place.at / "remote.gone"))
        return tracer.run(command, place.at / scenario.where, place.env, place.output)

    def faults(self):
        for call in self.calls:
            for what in ["kill", "crash", *ERRORS[call.kind]]:
                if call.kind == "exec" and call.process == "1" and what not in ("crash", "gone"):
                    continue  # not git-lane's affair yet
                if what == "kill" and call.process == "1" and not any(other.process != "1" for other in self.calls):
                    continue  # the same as a crash
                if what == "gone" and call.path not in ("git", "git-receive-pack", "git-upload-pack"):
                    continue
                yield Fault(call, what)

    def trial(self, fault):
        place = self.place
        place.restore()
        done = Outcome(f"{fault.call.process}:{fault.call.number} {fault.call.name} {fault.call.path}", fault.what, fault.call.kind)
        return self.judged(self.traced(fault), done)

    def filled(self, pages):
        """On a file system with so many free pages of 4 KiB: the folder is where a tmpfs is mounted."""
        place = self.place
        place.restore()
        filler = place.at / "filler"
        free = os.statvfs(place.at).f_bfree - pages
        with open(filler, "wb") as file:
            file.write(bytes(4096) * max(0, free))
        ran = self.traced()
        filler.unlink()
        ran.was_hit = True
        return self.judged(ran, Outcome(f"{pages} pages", "tmpfs", "tmpfs"))

    def at_time(self, skew):
        """With a clock that is wrong by so much, by libfaketime; then with the right one."""
        place = self.place
        place.restore()
        env, place.env = place.env, {**place.env, "LD_PRELOAD": FAKETIME, "FAKETIME": skew, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        try:
            ran = self.traced()
        finally:
            place.env = env
        ran.was_hit = True
        return self.judged(ran, Outcome(skew, "clock", "clock"))

    def judged(self, ran, done):
        """What the fault did, and what the next run does."""
        place = self.place
        if (place.at / "remote.gone").exists() and not place.remote.exists():
            (place.at / "remote.gone").rename(place.remote)
        done.out = ran.out
        if not ran.was_hit:
            done.result = "not reached"
            return done
        blame = done.defects.append
        self.judge_end(ran, done)
        state = place.state()
        self.judge_state(state, done)
        self.judge_words(ran, state, blame)
        self.judge_git(done, blame)
        self.judge_success(ran, state, blame)
        self.judge_probe(self.probe(state), ran.code, blame)
        self.again(done)
        return done

    def judge_success(self, ran, state, blame):
        """All is done, but for what the message says was not."""
        words, files = self.scenario.excuse or (None, "")
        if ran.code != 0:
            return
        for key in min((self.differing(state, end) for end in self.ends), key=len):
            if not (words and re.search(words, ran.out) and re.search(files, key)):
                blame(f"success, but {key} is {state.get(key)!r} and not {self.after.get(key)!r}")

    def judge_end(self, ran, done):
        blame = done.defects.append
        if ran.is_hung:
            blame("it does not end")
        if "panicked" in ran.out or ran.code in (101, 134, -6, -11):
            blame(f"panic: {ran.out.strip()[-300:]}")
        if ran.code == 0:
            done.result = "completed"
        elif done.what == "crash" or ran.code == -9:
            done.result = "killed"
        else:
            done.result = "refused"
            if not re.search(r"error|fatal|refused|could not|cannot|failed", ran.out):
                blame(f"exit {ran.code} with no word why: {ran.out.strip()[-200:]!r}")

    def differing(self, state, end):
        """What is not as at this end; more than that may be there."""
        return [key for key, value in end.items() if key not in self.loose and state.get(key) != value and not self.is_kept(key)]

    def is_between(self, key):
        """What is noted while the work is going on has values of its own then."""
        return bool(self.scenario.between and re.search(self.scenario.between, key))

    def is_kept(self, key):
        return bool(KEPT.search(key) or self.scenario.slack and re.search(self.scenario.slack, key))

    def judge_state(self, state, done):
        """Everything is as it was, or as it is to become."""
        for key in sorted({*state, *self.before, *self.after}):
            value, known = state.get(key), [end.get(key) for end in (self.before, *self.ends)]
            if value in known or key in self.loose or self.is_kept(key) or self.is_between(key):
                continue
            if key not in self.before and key not in self.after:
                if SCRATCH.search(key) or value == "folder":
                    done.left.append(key)
                else:
                    done.defects.append(f"new: {key}: {value}")
            else:
                done.defects.append(f"neither old nor new: {key}: {value}, was {self.before.get(key)}")

    def judge_words(self, ran, state, blame):
        """What a failure says of itself."""
        for words, where in CLAIMS.items():
            if ran.code == 0 or not re.search(words, ran.out):
                continue
            for key in sorted({*state, *self.before}):
                is_scratch = key not in self.before and (SCRATCH.search(key) or state[key] == "folder")
                if where in key and state.get(key) != self.before.get(key) and not (
                        key in self.loose or self.is_kept(key) or is_scratch):
                    blame(f"it says {words!r}, but {key} is {state.get(key)}")

    def judge_git(self, done, blame):
        """git's own commands work, but in a worktree that a killed git had only begun to make."""
        place = self.place
        # A worktree that is made or removed is neither, until the command is through.
        roots = {key[:-len(": HEAD")] for key in {*self.before, *self.after} if key.endswith(": HEAD")}
        new = [name for name in roots if (f"{name}: HEAD" in self.before) != (f"{name}: HEAD" in self.after) and not done.again]
        for top in sorted(top for top in place.at.iterdir() if top.is_dir()):
            if (top / ".git").exists() and top.name not in new:
                # A lock of the index that a killed git left is in nobody's way who only looks.
                status = place.git("status", "--porcelain", cwd=top, check=False)
                if status.returncode != 0:
                    blame(f"git status in {top.name}: {status.stderr.strip()}")
        for folder in (place.main, place.remote):
            checked = place.git("fsck", "--no-dangling", "--connectivity-only", cwd=folder, check=False)
            wrong = [line for line in checked.stderr.splitlines() if line.startswith(("error", "fatal", "broken", "missing"))
                     and not any(f"worktrees/{name}/" in line for name in new)]
            if wrong or checked.returncode != 0 and not new:
                blame(f"git fsck of {folder.name}: {wrong or checked.returncode}")

    def probe(self, state):
        """What commits get in this state; asked once for each state."""
        key = tuple(sorted(state.items()))
        if key not in self.probes:
            self.probes[key] = self.commits()
        return self.probes[key]

    def commits(self):
        """What a commit gets that is another agent's affair, and whether the user's own hook is started: in a copy."""
        place, tree = self.place, self.place.at / (self.scenario.probe or self.scenario.where)
        aside = place.folder / "aside"
        place.copy(place.at, aside)
        try:
            found = {}
            if not (tree / "two").is_dir():
                return found
            for where, path in (("illegal", "two/f"), ("legal", "one/f")):
                (tree / path).write_text(f"changed {where}\n")
                place.git("add", path, cwd=tree, check=False)
                started = place.at / "home/started"
                started.unlink(missing_ok=True)
                done = place.git("commit", "-m", f"[A1] {where}", cwd=tree, check=False)
                found[where] = "passes" if done.returncode == 0 else "refused"
                found[where + " words"] = done.stderr
                found[where + " own hook"] = started.exists()
                place.git("reset", "-q", "--hard", cwd=tree, check=False)
            return found
        finally:
            place.copy(aside, place.at)

    def judge_probe(self, probed, code, blame):
        if not probed:
            return
        claims = self.scenario.claims if code == 0 else ""
        if claims == "installed" and probed["illegal"] != "refused":
            blame("said to be installed, and an illegal commit passes")
        if claims == "removed" and probed["illegal"] != "passes":
            blame("said to be removed, and a commit is refused")
        if not self.scenario.claims and probed["illegal"] != self.probed.get("illegal"):
            blame(f"an illegal commit now {probed['illegal']}")
        if probed["legal"] != "passes":
            blame(f"a legal commit is refused: {probed['legal words'].strip()[:300]}")
        elif not probed["legal own hook"]:
            blame("the user's own hook is not started any more")

    def plainly(self):
        place, scenario = self.place, self.scenario
        return place.run(*scenario.args, cwd=place.at / scenario.where, program=scenario.program)

    def again(self, done):
        """The same command, with no fault."""
        place, scenario = self.place, self.scenario
        done.again = "at once"
        code, out = self.as_told(done)
        if code != 0 and (code, heading(out)) != (self.repeated[0], heading(self.repeated[1])):
            done.again = "fails"
            done.defects.append(f"the second run: exit {code}: {out.strip()[-500:]}")
            return
        self.judge_git(done, done.defects.append)
        state = place.state()
        for key in sorted({*state, *self.after}):
            if key in self.loose or self.is_kept(key) or state.get(key) in (self.after.get(key), self.twice.get(key)):
                continue
            # git may be at work in its own folder, but nothing is left among the user's files.
            if key not in self.after and ("/.git/" in key or ".git/" in key) and (SCRATCH.search(key) or state[key] == "folder"):
                continue
            done.defects.append(f"the second run: {key} is {state.get(key)}, not {self.after.get(key)}")
        if self.undone:
            gone = self.undo()
            for key in sorted({*gone, *self.undone}):
                if gone.get(key) != self.undone.get(key) and key not in self.loose:
                    done.defects.append(f"after {' '.join(scenario.undo)}: {key} is {gone.get(key)}, not {self.undone.get(key)}")

    def as_told(self, done):
        """The same command until it is through, doing what its messages say in between."""
        place, scenario = self.place, self.scenario
        code, out = self.plainly()
        for _ in range(4):
            lock, rest = LEFT.search(out), REST.search(out)
            if code == 0 or not (lock or rest):
                break
            if rest:
                done.again = "after what was named had been removed"
                shutil.rmtree(rest.group(1), ignore_errors=True)
            else:
                path = lock.group(1).rstrip("'.")
                if not os.path.exists(path):
                    break
                done.again = "after the lock file that was named had been removed"
                os.unlink(path)
            code, out = self.plainly()
        words, command = scenario.then or ("", [])
        if code != 0 and words and words in out:
            done.again = "by the command that was named"
            code, out = place.run(*command, cwd=place.at / scenario.where)
        return code, out

    def undo(self):
        """The state after the command that takes all of it back."""
        scenario, place = self.scenario, self.place
        if not scenario.undo:
            return None
        code, out = place.run(*scenario.undo, cwd=place.at / scenario.where)
        state = place.state()
        state["what it says"] = f"{code}: {Place.masked(out.encode()).decode()}"
        return state
