import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import { GossipIntake } from "../../src/peers/gossip-intake.ts";
import { startRealNode } from "../api/support/real-node.ts";

const PEER = "a peer";

test("a genuine message is passed on once, however often it is written anew", async (t) => {
  const { pipeline, sign } = await startRealNode(t);
  const time = createVirtualTime();
  const intake = new GossipIntake({ pipeline, clock: time.clock, log: createMemoryLogger() });
  const { text } = await sign({ type: "POST", members: '"type": "note", "content": {}' });

  const forged = text.replace(/"signature": ?"0x..../, '"signature":"0xbad0');
  assert.notEqual(forged, text);
  assert.equal(await intake.judge([forged], PEER), "reject");
  assert.equal(await intake.judge([text], PEER), "accept", "a forged copy holds the real one up");
  assert.equal(await intake.judge([`${text}  `], PEER), "ignore");
  assert.equal(await intake.judge([JSON.stringify(JSON.parse(text), null, 2)], "another peer"), "ignore");

  await time.advance(3_600_000);
  assert.equal(await intake.judge([text], PEER), "accept", "whoever missed it long ago may need it now");
});
