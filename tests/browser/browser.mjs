// What all checks have in common: Debian's chromium, without a network of its own, and a list of what went wrong.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const modules = process.env.LANE_BROWSER_MODULES;
const chromium = process.env.LANE_BROWSER;
if (!modules || !chromium) throw new Error("tests/suite/browser.rs starts this");
const require = createRequire(join(modules, "/"));
const playwright = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core"), "utf8");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const wrong = [];
let count = 0;

/** Notes whether something is so. */
export function check(isSo, what, found = undefined) {
  count += 1;
  if (!isSo) wrong.push(found === undefined ? what : `${what}: ${JSON.stringify(found)}`);
}

export function equal(found, wanted, what) {
  check(JSON.stringify(found) === JSON.stringify(wanted), `${what}: wanted ${JSON.stringify(wanted)}`, found);
}

/** Starts the browser, and ends the process with what was found. */
export async function run(checks) {
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: FLAGS });
  try {
    await checks(browser);
  } catch (error) {
    check(false, error.stack);
  } finally {
    await browser.close();
  }
  wrong.forEach((what) => console.error(`wrong: ${what}`));
  console.log(`browser: ${count - wrong.length} passed, ${wrong.length} failed`);
  process.exitCode = wrong.length || !count ? 1 : 0;
}

/** Opens an address in a window; what the console says and what is asked for on the network is collected. */
export async function open(browser, address, { width = 1280, scheme = "light", offline = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce", offline });
  const page = await context.newPage();
  const heard = { console: [], requests: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && heard.console.push(message.text()));
  page.on("pageerror", (error) => heard.console.push(error.stack));
  page.on("request", (request) => request.url().startsWith("data:") || heard.requests.push(request.url()));
  await page.goto(address);
  await page.waitForSelector("h1");
  return { page, heard, close: () => context.close() };
}

/** What axe-core's rules find on the page as it is now, or in a part of it. */
export async function violations(page, part = "html") {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate((query) => globalThis.axe.run(query, { resultTypes: ["violations"] }), part);
  return found.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
}

/** Holds the page as it is now to axe-core's rules. */
export async function accessible(page, where) {
  equal(await violations(page), [], `axe-core, ${where}`);
}

/** Nothing wider than the window, nothing smaller than 12 pixels. */
export async function legible(page, where) {
  const found = await page.evaluate(() => {
    const small = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement: parent, data } = walker.currentNode;
      if (!data.trim() || parent.closest("script, style, noscript, title")) continue;
      const size = Number.parseFloat(getComputedStyle(parent).fontSize);
      if (size < 12) small.add(`${parent.tagName} ${size}px: ${data.trim().slice(0, 30)}`);
    }
    // A box that scrolls by itself may hold what is wider.
    const wide = [...document.querySelectorAll("body *")].filter((one) => {
      if (!one.checkVisibility() || one.closest(".scroll, nav ul, .hidden, .skip, svg svg")) return false;
      return one.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
    });
    return { small: [...small].slice(0, 5), document: document.documentElement.scrollWidth - innerWidth, wide: wide.slice(0, 5).map((one) => `${one.tagName}.${one.getAttribute("class")} ${one.textContent.slice(0, 30)}`) };
  });
  equal(found, { small: [], document: found.document > 0 ? 0 : found.document, wide: [] }, `legible, ${where}`);
}
