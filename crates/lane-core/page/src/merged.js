// What was merged: by agent and day, how large, how long it took; and where it conflicted.
import { barX, barY, gridY, rectY, ruleY, text } from "@observablehq/plot";
import { chart, draw, HUES, hueOf, legend, timeAxis } from "./chart.js";
import { el } from "./dom.js";
import * as format from "./format.js";
import { nothing, section } from "./section.js";
import { table } from "./table.js";

const DAY = 86400;

/** By days as long as they can be told apart, then by weeks that begin on Monday. */
function steps(period) {
  const isByDay = period.to - period.from <= 45 * DAY;
  const startOf = (seconds) => {
    const midnight = Math.floor(seconds / DAY) * DAY;
    // 1 January 1970 was a Thursday.
    return isByDay ? midnight : midnight - (((midnight / DAY + 3) % 7) + 7) % 7 * DAY;
  };
  return { word: isByDay ? "day" : "week", length: isByDay ? DAY : 7 * DAY, interval: isByDay ? "day" : "monday", startOf };
}

const within = (period) => [format.date(period.from), format.date(period.to)];

function perAgent(report) {
  const step = steps(report.period);
  const cells = new Map();
  for (const row of report.agents) {
    for (const [day, count] of Object.entries(row.merged_by_day)) {
      const at = step.startOf(Date.parse(`${day}T00:00:00Z`) / 1000);
      const key = `${at} ${row.agent ?? ""}`;
      const cell = cells.get(key) ?? { at, agent: format.agent(row.agent), count: 0 };
      cell.count += count;
      cells.set(key, cell);
    }
  }
  return { step, cells: [...cells.values()].sort((a, b) => a.at - b.at) };
}

const cellColumns = (word) => [
  { label: word === "day" ? "Day" : "Week of", value: (row) => row.at, show: (row) => format.day(row.at) },
  { label: "Agent", value: (row) => row.agent },
  { label: "Merged", value: (row) => row.count, numeric: true },
];

/** Few agents: stacked bars. Many: a row for each, where the colour says how many. */
function mergedChart(report) {
  const { step, cells } = perAgent(report);
  const names = report.agents.filter((row) => row.merged > 0).map((row) => format.agent(row.agent));
  const total = cells.reduce((sum, cell) => sum + cell.count, 0);
  const agents = report.agents.filter((row) => row.agent !== null && row.merged > 0).sort((a, b) => b.merged - a.merged);
  const ofAgents = agents.reduce((sum, row) => sum + row.merged, 0);
  const best = agents.length > 1 ? `, most by ${agents[0].agent} (${format.number(agents[0].merged)})` : "";
  const says = `${format.plural(total, "change")} merged: ${format.number(ofAgents)} by ${format.plural(agents.length, "agent")}${best}${total > ofAgents ? `; ${format.number(total - ofAgents)} by no agent` : ""}.`;
  const numbers = table({ caption: `Changes merged by agent and ${step.word}`, columns: cellColumns(step.word), rows: cells, hideCaption: true });
  const data = cells.map((cell) => ({ ...cell, date: format.date(cell.at) }));
  if (names.length <= HUES.length) {
    const hue = hueOf(names);
    return chart({
      title: `Changes merged by ${step.word}`, says, table: numbers, isWide: true,
      legend: legend(names.map((name) => ({ name, hue: hue(name) }))),
      draw: (width) => draw({
        width, height: 260,
        x: timeAxis(width, ...within(report.period), "Date (UTC)"),
        y: { label: `Changes a ${step.word}`, ticks: 5, tickFormat: (count) => (Number.isInteger(count) ? String(count) : "") },
        marks: [
          gridY({ ticks: 5 }),
          rectY(data, { x: "date", interval: step.interval, y: "count", fill: (cell) => hue(cell.agent), order: names, inset: 0.5, clip: true, title: (cell) => `${cell.agent}, ${format.day(cell.at)}: ${format.plural(cell.count, "change")}` }),
          ruleY([0]),
        ],
      }),
    });
  }
  const most = Math.max(...cells.map((cell) => cell.count));
  const level = (count) => `var(--heat-${Math.max(1, Math.ceil((count / most) * 5))})`;
  return chart({
    title: `Changes merged by agent and ${step.word}`, says: `${says} The stronger the colour, the more; the most is ${format.number(most)} a ${step.word}.`, table: numbers, isWide: true,
    legend: legend([1, 2, 3, 4, 5].map((at) => {
      const [from, to] = [Math.floor(((at - 1) / 5) * most) + 1, Math.floor((at / 5) * most)];
      return to < from ? null : { name: from === to ? String(to) : `${from}–${to}`, hue: `var(--heat-${at})` };
    }).filter(Boolean)),
    draw: (width) => draw({
      width, height: names.length * 18 + 76, marginLeft: labelMargin(names),
      x: timeAxis(width, ...within(report.period), "Date (UTC)"),
      y: { type: "band", domain: names, label: "Agent", labelAnchor: "top", padding: 0.12, tickSize: 0 },
      marks: [barX(data, { x1: "date", x2: (cell) => format.date(cell.at + step.length), y: "agent", fill: (cell) => level(cell.count), inset: 0.5, clip: true, title: (cell) => `${cell.agent}, ${format.day(cell.at)}: ${format.plural(cell.count, "change")}` })],
    }),
  });
}

/** Room for the longest name. */
export const labelMargin = (names) => Math.min(130, 18 + 7 * Math.max(3, ...names.map((name) => name.length)));

function bins(values, edges, nameOf) {
  const found = edges.map((from, at) => ({ from, to: edges[at + 1] ?? Infinity, count: 0 }));
  found.forEach((bin) => Object.assign(bin, { name: nameOf(bin.from, bin.to) }));
  for (const value of values) {
    let at = found.length - 1;
    while (at > 0 && value < found[at].from) at -= 1;
    found[at].count += 1;
  }
  return found;
}

const binColumns = (label) => [
  { label, value: (bin) => bin.from, show: (bin) => bin.name },
  { label: "Changes", value: (bin) => bin.count, numeric: true },
];

function histogram({ title, says, label, found, fill, mark = [], legend = null }) {
  return chart({
    title, says, legend, table: table({ caption: title, columns: binColumns(label), rows: found, hideCaption: true }),
    draw: (width) => draw({
      width, height: 240, marginBottom: width < 480 ? 70 : 50,
      x: { type: "band", domain: found.map((bin) => bin.name), label, tickRotate: width < 480 ? -40 : 0, tickSize: 0 },
      insetTop: 16,
      y: { label: "Changes", ticks: Math.min(5, Math.max(...found.map((bin) => bin.count))), tickFormat: (count) => (Number.isInteger(count) ? format.number(count) : "") },
      marks: [
        gridY({ ticks: 5 }),
        barY(found, { x: "name", y: "count", fill, insetLeft: 1, insetRight: 1 }),
        text(found, { x: "name", y: "count", text: (bin) => (bin.count ? format.number(bin.count) : ""), dy: -7, fill: "currentColor" }),
        ruleY([0]), ...mark,
      ],
    }),
  });
}

