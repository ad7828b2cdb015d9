#!/usr/bin/env node
// Starts the program of the package for this platform. Hooks that it installs name the program itself: no node is started for them.
"use strict";

const { spawn } = require("child_process");

const platform = `${process.platform}-${process.arch}`;
const ending = process.platform === "win32" ? ".exe" : "";

function fail(reason, help) {
  process.stderr.write(`error: ${reason}\n  help: ${help}\n`);
  process.exit(2);
}

function program() {
  const known = Object.keys(require("../package.json").optionalDependencies);
  const name = `@git-lane/${platform}`;
  if (!known.includes(name)) {
    fail(
      `git-lane has no program for ${platform}; there are: ${known.map((one) => one.split("/")[1]).join(", ")}`,
      "build it from its sources",
    );
  }
  try {
    return require.resolve(`${name}/bin/git-lane${ending}`);
  } catch {
    return fail(
      `${name} is not installed: npm was told to leave optional packages out, or took another platform's lock file`,
      "npm install --include=optional git-lane",
    );
  }
}

const child = spawn(program(), process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => fail(`the program of git-lane cannot be started: ${error.message}`, "install git-lane again"));
// A terminal sends SIGINT to both; whoever ends this process alone means the program.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code);
  }
});
