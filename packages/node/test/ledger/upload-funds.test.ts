import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { after, describe, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import type { LocalAccount } from "@twentysix/protocol";
import { ContentStore, FileNamer } from "@twentysix/storage";
import { giveCredits, giveTokens } from "../support/funds.ts";
import { writeNetwork } from "../support/network-file.ts";
import { rawAccount, signRaw } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const folder = temporaryFolder("upload-funds");
after(() => folder[Symbol.dispose]());
const MIB = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: {
    readonly status?: string;
    readonly error?: { readonly code?: string | number; readonly details: Record<string, unknown> };
    readonly error_code?: number;
  };
}

type Payment = "credit" | "hold";

async function metadataOf(
  account: LocalAccount,
  fileHash: string,
  payment?: Payment,
  engine = "storage",
): Promise<string> {
  const paid = payment === undefined ? "" : `,"payment":{"chain":"ETH","type":"${payment}"}`;
  const members = `"item_type":"${engine}","item_hash":"${fileHash}"${paid}`;
  const { envelope } = await signRaw({ type: "STORE", account, members, time: String(Date.now() / 1_000) });
  return `{"sync":true,"message":${envelope}}`;
}

/** Uploads a file with the message that stores it, the message first. */
async function upload(
  node: TestNode,
  account: LocalAccount,
  bytes: Uint8Array<ArrayBuffer>,
  payment?: Payment,
): Promise<Answer> {
  const fileHash = createHash("sha256").update(bytes).digest("hex");
  return await send(node, "storage/add_file", await metadataOf(account, fileHash, payment), bytes);
}

