// Light and dark: the system's, until somebody chooses.
import { el } from "./dom.js";

const KEY = "git-lane-theme";
const WORDS = { system: "System", light: "Light", dark: "Dark" };

const stored = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a file may have no storage
  }
};

function choose(word) {
  if (word === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = word;
  try {
    localStorage.setItem(KEY, word);
  } catch {
    // then it lasts as long as the page
  }
}

/** The choice between them. */
export function themeChoice() {
  const before = stored();
  const now = before in WORDS ? before : "system";
  choose(now);
  const options = Object.entries(WORDS).map(([word, shown]) => {
    const input = el("input", { type: "radio", name: "theme", value: word, onchange: () => choose(word) });
    input.checked = word === now;
    return el("label", null, input, el("span", null, shown));
  });
  return el("fieldset", { class: "choice theme" }, el("legend", { class: "hidden" }, "Colours"), options);
}
