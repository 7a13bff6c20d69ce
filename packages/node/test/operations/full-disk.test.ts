import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Client, createClient, isSdkError } from "@twentysix/sdk";
import { eventually } from "../support/eventually.ts";
import { loadAccount, sha256Hex } from "../support/load.ts";
import { type NodeProcess, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MIB = 1024 * 1024;
const FILE_BYTES = 4 * MIB;
const MAX_FILES = 64;

const clientOf = (node: NodeProcess): Client => createClient({ apiUrl: node.apiUrl, retries: 0 });

/** Uploads files until one is refused; gives those that were taken. */
async function uploadUntilFull(node: NodeProcess): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < MAX_FILES) {
    const file = randomBytes(FILE_BYTES);
    const body = new FormData();
    body.append("file", new Blob([file]));
    const response = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
    if (response.status === 200) {
      const { hash } = (await response.json()) as { hash: string };
      assert.equal(hash, sha256Hex(file));
      taken.push(hash);
      continue;
    }
    assert.equal(response.status, 507);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "API_STORAGE_FULL");
    assert.match(error.message, /another node/);
    return taken;
  }
  throw new Error(`${MAX_FILES} files were taken: the disk has no end`);
}

async function postStatus(node: NodeProcess, body: string): Promise<number> {
  try {
    await clientOf(node).createPost({ account: loadAccount(0), type: "full", content: { body }, sync: true });
    return 200;
  } catch (error) {
    if (isSdkError(error, "SDK_HTTP_ERROR")) return error.details.status;
    throw error;
  }
}

/** Everything that is held is served as before. */
async function assertReads(node: NodeProcess, files: readonly string[]): Promise<void> {
  assert.ok(files.length > 2, `${files.length} files`);
  for (const hash of files) {
    const response = await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`);
    assert.equal(sha256Hex(await response.bytes()), hash);
  }
  const list = await clientOf(node).listMessages({});
  assert.ok(list.items.length > 0);
}

interface Readiness {
  readonly status: number;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly message: string }>>;
}

async function readiness(node: NodeProcess): Promise<Readiness> {
  const response = await fetch(`${node.apiUrl}/health/ready`);
  const { checks } = (await response.json()) as Pick<Readiness, "checks">;
  return { status: response.status, checks };
}

/** A supervisor sees that new work is refused, and why; the process is alive all the same. */
async function assertNotReady(node: NodeProcess): Promise<void> {
  const { status, checks } = await readiness(node);
  assert.equal(status, 503);
  assert.deepEqual([checks.disk?.ok, checks.memory?.ok, checks.writer?.ok], [false, true, true]);
  assert.match(checks.disk?.message ?? "", /disk/);
  assert.equal((await fetch(`${node.apiUrl}/health`)).status, 200);
}

test("with --max-disk used up new work is refused with 507 and reads go on", async () => {
  using folder = temporaryFolder("budget");
  const flags = ["--max-disk", "64MiB"];
  await using node = await startNode(folder.path, { flags });
  assert.equal(await postStatus(node, "before"), 200);
  assert.equal((await readiness(node)).status, 200);
  const files = await uploadUntilFull(node);
  const bytes = randomBytes(60 * MIB);
  const body = new FormData();
  body.append("file", new Blob([bytes]));
  const tooMuch = await fetch(`${node.apiUrl}/api/v0/ipfs/add_file`, { method: "POST", body });
  assert.ok(tooMuch.status === 507 || tooMuch.status === 413, `${tooMuch.status}`);
  await assertReads(node, files);
  assert.equal((await node.stop()).exitCode, 0, node.stderr);
  assert.equal(node.stderr, "");
  assert.deepEqual((await verify(folder.path)).problems, []);
});

/** A small disk of its own; null where this process may not mount one. */
function smallDisk(path: string, sizeBytes: number): Disposable | null {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path]);
  if (mounted.status !== 0) return null;
  return { [Symbol.dispose]: () => spawnSync("umount", ["-l", path]) };
}

describe("on a disk that fills up", () => {
  test("new work is refused with 507 before it is full, reads go on, and room makes it work again", async (t) => {
    using folder = temporaryFolder("full");
    using disk = smallDisk(folder.path, 112 * MIB);
    if (disk === null) {
      t.skip("this process may not mount a small disk");
      return;
    }
    const dataDir = join(folder.path, "data");
    await using node = await startNode(dataDir);
    assert.equal(await postStatus(node, "before"), 200);
    const files = await uploadUntilFull(node);
    // Somebody else takes what the node had left free.
    const filler = join(folder.path, "filler");
    const { bavail, bsize } = statfsSync(folder.path);
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 8 * MIB));
    await eventually(async () => (await postStatus(node, "while full")) === 507);
    await assertReads(node, files);
    await assertNotReady(node);
    rmSync(filler);
    spawnSync("mount", ["-o", `remount,size=${256 * MIB}`, folder.path]);
    await eventually(async () => (await postStatus(node, "after")) === 200);
    assert.equal((await readiness(node)).status, 200);
    assert.equal((await uploadUntilFull(node)).length > 0, true);
    assert.equal((await node.stop()).exitCode, 0, node.stderr);
    assert.equal(node.stderr, "");
    assert.deepEqual((await verify(dataDir)).problems, []);
  });
});
