// Bundles the page into built/report.html: styles and program inline, their hashes in the content security policy, and
// the licences of what is in it. Where there is data to be put in, a marker stands.
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const read = (path) => readFileSync(join(here, path), "utf8");

const bundled = await build({
  entryPoints: [join(here, "src/main.js")],
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  metafile: true,
  write: false,
});
// Inside an HTML script, these would end it or begin a comment.
const program = bundled.outputFiles[0].text.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const style = (await transform(read("src/page.css"), { loader: "css", minify: true, charset: "ascii" })).code.trim();

// Plot puts one style element into each of its charts. It is always the same text, so its hash is allowed too.
const source = read("node_modules/@observablehq/plot/src/plot.js");
const found = source.match(/svg\.append\("style"\)\.text\(\s*`([^`]*)`/);
if (!found) throw new Error("the style element of Plot was not found: look at its plot.js");
const ofPlot = found[1].replaceAll("${className}", "plot");

const hash = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
const put = (text, name, value) => text.replace(`{{${name}}}`, () => value);
let page = read("src/page.html");
page = put(page, "script-hash", hash(program));
page = put(page, "style-hashes", `${hash(style)} ${hash(ofPlot)}`);
page = put(page, "style", style);
page = put(page, "program", program);

// The packages that are in the bundle, with their licences; packages with one text share it.
const packages = new Set();
for (const [input, { bytesInOutput }] of Object.entries(Object.values(bundled.metafile.outputs)[0].inputs)) {
  const name = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (name && bytesInOutput) packages.add(name[1]);
}
const licences = new Map();
for (const name of [...packages].sort()) {
  const folder = `node_modules/${name}`;
  const { version } = JSON.parse(read(`${folder}/package.json`));
  const file = readdirSync(join(here, folder)).find((file) => /^licen[cs]e/i.test(file));
  if (!file) throw new Error(`${name} has no licence file`);
  const lines = read(`${folder}/${file}`).trim().split("\n").map((line) => line.trimEnd());
  const isCopyright = (line) => /^copyright (\(c\) )?\d{4}/i.test(line.trim());
  const copyright = lines.filter(isCopyright).join("; ").trim();
  const text = lines.filter((line) => !isCopyright(line)).join("\n").trim();
  const known = licences.get(text) ?? [];
  known.push(`${name} ${version}: ${copyright}`);
  licences.set(text, known);
}
const notice = [...licences].map(([text, names]) => `${names.join("\n")}\n\n${text}`).join("\n\n----\n\n");
page = put(page, "licences", notice.replaceAll("--", "- -"));

const rest = page.match(/\{\{[a-z-]+\}\}/g);
if (rest) throw new Error(`not filled in: ${rest}`);
if (!existsSync(join(here, "built"))) mkdirSync(join(here, "built"));
writeFileSync(join(here, "built/report.html"), page);
writeFileSync(join(here, "built/LICENSES.txt"), `${notice}\n`);
console.log(`built/report.html: ${page.length} bytes, of which the program ${program.length}; ${packages.size} packages`);
