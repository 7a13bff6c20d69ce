import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connected, testPeer } from "./support/test-network.ts";

describe("gossip", { timeout: 60_000 }, () => {
  test("reaches everyone along a chain of peers, each of which passes on what it accepts", async () => {
    await using first = await testPeer();
    await using second = await testPeer({ bootstrap: [first.address] });
    await using third = await testPeer({ bootstrap: [second.address] });
    await Promise.all([connected(first, 1), connected(second, 2), connected(third, 1)]);
    const text = '{"percent":"100%25 %20 ü"}';
    await Promise.all([first.network.publish(text), second.hears(text), third.hears(text)]);
    assert.deepEqual([first.heard, second.heard, third.heard], [[], [text], [text]]);
  });

  test("stops at a peer that does not accept", async () => {
    await using first = await testPeer();
    await using second = await testPeer({ bootstrap: [first.address] });
    await using third = await testPeer({ bootstrap: [second.address] });
    await Promise.all([connected(first, 1), connected(second, 2), connected(third, 1)]);
    second.verdict = "ignore";
    await Promise.all([first.network.publish("withheld"), second.hears("withheld")]);
    second.verdict = "accept";
    // What comes after it on the same way shows that the other one did not come.
    await Promise.all([first.network.publish("passed on"), third.hears("passed on")]);
    assert.deepEqual(third.heard, ["passed on"]);
  });

  test("says honestly that nobody was there, tells whoever comes then, and refuses what fits into no frame", async () => {
    await using alone = await testPeer();
    assert.deepEqual(await alone.network.publish("into the void"), { recipients: 0 });
    await using late = await testPeer({ bootstrap: [alone.address] });
    await late.hears("into the void");
    await assert.rejects(alone.network.publish("%".repeat(100_000)), { code: "NETWORK_FRAME_TOO_LARGE" });
  });
});

describe("links", { timeout: 60_000 }, () => {
  test("that broke are mended within two seconds, and peers are found again after a restart", async () => {
    const first = await testPeer();
    await using second = await testPeer({ bootstrap: [first.address] });
    await connected(second, 1);
    const listen = [first.address.replace(/\/p2p\/.*$/, "")];
    const { peerId } = first.network;
    await first.network.close();
    await connected(second, 0);
    await using again = await testPeer({ listen, bootstrap: [second.address] });
    assert.notEqual(again.network.peerId, peerId, "another peer at the same address");
    await connected(second, 1);
    assert.deepEqual(second.network.peers(), [again.network.peerId]);
  });

  test("are refused to denied peers, whoever calls", async () => {
    const { denyListOf } = await import("../src/index.ts");
    await using first = await testPeer({ denied: denyListOf(["127.0.0.0/8"]) });
    await using second = await testPeer({ bootstrap: [first.address] });
    await using third = await testPeer({ bootstrap: [second.address] });
    await connected(third, 1);
    assert.deepEqual(first.network.peers(), []);
  });
});
