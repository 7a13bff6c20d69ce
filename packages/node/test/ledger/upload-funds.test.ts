import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { after, describe, test } from "node:test";
import type { LocalAccount } from "@twentysix/protocol";
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
  readonly body: { readonly status?: string; readonly error?: { readonly details: Record<string, unknown> } };
}

async function metadataOf(account: LocalAccount, fileHash: string, payment?: "credit"): Promise<string> {
  const paid = payment === undefined ? "" : `,"payment":{"chain":"ETH","type":"${payment}"}`;
  const members = `"item_type":"storage","item_hash":"${fileHash}"${paid}`;
  const { envelope } = await signRaw({ type: "STORE", account, members, time: String(Date.now() / 1_000) });
  return `{"sync":true,"message":${envelope}}`;
}

/** Uploads a file with the message that stores it, the message first. */
async function upload(
  node: TestNode,
  account: LocalAccount,
  bytes: Uint8Array<ArrayBuffer>,
  payment?: "credit",
): Promise<Answer> {
  const fileHash = createHash("sha256").update(bytes).digest("hex");
  const form = new FormData();
  form.set("metadata", new Blob([await metadataOf(account, fileHash, payment)]));
  form.set("file", new Blob([bytes]));
  const response = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: form });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const bytesOf = (size: number, fill = 7): Uint8Array<ArrayBuffer> => new Uint8Array(size).fill(fill);

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
