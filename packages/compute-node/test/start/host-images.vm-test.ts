import assert from "node:assert/strict";
import { cp, mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { openFile } from "@twentysix/sdk/node";
import { ASGI_LIBRARIES_RECIPE } from "../../src/images/build/asgi-libraries.ts";
import { functionRuntime } from "../../src/images/build/function-runtimes.ts";
import { kernelImage } from "../../src/images/build/host-images.ts";
import { buildImage } from "../../src/images/build/image-store.ts";
import { type CoreNode, startCoreNode } from "../functions/support/core-node.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startTestComputeNode } from "../support/test-compute-node.ts";

const CODE = `
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"it runs"})
`;

async function publish({ client, account }: CoreNode, signal: AbortSignal): Promise<string> {
  const { squashfsPath } = await functionRuntime(IMAGES_FOLDER, "python", buildOptions(signal));
  const runtime = await client.storeFile({ account, file: await openFile(squashfsPath), sync: true });
  const code = await client.storeFile({ account, file: new Blob([CODE]), sync: true });
  const { itemHash } = await client.createProgram({
    account,
    sync: true,
    content: {
      type: "vm-function",
      allow_amend: false,
      code: {
        ...{ encoding: "plain", entrypoint: "app", interface: "asgi" },
        ...{ ref: code.itemHash, use_latest: false },
      },
      runtime: { ref: runtime.itemHash, use_latest: false, comment: "" },
      environment: { reproducible: false, internet: false, aleph_api: false, shared_cache: false },
      resources: { vcpus: 1, memory: 256, seconds: 30 },
      on: { http: true },
      volumes: [],
    },
  });
  return itemHash;
}

/** What takes a mirror to build, as an earlier build has left it. */
async function copyDownloads(imagesDir: string, signal: AbortSignal): Promise<void> {
  await mkdir(imagesDir, { recursive: true });
  const options = buildOptions(signal);
  const kernel = await kernelImage(IMAGES_FOLDER, options);
  const libraries = await buildImage(IMAGES_FOLDER, ASGI_LIBRARIES_RECIPE, options);
  for (const { folder } of [kernel, libraries]) {
    assert.equal(`${dirname(folder)}/`, IMAGES_FOLDER);
    await cp(folder, join(imagesDir, basename(folder)), { recursive: true });
  }
}

test("a node that was started without images runs functions once it has built them", {
  timeout: 600_000,
}, async () => {
  const signal = AbortSignal.timeout(580_000);
  await using core = await startCoreNode();
  const programHash = await publish(core, signal);
  await using folder = await tempFolder();
  const imagesDir = join(folder.path, "images");
  await using compute = await startTestComputeNode([core.apiUrl], {}, { imagesDir, imageBuild: null });
  const visit = async () => {
    const answer = await fetch(`${compute.node.apiUrl}/vm/${programHash}/`, { signal });
    return {
      status: answer.status,
      retryAfter: answer.headers.get("retry-after"),
      text: await answer.text(),
    };
  };

  const refused = await visit();
  assert.deepEqual([refused.status, refused.retryAfter], [503, "2"]);
  assert.match(refused.text, /there is no kernel .*run `twentysix image build`/);

  await copyDownloads(imagesDir, signal);
  await compute.restart({ mirror: null });
  let answer = await visit();
  for (let visits = 0; answer.status === 503 && visits < 300; visits += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    answer = await visit();
  }
  assert.deepEqual([answer.status, answer.text], [200, "it runs"]);
});