function sizeChart(report) {
  const { sizes, changes } = report;
  // Those that the limit is held against, as far as they were counted.
  const lines = changes.map((change) => change.counted).filter((count) => count !== null && count !== undefined);
  if (!lines.length) return null;
  const { limit } = sizes;
  const edges = limit && limit >= 6
    ? [0, limit / 6, limit / 3, (limit * 2) / 3, limit, limit * 2, limit * 4, limit * 8].map((edge) => (edge ? Math.floor(edge) + 1 : 0))
    : [0, 11, 31, 101, 301, 1001, 3001, 10001];
  const found = bins(lines, edges, (from, to) => (to === Infinity ? `> ${format.number(from - 1)}` : `≤ ${format.number(to - 1)}`));
  const above = (bin) => Boolean(limit) && bin.from > limit;
  const says = `The median change has ${format.plural(sizes.lines?.median ?? 0, "line")}, nine in ten have at most ${format.number(sizes.lines?.p90)}.${
    limit ? ` ${format.number(sizes.oversized)} of ${format.number(lines.length)} are above the limit of ${format.number(limit)}.` : " The policy has no limit."}`;
  return histogram({
    title: "Size of changes", says, label: "Lines that the limit is held against", found, fill: (bin) => (above(bin) ? "var(--bad)" : "var(--hue-1)"),
    legend: limit ? legend([{ name: "within the limit", hue: "var(--hue-1)" }, { name: `above the limit of ${format.number(limit)}`, hue: "var(--bad)" }]) : null,
  });
}

/** As the program counts it: a commit that was authored when it was committed does not tell when the work began. */
function leadTime(change) {
  const took = change.merged_at - change.first_commit_at;
  const isTold = change.first_commit_at > 0 && took >= 0 && (change.is_merge || took > 0);
  return isTold ? took : null;
}

function leadChart(report) {
  const times = report.changes.map(leadTime).filter((took) => took !== null);
  if (!times.length) return null;
  const hour = 3600;
  const edges = [0, hour, 4 * hour, 12 * hour, DAY, 2 * DAY, 4 * DAY, 7 * DAY];
  const found = bins(times, edges, (from, to) => {
    if (!from) return "< 1 h";
    if (to === Infinity) return "> 7 d";
    const [length, unit] = to <= DAY ? [hour, "h"] : [DAY, "d"];
    return `${from / length}–${to / length} ${unit}`;
  });
  const { lead_time: lead } = report;
  const unknown = report.changes.length - times.length;
  const says = lead ? `Half of ${format.plural(times.length, "change")} were merged within ${format.duration(lead.median)} of their first commit, nine in ten within ${format.duration(lead.p90)}.${unknown ? ` Of ${format.number(unknown)} more, git does not tell.` : ""}` : "From the first commit of a change to its merge.";
  return histogram({ title: "From first commit to merge", says, label: "Time to merge", found, fill: "var(--hue-1)" });
}

