// A picture of the top of a page, down to the end of an element: node picture.mjs PAGE OUT WIDTH SELECTOR
import { pathToFileURL } from "node:url";
import { open, run, check } from "./browser.mjs";

const [path, out, width, selector] = process.argv.slice(2);

await run(async (browser) => {
  const { page, close } = await open(browser, pathToFileURL(path).href, { width: Number(width), offline: true });
  await page.waitForTimeout(300);
  const height = await page.locator(selector).first().evaluate((one) => Math.ceil(one.getBoundingClientRect().bottom + scrollY) + 24);
  await page.screenshot({ path: out, fullPage: true, clip: { x: 0, y: 0, width: Number(width), height } });
  check(true, "a picture was taken");
  await close();
});
