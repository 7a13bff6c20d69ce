import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { messageError } from "@twentysix/protocol";
import type { PriceRequest } from "@twentysix/state";
import { aggregate, evm, post, program, store } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell } from "./support/told.ts";

const owner = evm("payer");
const authority = evm("whose prices hold");
const local = networkDefinition("local");
const definition = {
  ...local,
  authorities: { ...local.authorities, prices: { ...local.authorities.prices, address: authority.address } },
};
const TIME = 1_700_000_000;

/** A node that writes down what its price hook is asked. */
async function askedNode(): Promise<{ node: StateHarness; asked: Map<string, PriceRequest> }> {
  const node = await StateHarness.open(definition);
  const asked = new Map<string, PriceRequest>();
  node.priceCheck = (request) => {
    asked.set(request.message.envelope.itemHash, request);
    return { ok: true };
  };
  return { node, asked };
}

describe("the price hook", () => {
  test("hears the sizes of the files that a message stores or references", async () => {
    const { node, asked } = await askedNode();
    await using _ = node;
    const file = testFile(3);
    await node.hold(file);
    const stored = store(owner, TIME, file.hash);
    const machine = program(owner, TIME + 1, stored.hash);
    assert.deepEqual(await tell(node, stored, machine), ["processed", "processed"]);
    assert.deepEqual(asked.get(stored.hash)?.files, [
      { name: file.hash, fileHash: file.hash, sizeBytes: file.sizeBytes },
    ]);
    const named = { name: stored.hash, fileHash: file.hash, sizeBytes: file.sizeBytes };
    assert.deepEqual(asked.get(machine.hash)?.files, [named, named], "code and runtime");
  });

  test("hears which price list holds, from the authority alone", async () => {
    const { node, asked } = await askedNode();
    await using _ = node;
    const stranger = aggregate(owner, TIME, "pricing", { storage: {} });
    const [one, other] = [testFile(1), testFile(2)];
    await node.hold(one, other);
    const before = store(owner, TIME + 1, one.hash);
    const pricing = aggregate(authority, TIME + 2, "pricing", { storage: {} });
    const after = store(owner, TIME + 3, other.hash);
    await tell(node, stranger, before, pricing, after);
    assert.deepEqual(asked.get(before.hash)?.priceList, { pricing: null, settings: null });
    assert.equal(asked.get(after.hash)?.priceList.pricing?.hash, pricing.hash);
  });

  test("hears when a message was observed: confirmed on a chain, else received", async () => {
    const { node, asked } = await askedNode();
    await using _ = node;
    const [one, other] = [testFile(1), testFile(2)];
    await node.hold(one, other);
    const confirmed = store(owner, TIME, one.hash);
    const received = store(owner, TIME + 1, other.hash);
    const confirmation = { chain: "ETH", txHash: "0x1", height: 7, publisher: "0x2" };
    await node.confirm({ ...confirmation, hash: confirmed.hash, timeMicros: 1_650_000_000_000_000n });
    await tell(node, confirmed);
    const sentMicros = node.nowMicros;
    await tell(node, received);
    assert.equal(asked.get(confirmed.hash)?.observedMicros, 1_650_000_000_000_000n);
    const observed = asked.get(received.hash)?.observedMicros ?? 0n;
    assert.ok(observed >= sentMicros && observed <= node.nowMicros, `${observed}`);
  });

  test("refuses inside the transaction: what it refused leaves nothing behind", async () => {
    const { node } = await askedNode();
    await using _ = node;
    await node.hold(testFile(4));
    const poor = store(owner, TIME, testFile(4).hash);
    node.priceCheck = ({ message }) =>
      message.envelope.type === "STORE"
        ? {
            ok: false,
            error: messageError("BALANCE_INSUFFICIENT", {
              errors: [{ account_balance: "0", required_balance: "1" }],
            }),
          }
        : { ok: true };
    const neighbour = post(owner, TIME + 1, "in the same batch");
    await node.submit(poor.text, neighbour.text);
    await node.settle();
    assert.equal(node.status(neighbour.hash), "processed");
    assert.equal(node.status(poor.hash), "rejected");
    assert.equal(node.view(poor.hash)?.error_code, 5);
  });
});
