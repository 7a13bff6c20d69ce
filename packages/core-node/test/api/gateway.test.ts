import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { createSystemTimers } from "@twentysix/platform";
import { ContentStore } from "@twentysix/storage";
import { FileHolds } from "../../src/content/file-holds.ts";
import { createGateway } from "../../src/content/gateway.ts";
import { startApi } from "./support/start-api.ts";

const run = promisify(execFile);
const IPFS_CAR = join(dirname(createRequire(import.meta.url).resolve("ipfs-car/package.json")), "bin.js");

const folder = await mkdtemp(join(tmpdir(), "twentysix-gateway-"));
const store = await ContentStore.open({ folder: join(folder, "contents"), timers: createSystemTimers() });
after(async () => {
  await store[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const LARGE = randomBytes(700_000);
const SITE: Readonly<Record<string, Buffer>> = {
  "index.html": Buffer.from("<!doctype html><title>home</title>"),
  "css/site.css": Buffer.from("body { color: teal }"),
  "data/large.bin": LARGE,
  "docs/index.html": Buffer.from("<!doctype html><title>docs</title>"),
};
const entries = Object.entries(SITE).map(([path, bytes]) => ({ path, content: [bytes] }));
const { record } = await store.addDirectory(entries, 1);
const ROOT = record.root;
const api = await startApi({ after }, { services: { gateway: createGateway(store, new FileHolds()) } });

/** Every file under the root of a CAR, as `ipfs-car` unpacks it, which verifies each block. */
async function unpacked(car: Response, ...paths: readonly string[]): Promise<Buffer[]> {
  const file = join(folder, "answer.car");
  const output = join(folder, "output");
  await writeFile(file, Buffer.from(await car.arrayBuffer()));
  await rm(output, { recursive: true, force: true });
  await run(process.execPath, [IPFS_CAR, "unpack", file, "--output", output]);
  return await Promise.all(paths.map((path) => readFile(join(output, path))));
}

describe("the gateway", { timeout: 60_000 }, () => {
  test("gives CARs that a standard tool verifies, of the whole and of a path", async () => {
    const paths = Object.keys(SITE);
    const whole = await api.get(`/ipfs/${ROOT}?format=car`);
    assert.equal(whole.headers.get("content-type"), "application/vnd.ipld.car; version=1; order=dfs; dups=n");
    for (const [index, bytes] of (await unpacked(whole, ...paths)).entries())
      assert.ok(bytes.equals(SITE[paths[index] ?? ""] ?? Buffer.alloc(0)));
    const accepted = await api.get(`/ipfs/${ROOT}/data`, { headers: { accept: "application/vnd.ipld.car" } });
    const [large] = await unpacked(accepted, "large.bin");
    assert.ok(large?.equals(LARGE));
  });

  test("gives as much of a DAG as is asked for, with the way to it", async () => {
    const blocks = async (query: string, path: string): Promise<readonly string[]> => {
      const file = join(folder, "part.car");
      const car = await api.get(`/ipfs/${ROOT}/${path}?format=car&${query}`);
      await writeFile(file, Buffer.from(await car.arrayBuffer()));
      const { stdout } = await run(process.execPath, [IPFS_CAR, "blocks", file]);
      return stdout.trim().split("\n");
    };
    const block = await blocks("dag-scope=block", "data");
    const entity = await blocks("dag-scope=entity", "data");
    const all = await blocks("dag-scope=all", "data");
    assert.deepEqual(block, entity, "a plain directory is one block");
    assert.deepEqual([block.length, all.length], [2, 6]);
    assert.deepEqual(all.slice(0, 2), block);
    assert.equal(block[0], ROOT);
  });

  test("gives raw blocks by their CID, to be verified by it", async () => {
    for (const ask of [
      api.get(`/ipfs/${ROOT}?format=raw`),
      api.get(`/ipfs/${ROOT}`, { headers: { accept: "application/vnd.ipld.raw" } }),
    ]) {
      const answer = await ask;
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("content-type"), "application/vnd.ipld.raw");
      assert.equal(answer.headers.get("etag"), `"${ROOT}.raw"`);
      assert.equal(answer.headers.get("cache-control"), "public, max-age=29030400, immutable");
      const car = await api.get(`/ipfs/${ROOT}?format=car&dag-scope=block`);
      const block = Buffer.from(await answer.arrayBuffer());
      assert.ok(
        Buffer.from(await car.arrayBuffer())
          .subarray(-block.byteLength)
          .equals(block),
      );
    }
  });

  test("serves a site with its pages, types and ranges, where its scripts reach nothing of the node", async () => {
    const bare = await api.get(`/ipfs/${ROOT}`, { redirect: "manual" });
    assert.deepEqual([bare.status, bare.headers.get("location")], [301, `/ipfs/${ROOT}/`]);
    const home = await api.get(`/ipfs/${ROOT}/`);
    assert.equal(await home.text(), String(SITE["index.html"]));
    assert.equal(home.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(home.headers.get("content-security-policy") ?? "", /^sandbox (?!.*allow-same-origin)/);
    assert.equal(await (await api.get(`/ipfs/${ROOT}/docs/`)).text(), String(SITE["docs/index.html"]));
    const css = await api.get(`/ipfs/${ROOT}/css/site.css`);
    assert.equal(css.headers.get("content-type"), "text/css; charset=utf-8");
    const range = await api.get(`/ipfs/${ROOT}/data/large.bin`, {
      headers: { range: "bytes=300000-300099" },
    });
    assert.deepEqual([range.status, range.headers.get("content-range")], [206, "bytes 300000-300099/700000"]);
    assert.ok(Buffer.from(await range.arrayBuffer()).equals(LARGE.subarray(300_000, 300_100)));
    const etag = range.headers.get("etag") ?? "";
    const again = await api.get(`/ipfs/${ROOT}/data/large.bin`, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    const head = await api.get(`/ipfs/${ROOT}/data/large.bin`, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "700000");
    const beyond = await api.get(`/ipfs/${ROOT}/data/large.bin`, { headers: { range: "bytes=700000-" } });
    assert.equal(beyond.status, 416);
  });

  test("gives nothing that the node does not hold, and nothing that is no CID", async () => {
    const unknown = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
    for (const path of [
      unknown,
      `${unknown}?format=raw`,
      `${ROOT}/absent.txt`,
      `${ROOT}/css/`,
      "no-cid",
      `${ROOT}/css/site.css/x`,
    ])
      assert.equal((await api.get(`/ipfs/${path}`)).status, 404, path);
  });
});
