// Locks: who had and wanted what when, and what that cost.
import { barX, ruleX, ruleY, tickX } from "@observablehq/plot";
import { chart, draw, hueOf, legend, ticks, timeAxis } from "./chart.js";
import { el } from "./dom.js";
import * as format from "./format.js";
import { labelMargin } from "./merged.js";
import { nothing, section } from "./section.js";
import { table } from "./table.js";

const DAY = 86400;
const MOST_BARS = 2500;

/** Bars that would lie on each other become one, so that a year of many agents is drawn as quickly as a week of few. */
function joined(bars, gap) {
  const last = new Map();
  const found = [];
  for (const bar of bars) {
    const key = `${bar.row} ${bar.hueKey} ${bar.isWait}`;
    const before = last.get(key);
    if (before && bar.from - before.to <= gap) {
      before.to = Math.max(before.to, bar.to);
      before.count += 1;
      continue;
    }
    const fresh = { ...bar, count: 1 };
    last.set(key, fresh);
    found.push(fresh);
  }
  return found;
}

function barsOf(report, view, from, to) {
  const bar = (one, isWait) => ({
    row: view === "agent" ? one.agent : one.area, hueKey: view === "agent" ? one.area : one.agent,
    agent: one.agent, scope: one.scope, isWait, from: one.from, to: one.to ?? report.period.to, end: one.end ?? null, isOpen: one.to === null,
  });
  const all = [...report.locks.holds.map((hold) => bar(hold, false)), ...report.locks.waits.map((wait) => bar(wait, true))];
  return all.filter((one) => one.to >= from && one.from < to).sort((a, b) => a.from - b.from)
    .map((one) => ({ ...one, from: Math.max(one.from, from), to: Math.min(one.to, to) }));
}

const titleOf = (bar) => (bar.count > 1
  ? `${bar.agent}: ${bar.isWait ? "waited" : "held"} ${bar.count} times, ${format.time(bar.from)} to ${format.time(bar.to)}`
  : `${bar.agent} ${bar.isWait ? "waited for" : "held"} ${bar.scope}, ${format.time(bar.from)} to ${bar.isOpen ? "now" : format.time(bar.to)} (${format.duration(bar.to - bar.from)})${bar.end && bar.end !== "held" ? `, ${bar.end}` : ""}`);

function radios(name, label, choices, chosen, onchange) {
  const options = choices.map(([word, shown]) => {
    const input = el("input", { type: "radio", name, value: word, onchange: () => onchange(word) });
    input.checked = word === chosen;
    return el("label", null, input, el("span", null, shown));
  });
  return el("fieldset", { class: "choice" }, el("legend", null, label), options);
}

