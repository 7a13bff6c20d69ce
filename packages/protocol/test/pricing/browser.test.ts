import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { parseJson, parseNetworkDefinition } from "../../src/index.ts";
import { digestOfBills, randomMessages } from "./random-bills.ts";

const CHROMIUM = "/usr/bin/chromium";
const MISSING = `there is no ${CHROMIUM}: \`node scripts/setup.mjs --with-browser\` installs it where it may`;
const skip = existsSync(CHROMIUM) ? false : MISSING;
if (skip !== false) process.stderr.write(`\nNOT TESTED: prices in a browser, ${MISSING}\n\n`);

const SEED = 26;
const COUNT = 1_000;
const ENTRY = fileURLToPath(new URL("random-bills-in-browser.ts", import.meta.url));

/** Bundled for browsers and minified, as a web application has it; Node's modules cannot be found there. */
async function browserBuild(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    bundle: true,
    minify: true,
    platform: "browser",
    format: "iife",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

test("1,000 random messages cost the same in a browser, to the last digit", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const networkText = readFileSync(new URL("../../../../networks/mainnet.json", import.meta.url), "utf8");
  const parsed = parseJson(networkText);
  const network = parsed.ok ? parseNetworkDefinition(parsed.value) : null;
  assert.ok(network?.ok);
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.addScriptTag({ content: await browserBuild() });
  const found = await page.evaluate(
    ([text, seed, count]) => {
      const { digestInBrowser } = globalThis as unknown as {
        digestInBrowser(text: string, seed: number, count: number): string;
      };
      return digestInBrowser(text, seed, count);
    },
    [networkText, SEED, COUNT] as const,
  );
  assert.equal(found, digestOfBills(network.definition, randomMessages(SEED, COUNT)));
});
