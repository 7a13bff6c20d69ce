import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { ContentStore, FileNamer } from "@twentysix/storage";
import { eventually } from "../support/eventually.ts";
import { foreignNode } from "../support/foreign-node.ts";
import { giveTokens } from "../support/funds.ts";
import { rawAccount, signRaw } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const account = rawAccount("foreign APIs");

/** Sends a STORE of a file that the node does not have. */
async function store(node: TestNode, type: "storage" | "ipfs", hash: string): Promise<string> {
  const members = `"item_type":"${type}","item_hash":"${hash}"`;
  const time = `${Date.now() / 1_000}`;
  const { envelope, itemHash } = await signRaw({ type: "STORE", members, account, time });
  const answer = await fetch(`${node.apiUrl}/api/v0/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"sync":false,"message":${envelope}}`,
  });
  assert.equal(answer.status, 202, await answer.text());
  return itemHash;
}

const statusOf = async (node: TestNode, itemHash: string): Promise<string> => {
  const answer = await (await fetch(`${node.apiUrl}/api/v0/messages/${itemHash}/status`)).json();
  return (answer as { readonly status: string }).status;
};

const metric = async (node: TestNode, name: string): Promise<number> => {
  const text = await (await fetch(`${node.apiUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
};

describe("files that only nodes of another kind have", { timeout: 60_000 }, () => {
  test("come from their APIs, whatever a liar among them sends", async () => {
    const node = await startTestNode({ p2pPort: 0 });
    await using _node = { [Symbol.asyncDispose]: () => node.remove() };
    await giveTokens(node, { [account.address]: 1_000 });
    const bytes = randomBytes(700_000);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const namer = new FileNamer(["cidV0", "fixedCid"]);
    namer.update(bytes);
    const { cidV0 = "", fixedCid = "" } = namer.finish();

    await using liar = await foreignNode(node, (_request, response) => response.end("something else"));
    // The liar is asked by then, whoever is asked first.
    await using honest = await foreignNode(node, ({ url = "" }, response) => {
      const isHeld = [sha256, cidV0, fixedCid].some((hash) => url === `/api/v0/storage/raw/${hash}`);
      setTimeout(() => (isHeld ? response.end(bytes) : response.writeHead(404).end()), 500);
    });
    const stored = await store(node, "storage", sha256);
    await eventually(async () => (await statusOf(node, stored)) === "processed");
    assert.ok(liar.asked.length > 0 && honest.asked.length > 0);
    assert.equal(await metric(node, "twentysix_wrong_contents_total"), 1);
    const raw = await fetch(`${node.apiUrl}/api/v0/storage/raw/${sha256}`);
    assert.ok(Buffer.from(await raw.arrayBuffer()).equals(bytes));

    for (const cid of [cidV0, fixedCid]) {
      const pinned = await store(node, "ipfs", cid);
      await eventually(async () => (await statusOf(node, pinned)) === "processed");
    }
  });

  test("come from the gateways that the operator named, block by block, whatever a liar among them sends", async () => {
    const folder = temporaryFolder("gateways");
    using _folder = folder;
    await using contents = await ContentStore.open({ folder: folder.path, timers: createSystemTimers() });
    const large = randomBytes(600_000);
    const { record } = await contents.addDirectory([{ path: "site/large.bin", content: [large] }], 1);
    const car = Buffer.concat(await Array.fromAsync(contents.exportCar(record.root)));
    const spoiled = Buffer.from(car);
    spoiled[car.byteLength - 1] = (car.at(-1) ?? 0) ^ 1;
    await using liar = await gateway(spoiled, 0);
    // The liar is asked by then, whoever is asked first.
    await using honest = await gateway(car, 500);
    const node = await startTestNode({ p2pPort: 0, gateways: [liar.url, honest.url] });
    await using _node = { [Symbol.asyncDispose]: () => node.remove() };
    await giveTokens(node, { [account.address]: 1_000 });
    const stored = await store(node, "ipfs", record.root);
    await eventually(async () => (await statusOf(node, stored)) === "processed");
    assert.equal(honest.asked.at(-1), `/ipfs/${record.root}?format=car`);
    assert.equal(await metric(node, "twentysix_wrong_contents_total"), 1);
    const file = await fetch(`${node.apiUrl}/ipfs/${record.root}/site/large.bin`);
    assert.ok(Buffer.from(await file.arrayBuffer()).equals(large));
  });
});

interface Gateway extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly string[];
}

/** A trustless gateway that answers everything with one CAR, after a while. */
async function gateway(car: Buffer, afterMs: number): Promise<Gateway> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "application/vnd.ipld.car; version=1");
    setTimeout(() => response.end(car), afterMs);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
