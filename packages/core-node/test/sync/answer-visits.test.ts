import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf, framesOf } from "@twentysix/network/reconcile";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createVirtualTime } from "@twentysix/platform";
import { VisitAnswers, type VisitAnswersOptions } from "../../src/sync/answer-visits.ts";
import { ANSWER, REQUEST, SYNC_PROTOCOL, writeHello } from "../../src/sync/sync-protocol.ts";

const never = new AbortController().signal;

test("visitors who stay and ask nothing leave their places when others come", async () => {
  const network = new MemoryNetwork();
  const { clock, timers, advance } = createVirtualTime();
  // Nobody of these gets so far that something is read.
  const answers = new VisitAnswers({
    identity: { network: "this one", trees: "as here" },
    clock,
    timers,
    signal: never,
  } as unknown as VisitAnswersOptions);
  network.peer("node").streams.handle(SYNC_PROTOCOL, answers.answer);
  const open = (name: string) => {
    network.peer(name);
    network.connect("node", name);
    return network.peer(name).streams.open("node", SYNC_PROTOCOL, never);
  };
  for (let index = 0; index < 16; index += 1) await open(`idle ${index}`);
  /** What a visitor is told who has a place: that he is of another network. */
  const visit = async (name: string): Promise<string> => {
    const stream = await open(name);
    const hello = writeHello({ network: "another", trees: "as here", salt: Buffer.alloc(16) });
    await stream.send(frameOf(Buffer.concat([Buffer.of(REQUEST.hello), hello])));
    const [answer = Buffer.alloc(1)] = await Array.fromAsync(framesOf(stream.source, 1_000));
    assert.equal(answer[0], ANSWER.refused);
    return Buffer.from(answer.subarray(1)).toString();
  };
  assert.match(await visit("early"), /too many visits/);
  await advance(10_000);
  for (const name of ["one", "two", "three"]) assert.match(await visit(name), /another network/);
});
