"""A year of many agents, made by `git fast-import`: the base's history, branches that are open, and records of locks.

Every agent has a service of its own, and changes it on branches that are merged, or squashed, some forty changes after they
were begun. Some changes touch a common folder under a lock; some of those meet another one in the same line, and their branch
has merged the base, with the conflict resolved. The same seed makes the same history.
"""

import hashlib
import json
import random
import subprocess

FILES = 25  # of a service
LINES = 60  # of a file
COMMON = 20  # files that all share
AREAS = ["common", "schema", "ci", "deploy", "docs"]
DAY = 86_400


def policy(agents):
    """The policy of that many agents."""
    lanes = "\n".join(f"  a{n}: {{ name: Agent {n}, services: [s{n}] }}" for n in range(1, agents + 1))
    areas = "\n".join(f'  - {{ name: {area}, paths: ["/{area}/**"], access: lock }}' for area in AREAS)
    return (f'version: 1\nbase: main\nremote: origin\nservices: {{ paths: "services/{{service}}/**" }}\nagents:\n{lanes}\nareas:\n{areas}\n'
            'branch: { pattern: "feat/{agent}/{feature}", protected: [main] }\nmessage: { tag: ["[{AGENT}]"] }\n'
            'change: { max_lines: 300 }\nlocks: { ttl: 2h, remote: null }\n')


