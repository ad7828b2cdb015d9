// A picture of the top of a page: node picture.mjs PAGE OUT WIDTH HEIGHT
import { pathToFileURL } from "node:url";
import { open, run, check } from "./browser.mjs";

const [path, out, width, height] = process.argv.slice(2);

await run(async (browser) => {
  const { page, close } = await open(browser, pathToFileURL(path).href, { width: Number(width), offline: true });
  await page.waitForTimeout(300);
  await page.screenshot({ path: out, fullPage: true, clip: { x: 0, y: 0, width: Number(width), height: Number(height) } });
  check(true, "a picture was taken");
  await close();
});