function timeline(report) {
  const { period, locks } = report;
  const names = (key) => [...new Set([...locks.holds, ...locks.waits].map((one) => one[key]))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const ofPolicy = report.agents.map((row) => row.agent).filter((agent) => agent !== null);
  const agents = [...new Set([...ofPolicy, ...names("agent")])];
  const areas = names("area");
  const whole = period.to - period.from;
  // Locks last hours: in more than a week, each would be a hair.
  const state = { view: "agent", length: Math.min(whole, 7 * DAY), end: period.to };
  const span = () => [Math.max(period.from, state.end - state.length), state.end];
  const says = () => {
    const [from, to] = span();
    const bars = barsOf(report, state.view, from, to);
    const waits = bars.filter((bar) => bar.isWait).length;
    return `${format.plural(bars.length - waits, "lock")} held and ${format.plural(waits, "wait")} by ${format.plural(new Set(bars.map((bar) => bar.agent)).size, "agent")}, ${format.day(from)} to ${format.day(to)}.`;
  };
  const legendOf = () => {
    const keys = state.view === "agent" ? areas : agents;
    const hue = hueOf(keys);
    const shown = keys.slice(0, 8).map((name) => ({ name, hue: hue(name) }));
    if (keys.length > 8) shown.push({ name: `${keys.length - 8} more`, hue: hue(keys[8]) });
    return legend([...shown, { name: "held", hue: "var(--muted)" }, { name: "waited", hue: "var(--muted)", kind: "hollow" },
      ...(state.view === "agent" ? [{ name: "change merged", hue: "currentColor", kind: "line" }] : [])]);
  };
  const picture = (width) => {
    const [from, to] = span();
    const rows = state.view === "agent" ? agents : areas;
    const hue = hueOf(state.view === "agent" ? areas : agents);
    const all = barsOf(report, state.view, from, to);
    let gap = ((to - from) / width) * 1.5;
    let bars = joined(all, gap);
    for (; bars.length > MOST_BARS && gap < to - from; gap *= 2) bars = joined(all, gap);
    const least = ((to - from) / width) * 2;
    const data = bars.map((bar) => ({ ...bar, x1: format.date(bar.from), x2: format.date(Math.max(bar.to, bar.from + least)) }));
    const merged = state.view === "agent" ? report.changes.filter((change) => change.agent !== null && change.merged_at >= from && change.merged_at < to) : [];
    const height = rows.length > 12 ? 26 : 38;
    const band = height * 0.8;
    const isPart = (isWait) => data.filter((bar) => bar.isWait === isWait);
    return draw({
      width, height: rows.length * height + 76, marginLeft: labelMargin(rows),
      x: timeAxis(width, format.date(from), format.date(to), "Time (UTC)"),
      y: { type: "band", domain: rows, label: state.view === "agent" ? "Agent" : "Area", padding: 0.2, labelAnchor: "top", tickSize: 0 },
      marks: [
        ruleY(rows, { y: (row) => row, dy: height / 2, stroke: "currentColor", strokeOpacity: 0.14 }),
        barX(isPart(false), { x1: "x1", x2: "x2", y: "row", fill: (bar) => hue(bar.hueKey), insetBottom: band * 0.45, title: titleOf }),
        barX(isPart(true), { x1: "x1", x2: "x2", y: "row", fill: "var(--ground)", stroke: (bar) => hue(bar.hueKey), strokeWidth: 1.5, insetTop: band * 0.58, insetBottom: band * 0.2, title: titleOf }),
        ...(merged.length <= MOST_BARS ? [tickX(merged, { x: (change) => format.date(change.merged_at), y: "agent", stroke: "currentColor", strokeWidth: 1.5, insetTop: band * 0.8, title: (change) => `${change.agent} merged: ${change.subject}, ${format.time(change.merged_at)}` })] : []),
        ruleX([format.date(from)], { strokeOpacity: 0.4 }),
      ],
    });
  };
  const windows = [[whole, "Whole period"], [7 * DAY, "Week"], [DAY, "Day"]].filter(([length], at) => !at || length < whole);
  const controls = el("div", { class: "controls" });
  const figure = chart({
    title: "Who had and wanted which lock", says: says(), isWide: true, draw: picture, controls, legend: el("div"),
    table: table({ caption: "Locks held", hideCaption: true, rows: locks.holds, sort: [2, "down"], columns: holdColumns(report) }),
  });
  const move = (by) => {
    state.end = Math.min(period.to, Math.max(period.from + state.length, state.end + by * state.length));
    update();
  };
  const earlier = el("button", { type: "button", onclick: () => move(-1) }, "← Earlier");
  const later = el("button", { type: "button", onclick: () => move(1) }, "Later →");
  const legendBox = figure.querySelector("figcaption ~ div:not(.controls):not(.drawing)");
  function update() {
    const [from, to] = span();
    earlier.disabled = from <= period.from;
    later.disabled = to >= period.to;
    legendBox.replaceChildren(legendOf());
    figure.again(says());
  }
  controls.append(
    radios("rows", "A row for each", [["agent", "Agent"], ["area", "Area"]], "agent", (word) => { state.view = word; update(); }),
    windows.length > 1 ? radios("window", "Show", windows, state.length, (word) => { state.length = Number(word); state.end = period.to; update(); }) : "",
    windows.length > 1 ? el("div", { class: "pager" }, earlier, later) : "");
  update();
  return figure;
}

const holdColumns = (report) => [
  { label: "Scope", value: (row) => row.scope, kind: "text" },
  { label: "Agent", value: (row) => row.agent },
  { label: "Taken", value: (row) => row.from, show: (row) => format.time(row.from), kind: "time" },
  { label: "Ended", value: (row) => row.to, show: (row) => (row.to === null ? "–" : format.time(row.to)), kind: "time" },
  { label: "How", value: (row) => row.end },
  { label: "Held", value: (row) => (row.to ?? report.period.to) - row.from, numeric: true, show: (row) => format.duration((row.to ?? report.period.to) - row.from) },
];

function areaChart(report) {
  const { areas } = report.locks;
  const longest = Math.max(...areas.map((area) => Math.max(area.held?.sum ?? 0, area.waited?.sum ?? 0)));
  const [unit, length] = longest > 2 * 3600 ? ["Hours", 3600] : longest > 120 ? ["Minutes", 60] : ["Seconds", 1];
  const data = areas.flatMap((area) => [
    { area: area.area, kind: "held", time: area.held?.sum ?? 0 },
    { area: area.area, kind: "waited", time: area.waited?.sum ?? 0 }]);
  const most = areas[0];
  const hues = { held: "var(--hue-1)", waited: "var(--hue-2)" };
  const names = areas.map((area) => area.area);
  return chart({
    title: "Held and waited for, by area", isWide: true,
    says: most.waited ? `${most.area} was waited for the longest: ${format.duration(most.waited.sum)} in all, while it was held ${format.duration(most.held?.sum ?? 0)}.` : "Nobody waited for a lock.",
    legend: legend(Object.entries(hues).map(([name, hue]) => ({ name, hue }))),
    draw: (width) => draw({
      width, height: names.length * 44 + 70, marginLeft: labelMargin(names),
      x: { label: unit, ticks: ticks(width, 90), grid: true },
      y: { type: "band", axis: null, domain: ["held", "waited"], padding: 0.1 },
      fy: { domain: names, label: "Area", labelAnchor: "top", axis: "left", padding: 0.22, tickSize: 0 },
      marks: [barX(data, { fy: "area", y: "kind", x: (row) => row.time / length, fill: (row) => hues[row.kind], title: (row) => `${row.area} ${row.kind}: ${format.duration(row.time)}` }), ruleX([0])],
    }),
    table: null,
  });
}

export function locks(report) {
  const { areas, holds, waits } = report.locks;
  if (!holds.length && !waits.length && !areas.length) return section("locks", "Locks", nothing("No lock was held or waited for in this period."));
  const sum = (label, key, part) => ({ label, value: (row) => row[key]?.[part], numeric: true, show: (row) => format.duration(row[key]?.[part]) });
  const areaTable = areas.length ? table({ caption: "Areas", rows: areas, columns: [
    { label: "Area", value: (row) => row.area },
    { label: "Locks", value: (row) => row.held?.count, numeric: true, show: (row) => format.number(row.held?.count ?? 0) },
    sum("Held in all", "held", "sum"), sum("Held, median", "held", "median"),
    { label: "Waits", value: (row) => row.waited?.count, numeric: true, show: (row) => format.number(row.waited?.count ?? 0) },
    sum("Waited in all", "waited", "sum"), sum("Longest wait", "waited", "max"),
    { label: "Stolen", value: (row) => row.stolen, numeric: true },
    { label: "Expired", value: (row) => row.expired, numeric: true }] }) : null;
  const blocked = areas.flatMap((area) => area.blocked.map((one) => ({ ...one, area: area.area })));
  const blockedTable = blocked.length ? table({ caption: "Who waited for whom", rows: blocked, sort: [3, "down"], first: 8, columns: [
    { label: "Who waited", value: (row) => row.agent },
    { label: "For", value: (row) => row.holder },
    { label: "Area", value: (row) => row.area },
    { label: "Time", value: (row) => row.seconds, numeric: true, show: (row) => format.duration(row.seconds) }] }) : nothing("Nobody waited for anybody.");
  return section("locks", "Locks", holds.length || waits.length ? timeline(report) : null, areas.length ? areaChart(report) : null,
    areaTable, blockedTable);
}
