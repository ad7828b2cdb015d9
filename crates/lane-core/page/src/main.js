// The page of git lane report, and of git lane status --serve: the same, with what everybody is at above it.
import { forget } from "./chart.js";
import { builds, coverage, integration } from "./ci.js";
import { el } from "./dom.js";
import * as format from "./format.js";
import { startLive } from "./live.js";
import { locks } from "./locks.js";
import { conflicts, merged } from "./merged.js";
import { agents, goals, head, missing } from "./overview.js";
import { branches, contested, refusals, requests, waivers } from "./policy.js";
import { withGaps } from "./section.js";

/** The sections, each with the words by which a report says that something of it is missing. */
const SECTIONS = [
  [goals, []],
  [agents, ["changes", "sizes", "locks", "refusals", "requests"]],
  [merged, ["changes", "sizes"]],
  [conflicts, ["changes", "conflicts", "forecast"]],
  [locks, ["locks"]],
  [refusals, ["refusals"]],
  [waivers, ["changes"]],
  [requests, ["requests"]],
  [branches, ["branches"]],
  [contested, ["changes"]],
  [builds, ["builds"]],
  [coverage, ["coverage"]],
  [integration, ["integration", "pull requests"]],
  [missing, []],
];

const of = (name) => document.getElementById(name);
const data = (name) => JSON.parse(of(name).textContent);

function show(report, above, onReload) {
  forget();
  document.title = `${report.repository}: git lane ${above ? "status" : "report"}`;
  of("top").replaceChildren(...head(report, Boolean(above)));
  const made = [...(above ? [above] : []), ...SECTIONS.map(([make, names]) => withGaps(make(report), names, report.missing))];
  of("main").replaceChildren(...made);
  const links = made.map((one) => el("li", null, el("a", { href: `#${one.id}` }, one.dataset.short)));
  of("sections").replaceChildren(el("ul", null, links));
  of("foot").replaceChildren(
    el("p", null, `git lane report. All times and days are UTC. Read on ${format.time(report.period.to)}.`),
    onReload ? el("button", { type: "button", onclick: onReload }, "Read the report again") : "");
}

const { live } = data("config");
if (live) startLive(live, data("report"), show);
else show(data("report"), null, null);

// Paper has no button to ask for more.
addEventListener("beforeprint", () => document.querySelectorAll(".table").forEach((table) => table.showAll?.()));
