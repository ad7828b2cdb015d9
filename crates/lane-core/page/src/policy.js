// What was refused, waived and asked for.
import { barX, ruleX } from "@observablehq/plot";
import { chart, draw, legend, ticks } from "./chart.js";
import { el } from "./dom.js";
import * as format from "./format.js";
import { labelMargin } from "./merged.js";
import { figures, lead, nothing, section } from "./section.js";
import { table } from "./table.js";

const OUTCOMES = { fixed: ["fixed", "var(--good)"], waived: ["waived", "var(--hue-1)"], repeated: ["came again", "var(--bad)"], open: ["open", "var(--hue-other)"] };
const counts = (map) => Object.entries(map).sort((a, b) => b[1] - a[1]).map(([name, count]) => `${format.agent(name)} ${format.number(count)}`).join(", ");

export function refusals(report) {
  const { rules, all, verdicts, warnings = {}, since = null, torn = 0 } = report.refusals;
  const notes = [
    since === null || report.missing.some((one) => one.what === "refusals") ? null : `The journal begins on ${format.time(since)}.`,
    torn ? `${format.plural(torn, "record")} of it could not be read.` : null,
    Object.keys(warnings).length ? `Warnings in verdicts that passed: ${counts(warnings)}.` : null,
  ].filter(Boolean).join(" ");
  const note = notes ? lead(notes) : null;
  if (verdicts === null) return section("refusals", "Refusals", nothing("There is no journal of verdicts for this period."));
  if (!rules.length) return section("refusals", "Refusals", nothing(`Nothing was refused in ${format.plural(verdicts, "verdict")}.`), note);
  const top = rules.slice(0, 15);
  const names = top.map((row) => row.rule);
  const data = top.flatMap((row) => Object.keys(OUTCOMES).map((outcome) => ({ rule: row.rule, outcome, count: row.outcomes[outcome] ?? 0 })));
  const bars = chart({
    title: "Refusals by rule, and what became of them", isWide: true,
    says: `${format.number(all.length)} of ${format.plural(verdicts, "verdict")} refused something, most often by ${rules[0].rule} (${format.number(rules[0].count)}).`,
    legend: legend(Object.values(OUTCOMES).map(([name, hue]) => ({ name, hue }))),
    draw: (width) => draw({
      width, height: names.length * 28 + 70, marginLeft: Math.min(width * 0.42, labelMargin(names) + 8),
      x: { label: "Refusals", ticks: Math.min(ticks(width, 90), top[0].count), grid: true, tickFormat: (count) => (Number.isInteger(count) ? format.number(count) : "") },
      y: { type: "band", domain: names, label: "Rule", labelAnchor: "top", padding: 0.25, tickSize: 0 },
      marks: [barX(data, { y: "rule", x: "count", fill: (row) => OUTCOMES[row.outcome][1], order: Object.keys(OUTCOMES), title: (row) => `${row.rule}, ${OUTCOMES[row.outcome][0]}: ${row.count}` }), ruleX([0])],
    }),
  });
  const outcome = (word) => ({ label: OUTCOMES[word][0].replace(/^./, (c) => c.toUpperCase()), value: (row) => row.outcomes[word] ?? 0, numeric: true });
  const byRule = table({ caption: "Rules", rows: rules, columns: [
    { label: "Rule", value: (row) => row.rule, show: (row) => el("code", null, row.rule) },
    { label: "Refusals", value: (row) => row.count, numeric: true, show: (row) => format.number(row.count) },
    outcome("fixed"), outcome("waived"), outcome("repeated"), outcome("open"),
    { label: "Time to fix, median", value: (row) => row.time_to_fix?.median, numeric: true, show: (row) => format.duration(row.time_to_fix?.median) },
    { label: "Agents", value: (row) => counts(row.agents), kind: "text" }] });
  const each = table({ caption: "Each refusal, newest first", rows: all, sort: [0, "down"], first: 5, columns: [
    { label: "When", value: (row) => row.at, show: (row) => format.time(row.at), kind: "time" },
    { label: "Agent", value: (row) => format.agent(row.agent) },
    { label: "At", value: (row) => row.event },
    { label: "Rules", value: (row) => row.rules.join(", "), kind: "text" },
    { label: "Became", value: (row) => OUTCOMES[row.outcome]?.[0] ?? row.outcome }] });
  return section("refusals", "Refusals", note, bars, byRule, each);
}

