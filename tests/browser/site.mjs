// The built site: node site.mjs FOLDER [SCREENSHOTS]; the quick start as a reader sees it, then every page and where it leads.
import { existsSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { check, equal, open, run, violations } from "./browser.mjs";

const [folder, pictures] = process.argv.slice(2);
const address = (path) => pathToFileURL(join(folder, path)).href;

/** What a page shows at one width: a title, its commands, a way to the next page; nothing is wider than the window. */
async function renders(browser, width) {
  const { page, heard, close } = await open(browser, address("quick-start.html"), { width });
  const found = await page.evaluate(() => {
    const shown = (query) => [...document.querySelectorAll(query)].filter((one) => one.checkVisibility()).length;
    const main = document.querySelector("main");
    return {
      title: main.querySelector("h1").textContent,
      blocks: shown("main pre code") > 6,
      // The theme's own styles are there: what a terminal says has another ground than the page.
      ground: getComputedStyle(main.querySelector("pre code")).backgroundColor !== getComputedStyle(document.body).backgroundColor,
      refusal: main.textContent.includes("error[foreign-path]: 1 file in the lane of a2"),
      next: shown("a[rel~=next]") > 0,
      wider: document.documentElement.scrollWidth - innerWidth,
    };
  });
  equal(found, { title: "Quick start", blocks: true, ground: true, refusal: true, next: true, wider: Math.min(found.wider, 0) }, `the quick start, ${width} wide`);
  equal(heard.console, [], `the console, ${width} wide`);
  equal(heard.requests.filter((request) => !request.startsWith(address(""))), [], `requests, ${width} wide`);
  const picture = await page.screenshot(pictures ? { path: join(pictures, `quick-start-${width}.png`) } : {});
  check(picture.length > 20_000, `the picture has something in it, ${width} wide`, picture.length);
  await close();
}

/** What is on the pages is held to axe-core's rules, in both colours; what is around it is mdBook's. */
async function accessible(browser, scheme) {
  for (const path of ["index.html", "quick-start.html", "policy-reference.html", "rules/unlocked-path.html"]) {
    const { page, close } = await open(browser, address(path), { scheme });
    equal(await violations(page, "main"), [], `axe-core, ${path}, ${scheme}`);
    await close();
  }
}

/** A word of the policy is found. */
async function searches(browser) {
  const { page, close } = await open(browser, address("index.html"));
  await page.keyboard.press("s");
  const bar = page.locator("#mdbook-searchbar, #searchbar");
  const first = page.locator("#mdbook-searchresults a, #searchresults a").first();
  await bar.waitFor();
  // The index is loaded beside the page: what was typed before it is there finds nothing.
  while (!(await first.isVisible())) {
    await bar.fill("");
    await bar.pressSequentially("foreign-path");
    await page.waitForTimeout(100);
  }
  await first.click();
  await page.waitForLoadState();
  check((await page.locator("main").textContent()).includes("foreign-path"), "what is found has the word");
  await close();
}

/** Every page that a page leads to, from the first: what it has, and where its links go. */
async function crawls(browser) {
  const { page, heard, close } = await open(browser, address("index.html"));
  const seen = new Map();
  const links = [];
  const waiting = [address("index.html")];
  while (waiting.length) {
    const at = waiting.pop();
    if (seen.has(at)) continue;
    await page.goto(at, { waitUntil: "domcontentloaded" });
    const found = await page.evaluate(() => ({
      ids: [...document.querySelectorAll("[id]")].map((one) => one.id),
      links: [...document.querySelectorAll("a[href]")].map((one) => one.href),
      title: document.querySelector("main h1")?.textContent ?? "",
      sidebar: document.querySelectorAll("#mdbook-sidebar a, #sidebar a").length,
    }));
    check(found.title && found.sidebar > 50, `${relative(folder, fileURLToPath(at))} has a title and the list of pages`, [found.title, found.sidebar]);
    seen.set(at, new Set(found.ids));
    for (const link of new Set(found.links)) {
      const [target] = link.split("#");
      if (!target.startsWith("file:")) continue;
      links.push([at, link]);
      if (target.endsWith(".html") && existsSync(fileURLToPath(target))) waiting.push(target);
    }
  }
  const dead = links.filter(([, link]) => {
    const [target, fragment] = link.split("#");
    const path = fileURLToPath(target);
    if (!existsSync(path) || statSync(path).isDirectory()) return true;
    return fragment && seen.has(target) && !seen.get(target).has(decodeURIComponent(fragment));
  });
  equal(dead.map(([at, link]) => `${relative(folder, fileURLToPath(at))}: ${link}`), [], "dead links");
  equal(heard.console, [], "the console of all pages");
  check(seen.size > 80, "all pages were seen", seen.size);
  await close();
}

await run(async (browser) => {
  for (const width of [1280, 390]) await renders(browser, width);
  for (const scheme of ["light", "dark"]) await accessible(browser, scheme);
  await searches(browser);
  await crawls(browser);
});
