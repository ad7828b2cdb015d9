// The page of `git lane status --serve`: node live.mjs ADDRESS TEXT. Once it is shown, `ready` is written; then it waits for the text.
import { accessible, check, equal, legible, open, run } from "./browser.mjs";

const [address, text] = process.argv.slice(2);
const WAIT = 60_000;

await run(async (browser) => {
  const { page, heard, close } = await open(browser, address);
  await page.waitForSelector(".agent", { timeout: WAIT });
  await accessible(page, "the live page");
  console.log("ready");
  await page.getByRole("status").filter({ hasText: text }).waitFor({ timeout: WAIT });
  check((await page.locator(".events").textContent()).includes(text), "the event is listed");
  await accessible(page, "the live page after an event");
  await page.setViewportSize({ width: 380, height: 900 });
  await page.waitForTimeout(200);
  await legible(page, "the live page at 380 px");
  await page.getByRole("button", { name: "Read the report again" }).click();
  await page.waitForResponse((response) => response.url().endsWith("report.json")).catch(() => {});
  check((await page.locator(".agent").count()) > 0, "the status is still there");
  const others = heard.requests.filter((url) => !url.startsWith(address));
  equal(others, [], "requests go to this server alone");
  equal(heard.console, [], "nothing on the console");
  await close();
});
