import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startTestComputeNode, type TestComputeNode } from "../support/test-compute-node.ts";

const NOWHERE = "http://127.0.0.1:9";

interface ImagesPart {
  readonly state: string;
  readonly detail: string;
}

async function imagesOf({ node }: TestComputeNode): Promise<ImagesPart> {
  const answer = await fetch(`${node.apiUrl}/status/config`);
  return ((await answer.json()) as { readonly twentysix: { readonly images: ImagesPart } }).twentysix.images;
}

async function untilState(compute: TestComputeNode, state: string): Promise<ImagesPart> {
  for (let looks = 0; looks < 600; looks += 1) {
    const images = await imagesOf(compute);
    if (images.state === state) return images;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the images are ${JSON.stringify(await imagesOf(compute))}, and not ${state}`);
}

async function doctors({ dataDir }: TestComputeNode, imagesDir: string): Promise<string | undefined> {
  const findings = await diagnose({
    dir: join(dataDir, "compute"),
    imagesDir,
    searchPath: "",
    capabilities: null,
  });
  return findings.find(({ name }) => name === "images")?.detail;
}

test("a node without images serves, builds them, and says why that fails", { timeout: 300_000 }, async () => {
  await using folder = await tempFolder();
  const imagesDir = join(folder.path, "images");
  const images = { imagesDir, imageBuild: { mirror: `${NOWHERE}/debian` } };
  await using compute = await startTestComputeNode([NOWHERE], {}, images);

  const building = await untilState(compute, "building");
  assert.equal(building.detail, "building the kernel image");
  assert.equal(await doctors(compute, imagesDir), building.detail);

  const missing = await untilState(compute, "missing");
  assert.match(missing.detail, /could not be built: .*mmdebstrap.*failed/s);
  assert.equal(
    await doctors(compute, "/elsewhere"),
    missing.detail,
    "the node says which folder it looks at",
  );
  assert.deepEqual(await readdir(imagesDir), [], "a build that fails leaves nothing");
});

test("a node that stops while it builds is gone at once, and leaves nothing of it", {
  timeout: 300_000,
}, async () => {
  await using folder = await tempFolder();
  const imagesDir = join(folder.path, "images");
  await using compute = await startTestComputeNode(
    [NOWHERE],
    {},
    { imagesDir, imageBuild: { mirror: null } },
  );
  await untilState(compute, "building");
  const before = performance.now();
  await compute.restart(null);
  assert.ok(performance.now() - before < 15_000);
  assert.deepEqual(await readdir(imagesDir), []);
  const { state, detail } = await imagesOf(compute);
  assert.equal(state, "missing");
  assert.match(detail, /run `twentysix image build`/, "with the option off it is left to the operator");
});
