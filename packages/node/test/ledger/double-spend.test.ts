import assert from "node:assert/strict";
import { after, test } from "node:test";
import { giveCredits, giveTokens } from "../support/funds.ts";
import { post, rawAccount, signRaw } from "../support/raw-messages.ts";
import { evmAccount, sdkClient } from "../support/sdk-client.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());

const client = sdkClient(node);
const MACHINES = 200;
const FUNDED = 50;

/** The STORE of a small file, which machines start from. */
async function image(): Promise<string> {
  const file = new TextEncoder().encode("an image to start from");
  const { itemHash } = await client.storeFile({ account: evmAccount("image"), file, sync: true });
  return itemHash;
}

/** Submits machines all at once; how many ended with each status. */
async function submitAll(label: string, payment: "hold" | "credit"): Promise<Record<string, number>> {
  const account = rawAccount(label);
  const rootfs = await image();
  const signed = await Promise.all(
    Array.from({ length: MACHINES }, async (_, index) => {
      const parent = { ref: rootfs, use_latest: false };
      const content = {
        allow_amend: false,
        environment: {},
        resources: { vcpus: 1, memory: 2048 },
        rootfs: { parent, persistence: "host", size_mib: 20480 },
        volumes: [],
        payment: { chain: "ETH", type: payment },
      };
      const members = JSON.stringify(content).slice(1, -1);
      return await signRaw({ type: "INSTANCE", account, members, time: String(1_790_000_000 + index) });
    }),
  );
  const ends: Record<string, number> = {};
  await Promise.all(
    signed.map(async ({ envelope }) => {
      const { text } = await post(node, "/api/v0/messages", `{"sync":true,"message":${envelope}}`);
      const { message_status: status } = JSON.parse(text) as { message_status: string };
      ends[status] = (ends[status] ?? 0) + 1;
    }),
  );
  return ends;
}

test("200 messages at once from an account with tokens for 50 end with exactly 50 accepted", async () => {
  await giveTokens(node, { [rawAccount("holder").address]: FUNDED * 1000 + 999 });
  assert.deepEqual(await submitAll("holder", "hold"), { processed: FUNDED, rejected: MACHINES - FUNDED });
});

test("and so with credits", async () => {
  await giveCredits(node, rawAccount("credited").address, FUNDED * 342_000);
  assert.deepEqual(await submitAll("credited", "credit"), { processed: FUNDED, rejected: MACHINES - FUNDED });
});
