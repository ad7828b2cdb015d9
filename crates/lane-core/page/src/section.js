// The sections of the page: a heading, a sentence, and what is in them.
import { el } from "./dom.js";

export function section(name, title, ...children) {
  const [long, short] = Array.isArray(title) ? title : [title, title];
  const heading = `${name}-title`;
  return el("section", { id: name, "aria-labelledby": heading, "data-short": short }, el("h2", { id: heading }, long), children);
}

/** That there is nothing; `of`: what had to be read to say so, where that is not all of the section. */
export const nothing = (text, of = null) => el("p", { class: "nothing", "data-of": of }, text);

/** A section that could not be read in full says so, and does not say that there is nothing. */
export function withGaps(made, names, missing) {
  const gaps = missing.filter((one) => names.includes(one.what));
  if (!gaps.length) return made;
  for (const one of made.querySelectorAll(":scope > .nothing")) {
    const of = one.dataset.of ? [one.dataset.of] : names;
    if (gaps.some((gap) => of.includes(gap.what))) one.remove();
  }
  made.querySelector("h2").after(...gaps.map((gap) => el("p", { class: "gap" }, el("strong", null, "Not known in full: "), gap.reason)));
  return made;
}
export const lead = (text) => el("p", { class: "lead" }, text);

/** Numbers with their words, side by side. */
export const figures = (pairs) => el("dl", { class: "figures" },
  pairs.filter(Boolean).map(([word, value, hint]) => el("div", null, el("dt", null, word), el("dd", null, value, hint ? el("small", null, ` ${hint}`) : null))));
