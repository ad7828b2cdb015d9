"""Other tools, installed from their registries into a folder of the benchmark's own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .common import say

PYPI = {"pre-commit": ["pre-commit"], "prek": ["prek"], "gitlint": ["gitlint"], "committed": ["committed"]}
NPM = {"lefthook": ["lefthook"], "husky": ["husky", "@commitlint/cli"]}


def default_folder():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "git-lane-bench"


class Peers:
    """`versions`: what is there, by name; `missing`: why the others are not."""

    def __init__(self, folder, wanted):
        self.folder, self.versions, self.missing = folder.resolve(), {}, {}
        for name in wanted:
            if name in PYPI or name in NPM:
                self.take(name)

    def take(self, name):
        noted = self.folder / name / "versions.json"
        try:
            if not noted.exists():
                say(f"installing {name} into {self.folder / name}")
                shutil.rmtree(self.folder / name, ignore_errors=True)
                (self.folder / name).mkdir(parents=True)
                found = self.from_pypi(name) if name in PYPI else self.from_npm(name)
                noted.write_text(json.dumps(found))
            self.versions[name] = ", ".join(f"{key} {value}" for key, value in json.loads(noted.read_text()).items())
        except (OSError, ValueError, KeyError) as error:
            self.missing[name] = str(error)
        except subprocess.CalledProcessError as error:
            said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            self.missing[name] = said[-1] if said else str(error)

    def from_pypi(self, name):
        place = self.folder / name
        call(sys.executable, "-m", "venv", place)
        call(place / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI[name])
        listed = call(place / "bin/python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check")
        there = {entry["name"].replace("_", "-"): entry["version"] for entry in json.loads(listed)}
        return {package: there[package] for package in PYPI[name]}

    def from_npm(self, name):
        place = self.folder / name
        call("npm", "install", "--prefix", place, "--no-audit", "--no-fund", "--loglevel=error", *NPM[name])
        return {package: json.loads((place / "node_modules" / package / "package.json").read_text())["version"]
                for package in NPM[name]}

    def program(self, peer, name):
        """The path of a peer's program."""
        place = self.folder / peer
        if peer == "lefthook":
            # The binary itself: the package's own start through node would cost it 40 ms more.
            native = sorted(path for path in place.glob("node_modules/lefthook-*/bin/lefthook*") if path.is_file())
            if native:
                return native[0]
        return place / ("node_modules/.bin" if peer in NPM else "bin") / name

    def folders(self):
        """Where hooks must be able to find programs by name."""
        return [self.program("lefthook", "lefthook").parent] if "lefthook" in self.versions else []


def call(*command):
    return subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout
