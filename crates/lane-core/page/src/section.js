// The sections of the page: a heading, a sentence, and what is in them.
import { el } from "./dom.js";

export function section(name, title, ...children) {
  const [long, short] = Array.isArray(title) ? title : [title, title];
  const heading = `${name}-title`;
  return el("section", { id: name, "aria-labelledby": heading, "data-short": short }, el("h2", { id: heading }, long), children);
}

export const nothing = (text) => el("p", { class: "nothing" }, text);
export const lead = (text) => el("p", { class: "lead" }, text);

/** Numbers with their words, side by side. */
export const figures = (pairs) => el("dl", { class: "figures" },
  pairs.filter(Boolean).map(([word, value, hint]) => el("div", null, el("dt", null, word), el("dd", null, value, hint ? el("small", null, ` ${hint}`) : null))));
