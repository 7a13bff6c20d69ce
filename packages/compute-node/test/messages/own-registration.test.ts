import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import { OwnRegistration } from "../../src/messages/own-registration.ts";
import { hashOf } from "../support/vm-messages.ts";

const signal = AbortSignal.timeout(10_000);
const TERMS = hashOf("terms");

test("a node knows the terms that its owner announces, and whatever is malformed for none", async () => {
  let nodes: unknown = null;
  const registration = new OwnRegistration({
    registry: { address: "0xregistry", key: "corechannel" },
    nodeHash: () => hashOf("own"),
    coreNodes: { aggregate: async () => ({ resource_nodes: nodes }) as JsonObject },
    timers: createSystemTimers(),
    log: createMemoryLogger(),
  });
  assert.equal(registration.termsAndConditions, null);
  nodes = [
    null,
    { hash: hashOf("other"), terms_and_conditions: hashOf("others") },
    { hash: hashOf("own"), terms_and_conditions: TERMS },
  ];
  await registration.read(signal);
  assert.equal(registration.termsAndConditions, TERMS);
  for (const odd of [{}, "x", [{ hash: hashOf("own"), terms_and_conditions: 7 }], []]) {
    nodes = odd;
    await registration.read(signal);
    assert.equal(registration.termsAndConditions, null);
  }
});
