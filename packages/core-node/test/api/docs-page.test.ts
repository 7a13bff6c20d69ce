import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { startApi, type TestApi } from "./support/start-api.ts";

const CHROMIUM = "/usr/bin/chromium";
const MISSING = `there is no ${CHROMIUM}: \`node scripts/setup.mjs --with-browser\` installs it where it may`;
const skip = existsSync(CHROMIUM) ? false : MISSING;
if (skip !== false) process.stderr.write(`\nNOT TESTED: the page /api/docs, ${MISSING}\n\n`);

interface OpenPage {
  readonly page: Page;
  /** What the browser complained of, and what it asked of anybody else than the node. */
  readonly complaints: readonly string[];
}

async function openDocs(browser: Browser, { url }: TestApi): Promise<OpenPage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(`${url}/api/docs`);
  await page.waitForSelector("details.route", { state: "attached" });
  return { page, complaints };
}

describe("the page that shows the description of the API", { skip, timeout: 120_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ["--no-sandbox"] });
  });
  after(() => browser.close());

  test("shows every route of the document, and asks nobody but the node", async (t) => {
    const api = await startApi(t);
    const { page, complaints } = await openDocs(browser, api);
    const { paths } = (await api.json("/api/openapi.json")) as { paths: Record<string, object> };
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = await page
      .locator("details.route > summary")
      .evaluateAll((all) =>
        all.map(
          (one) => `${one.querySelector(".method")?.textContent} ${one.querySelector(".path")?.textContent}`,
        ),
      );
    assert.deepEqual(shown.sort(), described.sort());
    assert.deepEqual(complaints, []);
  });

  test("shows parameters, bodies and answers of a route that is opened", async (t) => {
    const api = await startApi(t);
    const { page, complaints } = await openDocs(browser, api);
    const route = (path: string) =>
      page.locator("details.route", { has: page.locator(`.path:text-is("${path}")`) });
    const list = route("/api/v0/messages.json");
    await list.locator("> summary").click();
    const rows = await list.locator("tbody tr").allInnerTexts();
    assert.ok(
      rows.some((row) => /msgTypes\s+query\s+list of .*POST/.test(row)),
      rows.join("\n"),
    );
    await list.locator("details > summary", { hasText: "200" }).click();
    assert.match((await list.locator("details[open] pre").first().textContent()) ?? "", /"messages"/);
    const upload = route("/api/v0/storage/add_file");
    await upload.locator("> summary").click();
    assert.match((await upload.locator("pre").first().textContent()) ?? "", /"metadata"/);
    const link = route("/api/v0/version").locator("a", { hasText: "Ask this node" });
    assert.equal(await link.getAttribute("href"), "/api/v0/version");
    assert.equal(await route("/api/v0/messages/{item_hash}").locator("a").count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("finds routes by what is typed, and shows all again", async (t) => {
    const api = await startApi(t);
    const { page, complaints } = await openDocs(browser, api);
    const visible = async (): Promise<string[]> =>
      (await page.locator("details.route:visible .path").allInnerTexts()).sort();
    const all = await visible();
    await page.fill("#filter", "  STATS ");
    assert.deepEqual(await visible(), ["/api/v0/addresses/stats.json", "/api/v1/addresses/stats.json"]);
    assert.deepEqual(await page.locator("section.panel:visible h2").allInnerTexts(), ["Addresses"]);
    await page.fill("#filter", "nothing is called that");
    assert.deepEqual(await visible(), []);
    await page.fill("#filter", "");
    assert.deepEqual(await visible(), all);
    assert.deepEqual(complaints, []);
  });
});