async function send(
  node: TestNode,
  route: string,
  metadata: string | null,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Answer> {
  const form = new FormData();
  if (metadata !== null) form.set("metadata", new Blob([metadata]));
  form.set("file", new Blob([bytes]));
  const response = await fetch(`${node.apiUrl}/api/v0/${route}`, { method: "POST", body: form });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

/** The status of an upload that only announces how long it is. */
async function announce(node: TestNode, route: string, sizeBytes: number): Promise<number> {
  const headers = { "content-type": "multipart/form-data; boundary=b", "content-length": sizeBytes };
  return await new Promise((resolve, reject) => {
    const sent = request(`${node.apiUrl}/api/v0/${route}`, { method: "POST", headers }, (response) => {
      resolve(response.statusCode ?? 0);
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}

const bytesOf = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array(size).fill(7);

describe("an upload with its message, where free items do not count", async () => {
  const node = await startTestNode();
  after(() => node.remove());

  test("is free up to the free size, and paid for beyond it", async () => {
    const account = rawAccount("uploads free");
    assert.equal((await upload(node, account, bytesOf(15))).status, 200);
    const large = bytesOf(26 * MIB);
    const refused = await upload(node, account, large);
    assert.equal(refused.status, 402);
    const { required, available, unit } = refused.body.error?.details ?? {};
    // Told from the announced length, before the file is read: at least that much.
    assert.match(String(required), /^8\.66/);
    assert.deepEqual([available, unit], ["0.000000000000000000", "tokens"]);
    await giveTokens(node, { [account.address]: 9 });
    assert.equal((await upload(node, account, large)).status, 200);
  });

  test("is paid for with credits, 25 MiB at least", async () => {
    const account = rawAccount("uploads credits");
    const file = bytesOf(100);
    await giveCredits(node, account.address, 107);
    assert.equal((await upload(node, account, file, "credit")).status, 402);
    await giveCredits(node, account.address, 1);
    assert.equal((await upload(node, account, file, "credit")).status, 200);
  });

  test("is refused before its body is read when the message comes first", async () => {
    const metadata = await metadataOf(rawAccount("uploads poor"), "ab".repeat(32));
    const head = `--b\r\ncontent-disposition: form-data; name="metadata"\r\n\r\n${metadata}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n`;
    const { status, sentBytes } = await new Promise<{ status: number; sentBytes: number }>(
      (resolve, reject) => {
        const sent = request(
          `${node.apiUrl}/api/v0/storage/add_file`,
          {
            method: "POST",
            headers: { "content-type": "multipart/form-data; boundary=b", "content-length": 90 * MIB },
          },
          (response) => {
            response.resume();
            resolve({ status: response.statusCode ?? 0, sentBytes: head.length });
            sent.destroy();
          },
        );
        sent.on("error", reject);
        // Not a byte of the file is sent.
        sent.write(head);
      },
    );
    assert.equal(status, 402);
    assert.ok(sentBytes < 4_096);
  });
});

describe("an upload to IPFS with its message", async () => {
  const node = await startTestNode();
  after(() => node.remove());
  // Of blocks that all differ: a CAR holds a block once.
  const large = new Uint8Array(randomBytes(27 * MIB));

  /** The large file as IPFS names it, and as a CAR. */
  async function named(): Promise<{ root: string; car: Uint8Array<ArrayBuffer> }> {
    using place = temporaryFolder("upload-funds-car");
    await using store = await ContentStore.open({ folder: place.path, timers: createSystemTimers() });
    const { record } = await store.addDirectory([{ path: "large.bin", content: [large] }], 0);
    const car = Buffer.concat(await Array.fromAsync(store.exportCar(record.root)));
    return { root: record.root, car: new Uint8Array(car) };
  }
  const holdsNothing = async (hash: string): Promise<void> => {
    const response = await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`);
    await response.body?.cancel();
    assert.equal(response.status, 404, hash);
  };

  test("is refused where it cannot be paid for, and nothing of it is kept; paid for, it is", async () => {
    const account = rawAccount("uploads to IPFS");
    const file = new FileNamer(["cidV0"]);
    file.update(large);
    const cid = file.finish().cidV0 ?? "";
    const { root, car } = await named();
    const asked: readonly [route: string, hash: string, bytes: Uint8Array<ArrayBuffer>][] = [
      ["ipfs/add_file", cid, large],
      ["ipfs/add_car", root, car],
    ];
    for (const [route, hash, bytes] of asked) {
      const refused = await send(node, route, await metadataOf(account, hash, "hold", "ipfs"), bytes);
      assert.deepEqual([refused.status, refused.body.error?.code], [402, "API_PAYMENT_REQUIRED"], route);
      assert.equal(refused.body.error?.details.unit, "tokens");
      const poor = await send(node, route, await metadataOf(account, hash, "credit", "ipfs"), bytes);
      assert.deepEqual([poor.status, poor.body.error?.details.unit], [402, "credits"], route);
      await holdsNothing(hash);
    }
    await giveTokens(node, { [account.address]: 9.1 });
    const [[route, hash, bytes] = asked[0] ?? assert.fail(), other = assert.fail()] = asked;
    const paid = await send(node, route, await metadataOf(account, hash, "hold", "ipfs"), bytes);
    assert.deepEqual([paid.status, paid.body.status], [200, "success"]);
    // What the first one takes is gone for the second.
    const second = await metadataOf(account, other[1], "hold", "ipfs");
    assert.equal((await send(node, other[0], second, other[2])).status, 402);
    await giveTokens(node, { [account.address]: 18.5 });
    assert.equal((await send(node, other[0], second, other[2])).status, 200);
  });

  test("is refused when it is too large, before a byte of it is read", async () => {
    const GIB = 1024 * MIB;
    assert.equal(await announce(node, "ipfs/add_file", GIB + 2 * MIB), 413);
    assert.equal(await announce(node, "ipfs/add_car", 4 * GIB + 2 * MIB), 413);
    const unsigned = await send(node, "ipfs/add_file", null, bytesOf(25 * MIB + 1));
    assert.deepEqual([unsigned.status, unsigned.body.error?.code], [413, "API_BODY_TOO_LARGE"]);
    assert.equal((await send(node, "ipfs/add_file", null, bytesOf(25 * MIB))).status, 200);
  });
});

describe("an upload with its message, where only credits pay", async () => {
  const start = async (storesDefaultToCredits: boolean): Promise<TestNode> => {
    const network = writeNetwork(folder.path, "local", {
      cutovers: { creditOnlyFromSeconds: 1_700_000_000 },
      switches: { storesDefaultToCredits },
    });
    return await startTestNode({ network });
  };

  test("is charged in credits when it does not say how, where the network has it so", async () => {
    const node = await start(true);
    try {
      const account = rawAccount("uploads default");
      const refused = await upload(node, account, bytesOf(100));
      assert.equal(refused.status, 402);
      const { required, available, unit } = refused.body.error?.details ?? {};
      // The least of 25 MiB for a day.
      assert.deepEqual(
        [required, available, unit],
        ["107.804934183756585600", "0.000000000000000000", "credits"],
      );
      await giveCredits(node, account.address, 108);
      assert.equal((await upload(node, account, bytesOf(100))).status, 200);
    } finally {
      await node.remove();
    }
  });

  test("is refused when it does not say how, or says tokens, where it has it not", async () => {
    const node = await start(false);
    try {
      const account = rawAccount("uploads of tokens");
      await giveTokens(node, { [account.address]: 100 });
      await giveCredits(node, account.address, 1_000);
      for (const payment of [undefined, "hold"] as const) {
        const { status, body } = await upload(node, account, bytesOf(100), payment);
        assert.deepEqual([status, body.status, body.error_code], [422, "error", 202], String(payment));
      }
      assert.equal((await upload(node, account, bytesOf(100), "credit")).status, 200);
    } finally {
      await node.remove();
    }
  });
});

describe("an upload with its message, where everything counts", async () => {
  const network = writeNetwork(folder.path, "local", { switches: { freeItemsUncounted: false } });
  const node = await startTestNode({ network });
  after(() => node.remove());

  test("has no exemption for small files: 15 bytes need the tokens of a whole MiB", async () => {
    const account = rawAccount("uploads counted");
    const refused = await upload(node, account, bytesOf(15));
    assert.equal(refused.status, 402);
    assert.equal(refused.body.error?.details.required, "0.333333333000000000");
    await giveTokens(node, { [account.address]: 1 });
    assert.equal((await upload(node, account, bytesOf(15))).status, 200);
  });
});
