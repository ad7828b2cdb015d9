// Charts: a title, a sentence that says the same, the drawing at the width that there is, and the numbers as a table.
import { plot } from "@observablehq/plot";
import { el, id } from "./dom.js";
import { NOBODY } from "./format.js";

/** Colours that are told apart on both grounds; what more there is shares the last. */
export const HUES = Array.from({ length: 8 }, (_, at) => `var(--hue-${at + 1})`);
export const OTHER = "var(--hue-other)";

export const hueOf = (names) => {
  const named = names.filter((name) => name !== NOBODY);
  const hues = new Map(named.map((name, at) => [name, HUES[at] ?? OTHER]));
  return (name) => hues.get(name) ?? OTHER;
};

const drawn = new Set();
let watch = null;

function redraw(box) {
  const width = Math.floor(box.clientWidth);
  if (width <= 0 || width === box.lastWidth) return;
  box.lastWidth = width;
  const svg = box.draw(width);
  // One image with one text: what Plot calls its groups is for no reader.
  for (const part of svg.querySelectorAll("[aria-label]")) {
    part.dataset.part = part.getAttribute("aria-label");
    part.removeAttribute("aria-label");
  }
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", box.says);
  box.replaceChildren(svg);
}

/** What all drawings have in common. */
export function draw(options) {
  const isNarrow = options.width < 520;
  return plot({
    className: "plot",
    marginTop: 28,
    marginRight: isNarrow ? 10 : 20,
    marginLeft: isNarrow ? 44 : 56,
    marginBottom: 48,
    ...options,
    style: { fontSize: "12px", background: "transparent", color: "inherit", ...options.style },
  });
}

const ofDay = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
const ofHour = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hour: "2-digit", minute: "2-digit" });

/** An axis of time, from one date to another, with as many ticks as fit: at hours, at days, or where Plot puts them. */
export function timeAxis(width, from, to, label) {
  const axis = { type: "utc", domain: [from, to], label };
  const days = (to - from) / 86400000;
  const fits = ticks(width, 70);
  if (days > 16) return { ...axis, ticks: ticks(width) };
  if (days > 2) {
    const every = Math.ceil(days / fits);
    const midnight = Math.ceil(from / 86400000) * 86400000;
    const at = Array.from({ length: Math.ceil(days / every) }, (_, n) => new Date(midnight + n * every * 86400000)).filter((date) => date <= to);
    return { ...axis, ticks: at, tickFormat: (date) => ofDay.format(date) };
  }
  const hours = [1, 2, 3, 6, 12, 24].find((hours) => (days * 24) / hours <= fits) ?? 24;
  const first = Math.ceil(from / 3600000 / hours) * hours * 3600000;
  const at = Array.from({ length: Math.ceil((days * 24) / hours) }, (_, n) => new Date(first + n * hours * 3600000)).filter((date) => date <= to);
  return { ...axis, ticks: at, tickFormat: (date) => (date % 86400000 ? ofHour.format(date) : ofDay.format(date)) };
}

/** How many ticks fit. */
export const ticks = (width, each = 80) => Math.max(2, Math.floor(width / each));

/** The legend: a list of names, each with its colour; `kinds` are drawn otherwise than as full squares. */
export function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(({ name, hue, kind }) => {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    mark.setAttribute("viewBox", "0 0 12 12");
    mark.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(mark.namespaceURI, "rect");
    const is = kind === "line" ? [5, 0, 2, 12] : kind === "hollow" ? [1, 3, 10, 6] : [0, 0, 12, 12];
    ["x", "y", "width", "height"].forEach((name, at) => shape.setAttribute(name, is[at]));
    shape.setAttribute("fill", kind === "hollow" ? "none" : hue);
    if (kind === "hollow") {
      shape.setAttribute("stroke", hue);
      shape.setAttribute("stroke-width", "2");
    }
    mark.append(shape);
    return el("li", null, mark, name);
  }));
}

/** A figure. `draw(width)` gives the drawing; `says` is its text; `table` has its numbers. */
export function chart({ title, says, draw, legend = null, table = null, controls = null, isWide = false }) {
  const name = id("chart");
  const box = el("div", { class: "drawing" });
  Object.assign(box, { draw, says: `${title}. ${says}` });
  const figure = el("figure", { class: isWide ? "chart wide" : "chart", "aria-labelledby": name },
    el("figcaption", null, el("h3", { id: name }, title), el("p", null, says)),
    controls, legend, box,
    table && el("details", null, el("summary", null, "The numbers as a table", el("span", { class: "hidden" }, `: ${title}`)), table));
  drawn.add(box);
  watch ??= new ResizeObserver((entries) => entries.forEach((entry) => redraw(entry.target)));
  watch.observe(box);
  figure.again = (says) => {
    if (says) {
      box.says = `${title}. ${says}`;
      figure.querySelector("figcaption p").textContent = says;
    }
    box.lastWidth = 0;
    redraw(box);
  };
  return figure;
}

/** Nothing of the page before is drawn any more. */
export function forget() {
  watch?.disconnect();
  watch = null;
  drawn.clear();
}
