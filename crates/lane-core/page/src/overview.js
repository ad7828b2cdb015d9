// What the page begins with: whose report it is, the goals, and the agents in numbers.
import { el } from "./dom.js";
import * as format from "./format.js";
import { nothing, section } from "./section.js";
import { table } from "./table.js";
import { themeChoice } from "./theme.js";

export function head(report, isLive) {
  const days = Math.max(1, Math.round((report.period.to - report.period.from) / 86400));
  const fact = (word, value) => el("div", null, el("dt", null, word), el("dd", null, value));
  return [
    el("div", { class: "title" },
      el("p", { class: "kind" }, isLive ? "git lane status, live" : "git lane report"),
      el("h1", null, report.repository),
      el("dl", { class: "facts" },
        fact("Period", `${format.day(report.period.from)} to ${format.day(report.period.to)} (${format.plural(days, "day")})`),
        fact("Merged into", el("code", null, report.base)),
        report.agent ? fact("Only agent", el("code", null, report.agent)) : null)),
    themeChoice(),
  ];
}

const STATES = { met: ["Met", "✓"], missed: ["Missed", "✕"], unknown: ["Unknown", "?"] };

export function goals(report) {
  if (!report.goals.length) return section("goals", "Goals", nothing("The policy has no goals: they are set under metrics."));
  const card = (goal) => {
    const [word, mark] = STATES[goal.state] ?? STATES.unknown;
    const line = goal.policy_line ? `policy.yaml:${goal.policy_line}` : "default";
    return el("li", { class: `goal ${goal.state}` },
      el("h3", null, goal.about.replace(/^./, (c) => c.toUpperCase())),
      el("p", { class: "measured" }, goal.state === "unknown" ? "–" : goal.shown),
      el("p", { class: "state" }, el("span", { "aria-hidden": "true", class: "mark" }, mark), word),
      el("p", { class: "aim" }, "Goal ", el("strong", null, goal.goal), ` (${line})`));
  };
  return section("goals", "Goals", el("ul", { class: "goals" }, report.goals.map(card)));
}

export function agents(report) {
  if (!report.agents.length) return section("agents", "Agents", nothing("Nobody did anything in this period."));
  const of = (label, value, show) => ({ label, value, show, numeric: true });
  const columns = [
    { label: "Agent", kind: "time", value: (row) => format.agent(row.agent), show: (row) => (row.name ? [format.agent(row.agent), el("small", null, ` ${row.name}`)] : format.agent(row.agent)) },
    of("Merged", (row) => row.merged, (row) => format.number(row.merged)),
    of("Per active day", (row) => row.per_active_day, (row) => format.rate(row.per_active_day)),
    of("Lines", (row) => row.lines, (row) => format.number(row.lines)),
    of("Too large", (row) => row.oversized, (row) => format.number(row.oversized)),
    of("Lead time, median", (row) => row.lead_time?.median, (row) => format.duration(row.lead_time?.median)),
    of("Conflicts", (row) => row.conflicts, (row) => format.number(row.conflicts)),
    of("Held locks", (row) => row.locks_held, (row) => format.duration(row.locks_held)),
    of("Waited for locks", (row) => row.locks_waited, (row) => format.duration(row.locks_waited)),
    of("Refusals", (row) => row.refusals, (row) => format.number(row.refusals)),
    of("Requests", (row) => row.requests, (row) => format.number(row.requests)),
  ];
  return section("agents", "Agents", table({ caption: "The agents in numbers", columns, rows: report.agents, first: 12 }));
}

export function missing(report) {
  if (!report.missing.length) return section("missing", ["What is missing", "Missing"], nothing("Nothing: everything that was asked for could be read."));
  // A command, alone or behind the words that say what it is for.
  const help = (text) => {
    const [, words, command] = text.match(/^(?:(.*?): )?((?:git|export|gh) .*)$/s) ?? [null, text, null];
    return el("p", { class: "help" }, words ?? null, words && command ? ": " : null, command ? el("code", null, command) : null);
  };
  const item = (entry) => el("li", null, el("strong", null, entry.what), `: ${entry.reason}`, entry.help ? help(entry.help) : null);
  return section("missing", ["What is missing", "Missing"], el("ul", { class: "missing" }, report.missing.map(item)));
}
