// Tables: a caption, headers that are buttons and sort, and no more rows than anybody reads until they are asked for.
import { el, id } from "./dom.js";
import { number } from "./format.js";

const FIRST = 12;
const STEP = 1000;

const compare = (one, two) => {
  const isNone = (value) => value === null || value === undefined || Number.isNaN(value);
  if (isNone(one) || isNone(two)) return isNone(one) - isNone(two);
  if (typeof one === "number" && typeof two === "number") return one - two;
  return String(one).localeCompare(String(two), "en", { numeric: true });
};

/**
 * A table of rows. A column: `label`, `value(row)` by which it sorts, `show(row)` what stands there, `numeric`.
 * `sort`: which column it begins with, and whether downwards.
 */
export function table({ caption, columns, rows, sort = null, first = FIRST, hideCaption = false }) {
  const state = { by: sort ? sort[0] : null, isDown: sort ? sort[1] === "down" : false, shown: first };
  const body = el("tbody");
  const heads = columns.map((column, at) => {
    const button = el("button", { type: "button", onclick: () => turn(at) }, el("span", { class: "label" }, column.label));
    return el("th", { scope: "col", class: column.numeric ? "number" : null }, button);
  });
  const name = id("caption");
  const title = el("caption", { id: name, class: hideCaption ? "hidden" : null }, el("span", null, caption));
  const made = el("table", null, title, el("thead", null, el("tr", null, heads)), body);
  const box = el("div", { class: "scroll", role: "region", "aria-labelledby": name, tabindex: "0" }, made);
  const more = el("button", { type: "button", class: "more", onclick: grow });
  const outer = el("div", { class: "table" }, box, more);

  function turn(at) {
    if (state.by === at) state.isDown = !state.isDown;
    else Object.assign(state, { by: at, isDown: Boolean(columns[at].numeric) });
    fill();
  }

  function grow() {
    const before = state.shown;
    state.shown = before < STEP ? STEP : before + STEP;
    fill();
    // Whoever asked by the keyboard goes on where the new rows begin.
    const next = body.rows[before];
    if (next) {
      next.tabIndex = -1;
      next.focus({ preventScroll: true });
    }
  }

  function fill() {
    let sorted = rows;
    if (state.by !== null) {
      const { value } = columns[state.by];
      const isNone = (row) => value(row) === null || value(row) === undefined;
      // What is not known stays at the end, whichever way.
      sorted = [...rows].sort((a, b) => (isNone(a) || isNone(b) || !state.isDown ? 1 : -1) * compare(value(a), value(b)));
    }
    heads.forEach((head, at) => {
      const isIt = state.by === at;
      if (isIt) head.setAttribute("aria-sort", state.isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const cells = (row) => columns.map((column, at) => {
      const shown = column.show ? column.show(row) : column.value(row);
      const attributes = { class: [column.numeric && "number", column.kind].filter(Boolean).join(" ") || null };
      return at === 0 ? el("th", { scope: "row", ...attributes }, shown ?? "–") : el("td", attributes, shown ?? "–");
    });
    body.replaceChildren(...sorted.slice(0, state.shown).map((row) => el("tr", null, cells(row))));
    const left = rows.length - state.shown;
    more.hidden = left <= 0;
    const next = state.shown < STEP ? STEP - state.shown : STEP;
    more.textContent = left <= next ? `Show all ${number(rows.length)}` : `Show ${number(next)} more of ${number(rows.length)}`;
  }

  fill();
  outer.showAll = () => {
    state.shown = Math.max(state.shown, 200);
    fill();
  };
  return outer;
}
