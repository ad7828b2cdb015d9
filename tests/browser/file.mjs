// A page in a file: node file.mjs PAGE all|few [SCREENSHOTS]; few: not each colour at each width
import { pathToFileURL } from "node:url";
import { accessible, check, equal, legible, open, run } from "./browser.mjs";

const [path, extent, pictures] = process.argv.slice(2);
const address = pathToFileURL(path).href;

const texts = (table) => table.evaluate((one) => [...one.tBodies[0].rows].map((row) => row.cells[0].textContent));
const sorted = (table) => table.evaluate((one) => [...one.querySelectorAll("thead th")].map((head) => head.getAttribute("aria-sort")));

/** Sorts the first table with two rows or more, by the mouse and by the keyboard. */
async function sorts(page) {
  const tables = page.locator("table:visible").filter({ has: page.locator("tbody tr:nth-child(2)") });
  check((await tables.count()) > 0, "there is a table with two rows");
  if (!(await tables.count())) return;
  const table = await tables.first().elementHandle();
  const button = await table.$("thead th:first-child button");
  await button.click();
  const ascending = await texts(table);
  equal((await sorted(table))[0], "ascending", "aria-sort after a click");
  check((await sorted(table)).slice(1).every((word) => word === null), "one column alone is said to be sorted");
  await button.focus();
  await page.keyboard.press("Enter");
  equal((await sorted(table))[0], "descending", "aria-sort after Enter");
  const few = await table.evaluate((one) => one.closest(".table").querySelector(".more").hidden);
  if (few) equal((await texts(table)).reverse(), ascending, "the rows are turned round");
  const other = await table.$("thead th:nth-child(2) button");
  await other.focus();
  await page.keyboard.press("Space");
  const now = await sorted(table);
  check(now[0] === null && now[1] !== null, "another column by Space", now);
}

/** Each picture has words, each table a caption, and headings leave no step out. */
async function structure(page) {
  const found = await page.evaluate(() => {
    const all = (query) => [...document.querySelectorAll(query)];
    const levels = all("h1, h2, h3, h4").map((heading) => Number(heading.tagName[1]));
    return {
      landmarks: ["header", "nav", "main", "footer"].filter((name) => !document.querySelector(name)),
      pictures: all("figure .drawing").filter((box) => !box.querySelector("svg[role=img][aria-label]")).length,
      charts: all("figure").filter((figure) => !figure.querySelector("h3") || !figure.querySelector("figcaption p").textContent).map((figure) => figure.textContent.slice(0, 40)),
      captions: all("table").filter((table) => !table.caption?.textContent).length,
      heads: all("thead th").filter((head) => !head.querySelector("button") || head.scope !== "col").length,
      steps: levels.filter((level, at) => at && level > levels[at - 1] + 1).length,
      axes: all("figure .drawing svg").filter((svg) => !svg.querySelector("[data-part$='axis label']")).map((svg) => svg.getAttribute("aria-label").slice(0, 40)),
      empty: all("main > section").filter((section) => section.children.length < 2).map((section) => section.id),
    };
  });
  equal(found, { landmarks: [], pictures: 0, charts: [], captions: 0, heads: 0, steps: 0, axes: [], empty: [] }, "structure");
}

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

/** The choice of colours outranks the system's. */
async function themes(page) {
  const before = await ground(page);
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = await ground(page);
  check(dark !== before, "dark where the system is light", [before, dark]);
  await page.getByRole("radio", { name: "System" }).focus();
  await page.keyboard.press("ArrowRight");
  equal(await ground(page), before, "light by an arrow key");
}

/** What has focus shows it, and the first is the way past the navigation. */
async function focus(page) {
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.textContent);
  equal(first, "Skip to the report", "the first that Tab reaches");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  check(outline !== "none", "focus is seen", outline);
}

/** Buttons that show more rows do. */
async function more(page) {
  const button = page.locator(".more:visible").first();
  if (!(await button.count())) return;
  const [before, after] = await button.evaluate((one) => {
    const rows = () => one.closest(".table").querySelectorAll("tbody tr").length;
    const before = rows();
    one.click();
    return [before, rows()];
  });
  check(after > before, "more rows are shown", [before, after]);
}

await run(async (browser) => {
  for (const scheme of ["light", "dark"]) {
    for (const width of [1280, 380]) {
      if (extent === "few" && (scheme === "light") === (width === 380)) continue;
      const { page, heard, close } = await open(browser, address, { width, scheme, offline: true });
      const where = `${scheme} at ${width} px`;
      await page.waitForTimeout(200);
      await structure(page);
      await legible(page, where);
      await accessible(page, where);
      if (pictures) await page.screenshot({ path: `${pictures}/${scheme}-${width}.png`, fullPage: true });
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
      await legible(page, `${where}, with all tables`);
      await accessible(page, `${where}, with all tables`);
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = false; }));
      if (width === 1280) {
        if (scheme === "light") await focus(page);
        await sorts(page);
        await more(page);
        if (scheme === "light") await themes(page);
      }
      const count = await page.evaluate(() => document.querySelectorAll("*").length);
      check(count < 40_000, "the page stays small enough to be quick", count);
      equal(heard.console, [], `nothing on the console, ${where}`);
      equal(heard.requests, [address], `nothing but the file, ${where}`);
      await page.emulateMedia({ media: "print" });
      check(await page.evaluate(() => !document.querySelector("nav").checkVisibility()), "no navigation on paper");
      await close();
    }
  }
});
