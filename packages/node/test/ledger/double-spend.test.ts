import assert from "node:assert/strict";
import { after, test } from "node:test";
import { giveCredits, giveTokens } from "../support/funds.ts";
import { CREDITS_EACH, FUNDED, MACHINES, submitMachines, TOKENS_EACH } from "../support/machines-at-once.ts";
import { rawAccount } from "../support/raw-messages.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());

const EXPECTED = { processed: FUNDED, rejected: MACHINES - FUNDED };

test("200 messages at once from an account with tokens for 50 end with exactly 50 accepted", async () => {
  await giveTokens(node, { [rawAccount("holder").address]: FUNDED * TOKENS_EACH + TOKENS_EACH - 1 });
  assert.deepEqual((await submitMachines(node, "holder", "hold")).ends, EXPECTED);
});

test("and so with credits", async () => {
  await giveCredits(node, rawAccount("credited").address, FUNDED * CREDITS_EACH);
  assert.deepEqual((await submitMachines(node, "credited", "credit")).ends, EXPECTED);
});
