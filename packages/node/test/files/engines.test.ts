import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { ContentStore } from "@twentysix/storage";
import { eventually } from "../support/eventually.ts";
import { type NodeProcess, runCommand, startNode } from "../support/node-process.ts";
import { get, post, putRaw, rawAccount, signRaw } from "../support/raw-messages.ts";
import { evmAccount, sdkClient } from "../support/sdk-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ENGINE_KINDS, type EngineGround } from "./engine-grounds.ts";

// Needs startS3Server and startKuboServer.

const account = evmAccount("engines");
const bytesOf = (seed: number, sizeBytes: number): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, index) => (index * seed + (index >> 8)) & 0xff);
const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

const start = (dataDir: string, ground: EngineGround, graceHours: number): Promise<NodeProcess> =>
  startNode(dataDir, {
    flags: [...ground.flags, "--storage-grace-period-hours", String(graceHours)],
    environment: ground.environment,
  });

async function download(node: NodeProcess, hash: string, range?: string): Promise<Buffer> {
  const headers = range === undefined ? {} : { range };
  const response = await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`, { headers });
  assert.equal(response.status, range === undefined ? 200 : 206);
  return Buffer.from(await response.bytes());
}

/** A directory as a CAR, with its root. */
async function directoryCar(folder: string): Promise<{ root: string; car: Buffer }> {
  await using store = await ContentStore.open({ folder, timers: createSystemTimers() });
  const entries = [
    { path: "index.html", content: [Buffer.from("<h1>hello</h1>")] },
    { path: "deep/large.bin", content: [bytesOf(7, 600_000)] },
  ];
  const { record } = await store.addDirectory(entries, 1);
  return { root: record.root, car: Buffer.concat(await Array.fromAsync(store.exportCar(record.root))) };
}

async function uploadCar(node: NodeProcess, root: string, car: Buffer): Promise<string> {
  const members = `"item_type":"ipfs","item_hash":"${root}"`;
  const signed = await signRaw({ type: "STORE", members, account: rawAccount("engines") });
  const form = new FormData();
  form.append("metadata", `{"message":${signed.envelope},"sync":true}`);
  form.append("file", new Blob([new Uint8Array(car)]));
  const response = await fetch(`${node.apiUrl}/api/v0/ipfs/add_car`, { method: "POST", body: form });
  assert.equal(response.status, 200, await response.text());
  return signed.itemHash;
}

/** A POST whose content is uploaded as a file and then named. */
async function putApart(node: NodeProcess): Promise<string> {
  const sender = rawAccount("engines");
  const time = 1_700_000_000.5;
  const content = { address: sender.address, content: { secret: 1 }, time, type: "note" };
  const upload = await post(node, "/api/v0/storage/add_json", JSON.stringify(content));
  const { hash } = JSON.parse(upload.text) as { hash: string };
  const signature = await sender.sign({ type: "POST", itemHash: hash, timeMicros: 1_700_000_000_500_000n });
  const envelope = { chain: sender.chain, sender: sender.address, type: "POST", channel: "T", time };
  const message = { ...envelope, item_type: "storage", item_hash: hash, signature };
  const sent = await post(node, "/api/v0/messages", JSON.stringify({ sync: true, message }));
  assert.equal(sent.status, 200, sent.text);
  return hash;
}

for (const kind of ENGINE_KINDS) {
  describe(`a node that keeps its files on ${kind.name}`, { skip: kind.skip, timeout: 180_000 }, () => {
    test("stores, serves, survives restarts, verifies, exports, forgets and collects", async () => {
      using folder = temporaryFolder("engines");
      await using ground = await kind.start();
      const dataDir = join(folder.path, "data");
      const large = bytesOf(5, 1_000_000);
      const itemHashes: string[] = [];
      const names: string[] = [];
      const directory = await directoryCar(join(folder.path, "directory"));
      {
        await using node = await start(dataDir, ground, 24);
        assert.equal((await get(node, "/health/ready")).status, 200);
        const client = sdkClient(node);
        for (const engine of ["storage", "ipfs"] as const) {
          const file = engine === "storage" ? large : bytesOf(11, 700_000);
          const stored = await client.storeFile({ account, file, engine, sync: true });
          assert.equal(stored.status, "processed");
          itemHashes.push(stored.itemHash);
          names.push(stored.fileHash);
          assert.equal((await client.downloadFile({ fileHash: stored.fileHash }))?.isVerified, true);
        }
        itemHashes.push(await uploadCar(node, directory.root, directory.car));
        names.push(directory.root);
        itemHashes.push(await putApart(node));
        await node.stop();
      }
      const tools = { environment: ground.environment };
      const at = ["--data-dir", dataDir, ...ground.flags, "--log-level", "error"];
      const verified = await runCommand(["verify", ...at], tools);
      assert.match(verified.stdout, /^\{"ok":true/, verified.stdout + verified.stderr);
      const exported = await runCommand(["export", ...at], tools);
      assert.equal(exported.exitCode, 0, exported.stderr);
      assert.match(exported.stderr, /"contentsMissing":0,.*"files":3,"filesMissing":0/);
      const copy = ["--data-dir", join(folder.path, "copy"), "--log-level", "error"];
      const imported = await runCommand(["import", ...copy], { input: exported.stdout });
      assert.match(imported.stdout, /"processed":4,/, imported.stdout + imported.stderr);

      await using node = await start(dataDir, ground, 0);
      const [storageHash = "", ipfsHash = ""] = names;
      assert.deepEqual(await download(node, storageHash), Buffer.from(large));
      assert.equal(sha256(await download(node, ipfsHash)), sha256(bytesOf(11, 700_000)));
      const range = await download(node, storageHash, "bytes=262140-600001");
      assert.deepEqual(range, Buffer.from(large.subarray(262_140, 600_002)));
      const base64 = await get(node, `/api/v0/storage/${storageHash}`);
      const { content } = JSON.parse(base64.text) as { content: string };
      assert.deepEqual(Buffer.from(content, "base64"), Buffer.from(large));
      const tar = await download(node, directory.root);
      assert.ok(tar.includes("<h1>hello</h1>"));
      assert.ok(tar.includes(Buffer.from(bytesOf(7, 600_000))));
      const posted = itemHashes.at(-1) ?? "";
      assert.equal(sha256(await download(node, posted)), posted);

      await sdkClient(node).forget({ account, itemHashes: itemHashes.slice(0, 2), sync: true });
      const hashes = itemHashes.slice(2).map((hash) => JSON.stringify(hash));
      await putRaw(node, { type: "FORGET", members: `"hashes":[${hashes}]`, account: rawAccount("engines") });
      for (const name of [...names, posted]) {
        await eventually(async () => (await get(node, `/api/v0/storage/raw/${name}`)).status === 404);
      }
      const metrics = async (): Promise<string> => (await get(node, "/metrics")).text;
      await eventually(async () => (await metrics()).includes("twentysix_pending_deletions_files 0"));
      await eventually(async () => ((await ground.held()) ?? []).length === 0);
      assert.match(await metrics(), /twentysix_damaged_files 0\n/);
      assert.match(await metrics(), /twentysix_collected_files_total 4\n/);
    });
  });
}
