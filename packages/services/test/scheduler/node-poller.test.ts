import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryLogger, createSystemRandom, createSystemTimers, raceAbort } from "@twentysix/platform";
import type { NodeAnswer, NodeCall } from "../../src/scheduler/http/node-client.ts";
import { NodePoller } from "../../src/scheduler/inputs/node-poller.ts";
import { ObservationIntake } from "../../src/scheduler/inputs/observation-intake.ts";
import { defaultSchedulerSettings } from "../../src/scheduler/settings.ts";
import { Liveness } from "../../src/scheduler/state/liveness.ts";
import { hash, planNode } from "./support/plan-inputs.ts";
import { memoryStore, nodeRecord } from "./support/state.ts";

describe("the polls of nodes", () => {
  test("go on for those that run machines while any number of strangers lets its polls hang", async () => {
    const lists = Promise.withResolvers<void>();
    let asked = 0;
    await using polls = startPolls({
      labels: ["good", ...strangers(40)],
      answer: (call) => {
        if (call.nodeHash !== hash("good")) return raceAbort(new Promise<never>(() => {}), call.signal);
        if (call.route.endsWith("executions/list") && ++asked === 4) lists.resolve();
        return Promise.resolve(json({}));
      },
    });
    await lists.promise;
    assert.ok(polls.poller.isComplete);
  });

  test("hold up no decision for a node that came later", async () => {
    const seen = Promise.withResolvers<void>();
    await using polls = startPolls({
      labels: ["good"],
      answer: (call) => {
        if (call.nodeHash !== hash("good")) return raceAbort(new Promise<never>(() => {}), call.signal);
        if (call.route.endsWith("executions/list")) seen.resolve();
        return Promise.resolve(json({}));
      },
    });
    await seen.promise;
    while (!polls.poller.isComplete) await polls.timers.sleep(5);
    polls.store.change((changes) => changes.putNode(nodeRecord(planNode("late"), { isPolled: false })));
    assert.ok(polls.poller.isComplete);
  });

  test("take new machines in together with the room that they left", async () => {
    const second = Promise.withResolvers<void>();
    let lists = 0;
    let vcpus = 8;
    await using polls = startPolls({
      labels: ["good"],
      answer: ({ route }) => {
        if (route === "/about/usage/system") return Promise.resolve(json({ cpu: { count: vcpus } }));
        if (!route.endsWith("executions/list")) return Promise.resolve(json({}));
        lists += 1;
        if (lists === 2) vcpus = 6;
        if (lists === 3) second.resolve();
        return Promise.resolve(json(lists === 1 ? {} : { [hash("vm")]: { running: true } }));
      },
    });
    await second.promise;
    const node = polls.store.nodes.get(hash("good"));
    assert.deepEqual(Object.keys(node?.observations ?? {}), [hash("vm")]);
    assert.equal(node?.report?.vcpus, 6);
  });

  test("end with what they should not meet, instead of the whole process", async () => {
    const polls = startPolls({
      labels: ["good"],
      answer: () => Promise.reject(new Error("a disk that is full")),
    });
    await assert.rejects(polls.ended, /disk that is full/);
  });
});

const strangers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `stranger${index}`);

const json = (value: unknown): NodeAnswer => ({ status: 200, json: value, text: JSON.stringify(value) });

function startPolls({
  labels,
  answer,
}: {
  readonly labels: readonly string[];
  readonly answer: (call: NodeCall) => Promise<NodeAnswer>;
}) {
  const nowMs = (): number => Date.now();
  const store = memoryStore(nowMs);
  const timers = createSystemTimers();
  const liveness = new Liveness(nowMs());
  store.change((changes) => {
    for (const label of labels.toReversed()) {
      const isLinked = !label.startsWith("stranger");
      const node = planNode(label);
      changes.putNode(nodeRecord({ ...node, registration: { ...node.registration, isLinked } }));
    }
  });
  const nothing = (): void => {};
  const poller = new NodePoller({
    store,
    liveness,
    intake: new ObservationIntake(store, liveness, 600_000, nowMs),
    client: { call: answer },
    settings: { ...defaultSchedulerSettings, maxPolls: 8, heartbeatPeriodMs: 10 },
    timers,
    random: createSystemRandom(),
    nowMs,
    log: createMemoryLogger(),
    onChange: nothing,
    onSilent: nothing,
    onBack: nothing,
  });
  const closing = new AbortController();
  const ended = poller.run(closing.signal);
  return {
    store,
    poller,
    timers,
    ended,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await ended;
    },
  };
}
