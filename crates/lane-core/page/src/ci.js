// Builds, coverage and integration, as far as CI and reports tell.
import { barX, dot, gridY, ruleX, ruleY } from "@observablehq/plot";
import { chart, draw, legend, ticks, timeAxis } from "./chart.js";
import { el } from "./dom.js";
import * as format from "./format.js";
import { labelMargin } from "./merged.js";
import { figures, nothing, section } from "./section.js";
import { table } from "./table.js";

const goalOf = (report, name) => {
  const found = format.goalValue(report.goals.find((goal) => goal.name === name)?.goal);
  return typeof found === "number" ? found : null;
};

export function builds(report) {
  const { builds } = report;
  if (!builds) return section("builds", "Builds", nothing("No run of CI is known."));
  const aim = goalOf(report, "build");
  const runs = builds.runs.map(([at, seconds]) => ({ at, seconds }));
  const jobs = Object.entries(builds.jobs).map(([name, time]) => ({ name, time }));
  const over = aim === null ? 0 : runs.filter((run) => run.seconds > aim).length;
  const drawing = runs.length ? chart({
    title: "How long builds took", isWide: true,
    says: `The median of ${format.plural(builds.time?.count ?? runs.length, "run")} took ${format.duration(builds.time?.median)}, nine in ten at most ${format.duration(builds.time?.p90)}${aim === null ? "" : `; ${format.number(over)} took longer than the goal of ${format.duration(aim)}`}. From ${builds.source}.`,
    legend: legend([{ name: "a run", hue: "var(--hue-1)" }, ...(aim === null ? [] : [{ name: `above the goal of ${format.duration(aim)}`, hue: "var(--bad)" }])]),
    table: table({ caption: "Runs, newest first", hideCaption: true, rows: runs, sort: [0, "down"], columns: [
      { label: "Began", value: (row) => row.at, show: (row) => format.time(row.at), kind: "time" },
      { label: "Took", value: (row) => row.seconds, numeric: true, show: (row) => format.duration(row.seconds) }] }),
    draw: (width) => draw({
      width, height: 220,
      x: timeAxis(width, format.date(report.period.from), format.date(report.period.to), "Began (UTC)"),
      y: { label: "Minutes", zero: true, ticks: 5 },
      marks: [gridY({ ticks: 5 }),
        dot(runs, { x: (run) => format.date(run.at), y: (run) => run.seconds / 60, r: 2.5, fill: (run) => (aim !== null && run.seconds > aim ? "var(--bad)" : "var(--hue-1)"), fillOpacity: 0.75, clip: true, title: (run) => `${format.time(run.at)}: ${format.duration(run.seconds)}` }),
        ...(aim === null ? [] : [ruleY([aim / 60], { stroke: "currentColor", strokeDasharray: "4 3" })]), ruleY([0])],
    }),
  }) : nothing("No run began in this period.");
  const of = (label, part) => ({ label, value: (row) => row.time[part], numeric: true, show: (row) => (part === "count" ? format.number(row.time[part]) : format.duration(row.time[part])) });
  return section("builds", "Builds", drawing, jobs.length ? table({ caption: "Jobs", rows: jobs, sort: [2, "down"], columns: [
    { label: "Job", value: (row) => row.name, kind: "text" }, of("Runs", "count"), of("Median", "median"), of("Nine in ten", "p90"), of("Longest", "max")] }) : null);
}

export function coverage(report) {
  const { coverage } = report;
  if (!coverage) return section("coverage", "Coverage", nothing("No report of coverage was found."));
  const aim = goalOf(report, "coverage");
  const rows = Object.entries(coverage.agents).map(([agent, share]) => ({ agent: format.agent(agent), share }));
  const names = rows.map((row) => row.agent);
  const isBelow = (row) => aim !== null && row.share < aim;
  const drawing = rows.length ? chart({
    title: "Coverage of each lane", isWide: true,
    says: `Tests reach ${format.percent(coverage.lines)} of ${format.number(coverage.total)} lines${aim === null ? "" : `; the goal is ${format.percent(aim)}, and ${format.plural(rows.filter(isBelow).length, "lane is", "lanes are")} below it`}.`,
    legend: aim === null ? null : legend([{ name: `${format.percent(aim)} or more`, hue: "var(--hue-1)" }, { name: `below the goal of ${format.percent(aim)}`, hue: "var(--bad)" }]),
    table: table({ caption: "Coverage of each lane", hideCaption: true, rows, columns: [
      { label: "Agent", value: (row) => row.agent }, { label: "Covered", value: (row) => row.share, numeric: true, show: (row) => format.percent(row.share) }] }),
    draw: (width) => draw({
      width, height: names.length * 26 + 70, marginLeft: labelMargin(names),
      x: { domain: [0, 100], label: "Lines covered (%)", ticks: ticks(width, 90), grid: true },
      y: { type: "band", domain: names, label: "Agent", labelAnchor: "top", padding: 0.25, tickSize: 0 },
      marks: [barX(rows, { y: "agent", x: (row) => row.share * 100, fill: (row) => (isBelow(row) ? "var(--bad)" : "var(--hue-1)"), title: (row) => `${row.agent}: ${format.percent(row.share)}` }),
        ...(aim === null ? [] : [ruleX([aim * 100], { stroke: "currentColor", strokeDasharray: "4 3" })]), ruleX([0])],
    }),
  }) : figures([["Lines covered", format.percent(coverage.lines), `of ${format.number(coverage.total)}`]]);
  return section("coverage", "Coverage", drawing, coverage.files.length ? table({ caption: "Read from", rows: coverage.files, first: 6, columns: [
    { label: "File", value: (row) => row.name, show: (row) => el("code", null, row.name), kind: "text" },
    { label: "Format", value: (row) => row.format },
    { label: "Lines", value: (row) => row.total, numeric: true, show: (row) => format.number(row.total) },
    { label: "Covered", value: (row) => (row.total ? row.covered / row.total : null), numeric: true, show: (row) => format.percent(row.total ? row.covered / row.total : null) }] }) : null);
}

export function integration(report) {
  const { integration } = report;
  if (!integration) return section("integration", "Integration", nothing("No run of CI on what was merged is known."));
  const some = (word, value) => (value === null || value === undefined ? null : [word, format.number(value)]);
  return section("integration", "Integration", figures([
    ["Succeeded", format.percent(integration.share), `${format.number(integration.succeeded)} of ${format.number(integration.succeeded + integration.failed)} commits`],
    ["Failed", format.number(integration.failed)],
    some("Pull requests merged", integration.merged), some("Closed unmerged", integration.closed), some("Open", integration.open),
    ["From", integration.source]]));
}
