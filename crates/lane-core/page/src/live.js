// What everybody is at, now: asked for again every other second while anybody looks.
import { el } from "./dom.js";
import * as format from "./format.js";
import { section } from "./section.js";

const EVENTS = 6;

const ago = (then, now) => (then ? `${format.duration(Math.max(0, (Date.parse(now) - Date.parse(then)) / 1000))} ago` : "–");
const title = (line) => line.agent ?? (line.worktree ?? line.branch ?? "?").split("/").pop();

function verdict(line) {
  if (line.unassigned) return ["warning", "no lane"];
  if (!line.check) return ["unknown", "not checked"];
  if (line.check.undecided.length) return ["warning", "could not decide"];
  const { errors, warnings } = line.check;
  if (errors) return ["error", `${format.plural(errors, "error")}${warnings ? `, ${format.plural(warnings, "warning")}` : ""}`];
  return warnings ? ["warning", format.plural(warnings, "warning")] : ["ok", "no findings"];
}

function card(line, status) {
  const row = (word, ...value) => el("div", null, el("dt", null, word), el("dd", null, value));
  const [state, words] = verdict(line);
  const locks = line.locks.map((lock) => el("li", null, el("code", null, lock.scope), ` for ${format.duration(lock.left)} more`, lock.reason ? `: ${lock.reason}` : ""));
  const waits = line.waits.map((scope) => el("li", null, "waits for ", el("code", null, scope)));
  const findings = (line.check?.findings ?? []).map((one) => el("li", null, el("code", null, one.rule), `: ${one.message}`));
  const doubts = [...(line.check?.undecided ?? []), ...line.troubles.map((one) => one.reason), ...(line.hooks ? [line.hooks] : [])];
  return el("li", { class: "agent" },
    el("h3", null, title(line), line.under_way ? el("span", { class: "tag" }, line.under_way) : null, el("span", { class: `verdict ${state}` }, words)),
    el("dl", null,
      row("Branch", line.branch ? el("code", null, line.branch) : "–"),
      line.ahead === null ? null : row("Base", `${line.base?.name ?? status.base.name}: ${line.ahead} ahead, ${line.behind ?? 0} behind`),
      line.lines === null ? null : row("Lines", `${format.number(line.lines)}${line.limit ? ` of ${format.number(line.limit)}` : ""}`),
      line.uncommitted ? row("Edits", `${format.plural(line.uncommitted, "file")} not committed`) : null,
      line.last ? row("Last", `${line.last.subject} (${ago(line.last.time, status.time)})`) : null,
      locks.length || waits.length ? row("Locks", el("ul", null, locks, waits)) : null,
      line.requests ? row("Asked", format.plural(line.requests, "request")) : null,
      line.ports.length ? row("Ports", line.ports.join(", ")) : null,
      line.pulls.length ? row("Pulls", line.pulls.map((pull) => `#${pull.number}${pull.draft ? " (draft)" : ""}`).join(", ")) : null,
      findings.length ? row("Findings", el("ul", null, findings)) : null,
      doubts.length ? row("Unknown", el("ul", null, doubts.map((text) => el("li", null, text)))) : null));
}

const held = (status) => new Set(status.lines.flatMap((line) => line.locks.map((lock) => `${title(line)}\n${lock.scope}`)));

/** Begins to ask; `show` draws the report below. */
export function startLive(live, report, show) {
  const when = el("p", { class: "lead" }, "Asking …");
  const news = el("p", { role: "status", class: "news" });
  const events = el("ol", { class: "events" });
  const cards = el("ul", { class: "agents" });
  const clashes = el("div");
  const now = section("now", "Now", when, news, cards, clashes, el("h3", null, "Locks taken and released since this page was opened"), events);
  let before = null;
  let shown = new Map();

  const reload = async () => {
    const answer = await fetch("report.json", { cache: "no-store" });
    if (answer.ok) show(await answer.json(), now, reload);
  };

  function note(status) {
    const locks = held(status);
    if (before) {
      const found = [...[...locks].filter((lock) => !before.has(lock)).map((lock) => [lock, "took"]), ...[...before].filter((lock) => !locks.has(lock)).map((lock) => [lock, "released"])];
      const texts = found.map(([lock, verb]) => lock.replace("\n", ` ${verb} `));
      if (texts.length) news.textContent = texts.join("; ");
      texts.forEach((text) => events.prepend(el("li", null, el("time", null, format.clock(Date.parse(status.time) / 1000)), ` ${text}`)));
      while (events.children.length > EVENTS) events.lastChild.remove();
    }
    if (!events.children.length && !before) events.append(el("li", { class: "nothing" }, "none yet"));
    else if (events.children.length > 1) events.querySelector(".nothing")?.remove();
    before = locks;
  }

  function update(status) {
    when.textContent = `Read at ${format.clock(Date.parse(status.time) / 1000)} UTC, every ${live.interval} seconds while this page is looked at.`;
    const fresh = new Map();
    for (const [at, line] of status.lines.entries()) {
      // What only grows older is no news: a card is replaced when something else has changed.
      const key = `${at} ${title(line)}`;
      const same = JSON.stringify({ ...line, locks: line.locks.map((lock) => ({ ...lock, left: Math.floor(lock.left / 60) })) });
      const known = shown.get(key);
      fresh.set(key, known?.same === same ? known : { same, card: card(line, status) });
    }
    const order = [...fresh.values()].map((one) => one.card);
    if (order.length !== cards.children.length || order.some((one, at) => cards.children[at] !== one)) cards.replaceChildren(...order);
    shown = fresh;
    const pairs = status.conflicts.map((pair) => el("li", null, `${pair.one} and ${pair.two}: `, pair.state === "conflict" ? pair.files.map((file, at) => [at ? ", " : "", el("code", null, file.path)]) : "could not be checked"));
    clashes.replaceChildren(...(pairs.length ? [el("h3", null, "Would conflict if merged now"), el("ul", { class: "clashes" }, pairs)] : []));
    note(status);
  }

  async function ask() {
    if (!document.hidden) {
      try {
        const answer = await fetch("status.json", { cache: "no-store" });
        const body = await answer.json();
        if (answer.ok) update(body);
        else when.textContent = `Could not be read: ${body.error}`;
      } catch {
        when.textContent = "git lane status --serve does not answer any more.";
      }
    }
    setTimeout(ask, live.interval * 1000);
  }

  show(report, now, reload);
  ask();
}