export function waivers(report) {
  if (!report.waivers.length) return section("waivers", "Waivers", nothing("No merged commit asked for a waiver."));
  return section("waivers", "Waivers", table({ caption: "Waivers that merged commits asked for, by rule", rows: report.waivers, columns: [
    { label: "Rule", value: (row) => row.rule, show: (row) => el("code", null, row.rule) },
    { label: "Asked for", value: (row) => row.count, numeric: true, show: (row) => format.number(row.count) },
    { label: "Agents", value: (row) => counts(row.agents), kind: "text" },
    { label: "Reasons, newest first", value: (row) => row.reasons[0] ?? "", kind: "text", show: (row) => (row.reasons.length ? el("ul", { class: "reasons" }, row.reasons.map((reason) => el("li", null, reason))) : "–") }] }));
}

export function requests(report) {
  const { requests } = report;
  if (!requests.submitted && !requests.open && !requests.all.length) return section("requests", "Requests", nothing("No agent asked another for a change."));
  const state = (word) => (requests.states[word] ? [word.replace(/^./, (c) => c.toUpperCase()), format.number(requests.states[word])] : null);
  const known = ["accepted", "rejected", "done", "withdrawn"];
  return section("requests", "Requests",
    figures([["Submitted", format.number(requests.submitted)], ["Open", format.number(requests.open)], ["No answer for a day", format.number(requests.ignored)], ...known.map(state),
      ["Answered, median", format.duration(requests.time_to_answer?.median)]]),
    requests.all.length ? table({ caption: "Each request, newest first", rows: requests.all, sort: [3, "down"], first: 8, columns: [
      { label: "Request", value: (row) => row.id },
      { label: "By", value: (row) => row.by },
      { label: "To", value: (row) => row.to.join(", ") || "maintainers" },
      { label: "Submitted", value: (row) => row.submitted, show: (row) => format.time(row.submitted), kind: "time" },
      { label: "Answered after", value: (row) => (row.answered === null ? null : row.answered - row.submitted), numeric: true, show: (row) => (row.answered === null ? "–" : format.duration(row.answered - row.submitted)) },
      { label: "State", value: (row) => row.state }] }) : null);
}

export function branches(report) {
  const { branches, period } = report;
  if (!branches.length) return section("branches", ["Open branches", "Branches"], nothing("There is no branch that is not merged."));
  const stale = branches.filter((branch) => branch.behind > 0).length;
  return section("branches", ["Open branches", "Branches"], lead(`${format.plural(branches.length, "branch", "branches")} not merged, ${format.number(stale)} of them behind ${report.base}.`),
    table({ caption: "Branches, those farthest behind first", rows: branches, sort: [2, "down"], first: 10, columns: [
      { label: "Branch", value: (row) => row.branch, show: (row) => el("code", null, row.branch), kind: "text" },
      { label: "Agent", value: (row) => format.agent(row.agent) },
      { label: "Behind", value: (row) => row.behind, numeric: true, show: (row) => format.number(row.behind) },
      { label: "Ahead", value: (row) => row.ahead, numeric: true, show: (row) => format.number(row.ahead) },
      { label: "Stale for", value: (row) => (row.stale_since === null || report.missing.some((one) => one.what === "refusals") ? null : period.to - row.stale_since), numeric: true, show: (row) => (row.stale_since === null ? "–" : format.duration(period.to - row.stale_since)) },
      { label: "Last commit", value: (row) => row.last_commit_at, show: (row) => format.time(row.last_commit_at), kind: "time" }] }));
}

export function contested(report) {
  const { contested: files, lane_cuts: cuts } = report;
  const cut = (one) => el("li", { class: "cut" },
    el("h4", null, el("code", null, one.path)),
    el("p", null, `In the lane of ${one.lane}, but ${format.number(one.together)} of its ${format.plural(one.changes, "change")} touched the lane of ${one.with} too, and ${format.number(one.own)} the rest of its own.`),
    el("p", { class: "proposal" }, one.proposal));
  return section("lanes", ["How lanes are cut", "Lanes"],
    files.length ? table({ caption: "Files that several agents changed", rows: files, first: 10, columns: [
      { label: "File", value: (row) => row.path, show: (row) => el("code", null, row.path), kind: "text" },
      { label: "Changes by agent", value: (row) => Object.values(row.agents).reduce((a, b) => a + b, 0), show: (row) => counts(row.agents) },
      { label: "Handed over", value: (row) => row.alternations, numeric: true },
      { label: "Conflicts", value: (row) => row.conflicts, numeric: true },
      { label: "Owner", value: (row) => row.owner, kind: "text" }] }) : nothing("No file was changed by several agents."),
    cuts.length ? [el("h3", null, "Paths that change with another lane"), el("ul", { class: "cuts" }, cuts.map(cut))] : nothing("No path changes mostly with another lane."));
}
