import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { s3Missing, startS3Server } from "@twentysix/storage/test-servers";
import { eventually } from "../support/eventually.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import { get, post, rawAccount } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { s3Ground } from "./engine-grounds.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    readonly hash?: string;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

async function upload(node: NodeProcess, bytes: Uint8Array, engine = "storage"): Promise<Answer> {
  const form = new FormData();
  form.append("file", new Blob([new Uint8Array(bytes)]));
  const path = `${node.apiUrl}/api/v0/${engine}/add_file`;
  const response = await fetch(path, { method: "POST", body: form });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: (await response.json()) as Answer["body"],
  };
}

const isReady = async (node: NodeProcess): Promise<boolean> =>
  (await get(node, "/health/ready")).status === 200;

describe("a node whose S3 server goes away", { skip: s3Missing(), timeout: 180_000 }, () => {
  test("says so, refuses what needs it, keeps what it promised, and recovers", async () => {
    using folder = temporaryFolder("lost-server");
    await using server = await startS3Server();
    const { flags, environment } = s3Ground(server);
    await using node = await startNode(join(folder.path, "data"), { flags, environment });
    const bytes = randomBytes(1_000_000);
    assert.equal((await upload(node, bytes)).status, 200);
    const content = contentOf();
    const stored = await post(node, "/api/v0/storage/add_json", content);
    assert.equal(stored.status, 200, stored.text);

    await server.process.kill();
    await eventually(async () => !(await isReady(node)));
    const ready = await get(node, "/health/ready");
    assert.equal(ready.status, 503);
    const { checks } = JSON.parse(ready.text) as { checks: { files: { ok: boolean; message: string } } };
    assert.equal(checks.files.ok, false);
    assert.match(checks.files.message, /s3:\/\/blobs .*cannot be reached/);
    assert.equal((await get(node, "/health")).status, 200, "alive all the same");
    for (const engine of ["storage", "ipfs"]) {
      const { status, body, retryAfter } = await upload(node, randomBytes(1000), engine);
      assert.equal(status, 502);
      assert.equal(body.error?.code, "API_FILES_UNAVAILABLE");
      assert.equal(retryAfter, "5");
    }
    const head = await fetch(`${node.apiUrl}/api/v0/storage/raw/${sha256(bytes)}`, { method: "HEAD" });
    assert.equal(head.status, 502);
    const refused = await get(node, `/api/v0/storage/raw/${sha256(bytes)}`);
    assert.equal(refused.status, 502);
    assert.doesNotMatch(refused.text, /127\.0\.0\.1|s3:/, "clients are not told where the server is");
    // A message that needs nothing of it goes through; one whose content stands there waits.
    const inline = await putPost(node, "inline");
    assert.equal(inline.status, 200, inline.text);
    const apart = await putPost(node, "storage", content, false);
    assert.equal(apart.status, 202, apart.text);
    const status = async (): Promise<string> => {
      const { text } = await get(node, `/api/v0/messages/${sha256(Buffer.from(content))}`);
      return (JSON.parse(text) as { status: string }).status;
    };
    assert.equal(await status(), "pending");

    await server.process.start();
    await eventually(() => isReady(node));
    assert.equal((await upload(node, randomBytes(1000))).status, 200);
    const again = await fetch(`${node.apiUrl}/api/v0/storage/raw/${sha256(bytes)}`);
    assert.equal(sha256(await again.bytes()), sha256(bytes));
    await eventually(async () => (await status()) === "processed");
  });

  test("and that gives back other bytes: they are refused, marked, and mended by the next upload", async () => {
    using folder = temporaryFolder("lying-server");
    await using server = await startS3Server();
    const { flags, environment } = s3Ground(server);
    await using node = await startNode(join(folder.path, "data"), { flags, environment });
    const bytes = randomBytes(400_000);
    const hash = sha256(bytes);
    assert.equal((await upload(node, bytes)).status, 200);
    const changed = Buffer.from(bytes);
    changed[300_000] = (changed[300_000] ?? 0) ^ 1;
    await server.overwrite(`first/node/files/${hash.slice(0, 2)}/${hash}`, changed);
    const download = async () => (await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`)).bytes();
    await assert.rejects(download(), "a client does not take a part for the whole");
    const metrics = async () => (await get(node, "/metrics")).text;
    await eventually(async () => (await metrics()).includes("twentysix_damaged_files 1\n"));
    assert.ok(await isReady(node), "a damaged file is no failure of the server");
    assert.equal((await upload(node, bytes)).status, 200);
    assert.equal(sha256(await download()), hash);
    await eventually(async () => (await metrics()).includes("twentysix_damaged_files 0\n"));
  });

  test("in the middle of many uploads: each that was acknowledged is there", async () => {
    using folder = temporaryFolder("lost-server");
    await using server = await startS3Server();
    const { flags, environment } = s3Ground(server);
    await using node = await startNode(join(folder.path, "data"), { flags, environment });
    const acknowledged: string[] = [];
    let refused = 0;
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const { status, body } = await upload(node, randomBytes(300_000));
        if (status === 200) acknowledged.push(body.hash ?? "");
        else {
          assert.ok(status === 502 || status === 504, JSON.stringify(body));
          refused += 1;
        }
      }
    };
    const clients = [client(), client(), client()];
    for (let round = 1; round <= 2; round += 1) {
      const [taken, turnedAway] = [acknowledged.length, refused];
      await eventually(() => acknowledged.length >= taken + 10);
      await server.process.kill();
      await eventually(() => refused > turnedAway);
      await server.process.start();
      await eventually(() => isReady(node));
    }
    isOver = true;
    await Promise.all(clients);
    assert.ok(acknowledged.length >= 20);
    for (const hash of acknowledged) {
      const response = await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`);
      assert.equal(response.status, 200);
      assert.equal(sha256(await response.bytes()), hash);
    }
  });
});

function contentOf(): string {
  const { address } = rawAccount("lost");
  return `{"address":"${address}","content":{"a":1},"time":1700000000.5,"type":"note"}`;
}

async function putPost(
  node: NodeProcess,
  itemType: "inline" | "storage",
  content = contentOf().replace('"a":1', '"a":2'),
  sync = true,
) {
  const sender = rawAccount("lost");
  const itemHash = sha256(Buffer.from(content));
  const signature = await sender.sign({ type: "POST", itemHash, timeMicros: 1_700_000_000_500_000n });
  const message = {
    chain: sender.chain,
    sender: sender.address,
    type: "POST",
    channel: "T",
    time: 1_700_000_000.5,
    item_type: itemType,
    ...(itemType === "inline" ? { item_content: content } : {}),
    item_hash: itemHash,
    signature,
  };
  return await post(node, "/api/v0/messages", JSON.stringify({ sync, message }));
}