class Year:
    """Writes the history into the standard input of a fast-import."""

    def __init__(self, out, agents, begin, end, merged, squashed, seed=7):
        self.out, self.agents, self.begin, self.end = out, agents, begin, end
        self.changes = ["merge"] * merged + ["squash"] * squashed
        self.random = random.Random(seed)
        self.random.shuffle(self.changes)
        self.mark = 0
        self.content, self.blobs = {}, {}  # of the base, by path: lines, and the mark of the blob
        self.conflicts = self.commits = 0

    def next_mark(self):
        self.mark += 1
        return self.mark

    def data(self, text):
        raw = text.encode()
        self.out.write(b"data %d\n%s\n" % (len(raw), raw))

    def blob(self, lines):
        mark = self.next_mark()
        self.out.write(b"blob\nmark :%d\n" % mark)
        self.data("\n".join(lines) + "\n")
        return mark

    def commit(self, ref, who, made, committed, message, parents, files):
        mark = self.next_mark()
        person = f"{who} <{who}@example.com>"
        self.out.write(f"commit {ref}\nmark :{mark}\nauthor {person} {made} +0000\ncommitter {person} {committed} +0000\n".encode())
        self.data(message)
        for word, parent in zip(["from"] + ["merge"] * len(parents), parents):
            self.out.write(f"{word} :{parent}\n".encode())
        self.out.write("".join(f"M 100644 :{blob} {path}\n" for path, blob in files.items()).encode())
        self.commits += 1
        return mark

    def line(self):
        return "".join(self.random.choice("abcdefghijklmnopqrstuvwxyz   ") for _ in range(36))

    def first(self):
        paths = [f"services/s{n}/f{k}.py" for n in range(1, self.agents + 1) for k in range(FILES)]
        paths += [f"common/c{k}.py" for k in range(COMMON)]
        for path in paths:
            self.content[path] = [self.line() for _ in range(LINES)]
            self.blobs[path] = self.blob(self.content[path])
        policy_blob = self.next_mark()
        self.out.write(b"blob\nmark :%d\n" % policy_blob)
        self.data(policy(self.agents))
        self.blobs["policy.yaml"] = policy_blob
        return self.commit("refs/heads/main", "maintainer", self.begin, self.begin, "first\n", [], self.blobs)

    def edited(self, lines):
        """The same file with some lines changed, added and taken away."""
        lines = list(lines)
        for _ in range(self.random.randint(2, 12)):
            at = self.random.randrange(len(lines))
            kind = self.random.random()
            if kind < 0.6 or len(lines) < LINES // 2:
                lines[at] = self.line()
            elif kind < 0.8 and len(lines) < LINES * 2:
                lines.insert(at, self.line())
            else:
                del lines[at]
        return lines

    def write(self):
        """All of it; the tip of the base."""
        tips = [self.first()]
        step = (self.end - self.begin) / (len(self.changes) + self.agents + 2)
        for number, kind in enumerate(self.changes):
            agent = number % self.agents + 1
            fork = tips[max(0, len(tips) - self.agents)]
            at = self.begin + int((number + self.agents) * step)
            begun = max(self.begin + 1, at - int(self.random.uniform(0.2, 1.0) * self.agents * step))
            tips.append(self.change(number, kind, f"a{agent}", fork, tips[-1], begun, at))
        for number in range(self.agents // 2):  # still open
            agent = f"a{number + 1}"
            self.branch(f"feat/{agent}/open", agent, tips[-1 - number], self.end - DAY, self.end - 60, 3, {})
        return tips[-1]

    def branch(self, name, agent, fork, begun, ended, count, files, mine=None):
        """Commits of a branch; the tip. `files`: what they change, which is filled."""
        service, tip = f"services/s{agent[1:]}", fork
        content = {} if mine is None else mine
        for k in range(count):
            changed = {}
            for path in sorted({f"{service}/f{self.random.randrange(FILES)}.py" for _ in range(self.random.randint(1, 2))}):
                content[path] = self.edited(content.get(path, self.content[path]))
                changed[path] = files[path] = self.blob(content[path])
            if k == 0 and mine is not None and "common" in mine:
                path, lines = mine.pop("common")
                content[path] = lines
                changed[path] = files[path] = self.blob(lines)
            made = begun + (ended - begun) * k // max(1, count)
            tip = self.commit(f"refs/heads/{name}", agent, made, made, f"[{agent.upper()}] feat: step {k}\n", [tip], changed)
        return tip

    def change(self, number, kind, agent, fork, main, begun, at):
        name, files, mine = f"feat/{agent}/x{number}", {}, {}
        meets = kind == "merge" and number % 100 == 50 and number > self.agents
        path = f"common/c{number % COMMON}.py"
        if meets:  # somebody else lands another edit of the same line meanwhile
            theirs = list(self.content[path])
            theirs[4] = self.line()
            old = list(self.content[path])
            old[4] = self.line()
            mine["common"] = (path, old)
        if kind == "squash":
            squashed = {}
            for path in sorted({f"services/s{agent[1:]}/f{self.random.randrange(FILES)}.py" for _ in range(3)}):
                self.content[path] = self.edited(self.content[path])
                squashed[path] = self.blobs[path] = self.blob(self.content[path])
            message = f"[{agent.upper()}] feat: change {number} (#{number + 1})\n\nWhat it does.\n"
            return self.commit("refs/heads/main", agent, at, at, message, [main], squashed)
        tip = self.branch(name, agent, fork, begun, at - 1, 3 if meets else 4, files, mine)
        self.out.write(f"reset refs/heads/{name}\nfrom 0000000000000000000000000000000000000000\n\n".encode())
        if meets:
            self.content[path] = theirs
            self.blobs[path] = self.blob(theirs)
            main = self.commit("refs/heads/main", "maintainer", at - 3, at - 3, f"fix: {path}\n", [main], {path: self.blobs[path]})
            both = list(theirs)
            both[4] = mine[path][4]
            mine[path], files[path] = both, self.blob(both)
            message = f"Merge branch 'main' into {name}\n"
            tip = self.commit(f"refs/heads/{name}", agent, at - 2, at - 2, message, [tip, main], {**self.blobs, **files})
            self.out.write(f"reset refs/heads/{name}\nfrom 0000000000000000000000000000000000000000\n\n".encode())
            self.conflicts += 1
        self.content.update({path: lines for path, lines in mine.items() if path in self.blobs})
        self.blobs.update(files)
        message = f"Merge pull request #{number + 1} from team/{name}\n\n[{agent.upper()}] change {number}\n"
        return self.commit("refs/heads/main", "host", at, at, message, [main, tip], files)

    def locks(self, count):
        """So many events of locks, in equal parts on each area: two agents take turns, and one waits for the other."""
        machine = {"host": "bench", "boot": "0", "pids": "pid:[1]"}
        for area in AREAS:
            ref = f"refs/lane/locks/{area_ref(area)}"
            record = {"lane-lock": 1, "area": area, "generation": 0, "event": None, "leases": []}
            queue, tip, each = [], None, count // len(AREAS)
            for number in range(each):
                at = self.begin + (self.end - self.begin) * (number + 1) // (each + 2)
                step, turn = number % 4, number // 4
                one, two = f"a{turn % self.agents + 1}", f"a{(turn + 1) % self.agents + 1}"
                stake = {"scope": area, "ttl": 7200, "nonce": f"{number:016x}", "uptime": at * 1000 % 10**9, "at": at,
                         "machine": machine, "worktree": "/bench"}
                if step == 0:
                    record["generation"] += 1
                    queue = [waiter for waiter in queue if waiter["agent"] != one]
                    record["leases"] = [{"agent": one, **stake, "generation": record["generation"], "since": at}]
                elif step == 1:
                    record["leases"][0].update(at=at, nonce=stake["nonce"])
                elif step == 2:
                    queue = [{"agent": two, **stake}]
                else:
                    record["leases"] = []
                kind = ["take", "renew", "wait", "release"][step]
                who, generation = (two, 0) if step == 2 else (one, record["generation"])
                record["event"] = {"kind": kind, "agent": who, "scope": area, "generation": generation, "at": at,
                                   "host": "bench", "worktree": "/bench"}
                full = {**record, "queue": queue} if queue else record
                mark, person = self.next_mark(), f"{who} <{who}@git-lane> {at} +0000"
                self.out.write(f"commit {ref}\nmark :{mark}\nauthor {person}\ncommitter {person}\n".encode())
                token = f"@{generation}" if generation else ""
                self.data(f"{who} {kind}s {area}{token}\n\n{json.dumps(full, separators=(',', ':'))}\n")
                if tip:
                    self.out.write(f"from :{tip}\n".encode())
                tip = mark


def area_ref(area):
    """The name of the ref of an area's records: the beginning of the id that a blob of its name has."""
    raw = area.encode()
    return hashlib.sha1(b"blob %d\0%s" % (len(raw), raw)).hexdigest()[:16]


def make(repo, env, agents, begin, end, merged, squashed, events):
    """Makes all of it in a new repository, packed as git's maintenance packs it: how many commits, and conflicts."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(repo)], env=env, check=True)
    child = subprocess.Popen(["git", "fast-import", "--quiet", "--force"], cwd=repo, env=env, stdin=subprocess.PIPE)
    year = Year(child.stdin, agents, begin, end, merged, squashed)
    year.write()
    commits = year.commits
    year.locks(events)
    child.stdin.close()
    if child.wait():
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "gc", "-q"], cwd=repo, env=env, check=True)
    return commits, year.conflicts