const changeColumns = [
  { label: "Subject", value: (row) => row.subject, kind: "text", show: (row) => [row.subject, el("small", null, ` ${row.commit.slice(0, 9)}${row.pull_request ? ` #${row.pull_request}` : ""}`)] },
  { label: "Agent", value: (row) => format.agent(row.agent), show: (row) => [format.agent(row.agent), row.agent_by ? el("small", null, ` by ${row.agent_by}`) : null] },
  { label: "Merged", value: (row) => row.merged_at, show: (row) => format.time(row.merged_at), kind: "time" },
  { label: "Commits", value: (row) => row.commits, numeric: true, show: (row) => format.number(row.commits) },
  { label: "Files", value: (row) => row.files, numeric: true, show: (row) => format.number(row.files) },
  { label: "Lines", value: (row) => row.lines, numeric: true, show: (row) => format.number(row.lines) },
  { label: "Counted", value: (row) => row.counted, numeric: true, show: (row) => format.number(row.counted) },
  { label: "Lead time", value: leadTime, numeric: true, show: (row) => format.duration(leadTime(row)) },
];

export function merged(report) {
  if (!report.changes.length) return section("merged", ["Merged changes", "Merged"], nothing(`Nothing was merged into ${report.base} in this period.`));
  return section("merged", ["Merged changes", "Merged"],
    mergedChart(report),
    el("div", { class: "pair" }, sizeChart(report), leadChart(report)),
    table({ caption: "Changes, newest first", columns: changeColumns, rows: report.changes, sort: [2, "down"], first: 8 }));
}

const files = (list) => (list.length ? [el("code", null, list[0]), list.length > 1 ? el("small", { title: list.slice(1).join("\n") }, ` and ${list.length - 1} more`) : null] : "–");

export function conflicts(report) {
  const { resolved, forecast, per_week: rate } = report.conflicts;
  if (!resolved.length && !forecast.length) return section("conflicts", "Conflicts", nothing("No merge or rebase conflicted, and no two open branches would."));
  const start = steps({ from: 0, to: 100 * DAY }).startOf;
  const weeks = new Map();
  for (const one of resolved) {
    const key = `${start(one.at)} ${one.kind}`;
    const week = weeks.get(key) ?? { at: start(one.at), kind: one.kind, count: 0 };
    week.count += 1;
    weeks.set(key, week);
  }
  const rows = [...weeks.values()].sort((a, b) => a.at - b.at);
  const aim = format.goalValue(report.goals.find((goal) => goal.name === "conflicts")?.goal);
  const hues = { merge: "var(--hue-1)", rebase: "var(--hue-2)" };
  const bars = resolved.length ? chart({
    title: "Conflicts by week", isWide: true,
    says: `${format.plural(resolved.length, "conflict")} had to be resolved, ${format.decimal(rate)} a week${typeof aim === "number" ? `; the goal is ${aim} a week` : ""}.`,
    legend: legend([{ name: "in a merge", hue: hues.merge }, { name: "in a rebase", hue: hues.rebase }, ...(typeof aim === "number" ? [{ name: `goal: ${aim}`, hue: "currentColor", kind: "line" }] : [])]),
    table: table({ caption: "Conflicts by week", hideCaption: true, rows, columns: [
      { label: "Week of", value: (row) => row.at, show: (row) => format.day(row.at) },
      { label: "Kind", value: (row) => row.kind },
      { label: "Conflicts", value: (row) => row.count, numeric: true }] }),
    draw: (width) => draw({
      width, height: 200,
      x: timeAxis(width, format.date(start(report.period.from)), format.date(report.period.to), "Week (UTC)"),
      y: { label: "Conflicts a week", ticks: 4, tickFormat: (count) => (Number.isInteger(count) ? String(count) : "") },
      marks: [gridY({ ticks: 4 }),
        rectY(rows, { x: (row) => format.date(row.at), interval: "monday", y: "count", fill: (row) => hues[row.kind] ?? hues.merge, order: ["merge", "rebase"], inset: 0.5, clip: true, title: (row) => `week of ${format.day(row.at)}: ${format.plural(row.count, row.kind === "rebase" ? "rebase" : "merge")}` }),
        ...(typeof aim === "number" ? [ruleY([aim], { stroke: "currentColor", strokeDasharray: "4 3" })] : []), ruleY([0])],
    }),
  }) : nothing("No merge or rebase conflicted.", "conflicts");
  const columns = (isForecast) => [
    { label: "Agents", kind: "time", value: (row) => row.agents.join(" + "), show: (row) => row.agents.join(" + ") || "–" },
    { label: "Files", value: (row) => row.files[0] ?? "", show: (row) => files(row.files), kind: "text" },
    ...(isForecast ? [] : [
      { label: "Kind", value: (row) => row.kind },
      { label: "Resolved", value: (row) => row.at, show: (row) => format.time(row.at), kind: "time" },
      { label: "Commit", kind: "time", value: (row) => row.commit, show: (row) => (row.commit ? el("code", null, row.commit.slice(0, 9)) : "–") }]),
  ];
  return section("conflicts", "Conflicts", bars,
    resolved.length ? table({ caption: "Resolved, newest first", columns: columns(false), rows: resolved, sort: [3, "down"], first: 8 }) : null,
    forecast.length ? table({ caption: "Open branches that would conflict now", columns: columns(true), rows: forecast, first: 8 }) : nothing("No two open branches would conflict now.", "forecast"));
}
