import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InstanceContent, Payment } from "@twentysix/protocol";
import { PaymentMonitor } from "../../src/payments/payment-monitor.ts";
import type { CommunityShare } from "../../src/payments/streams.ts";
import { streamDues } from "../../src/payments/streams.ts";
import { FakeHost } from "../support/fake-host.ts";
import { KnownNetwork } from "../support/test-control.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { instanceMessage, OWNER } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const RECEIVER = "0xreceiver";
const WALLET = "0xcommunity";
const ATTO = 10n ** 18n;

async function open(options: { community?: CommunityShare; coreNodes?: number } = {}) {
  const host = new FakeHost();
  const executions = openTestExecutions(host);
  const { manager, store, contact, time, log } = executions;
  const network = new KnownNetwork();
  network.neededAnswers = Math.min(2, options.coreNodes ?? 1);
  const flows = new Map<string, bigint>();
  let isChainReadable = true;
  const monitor = new PaymentMonitor({
    executions: manager,
    store,
    coreNodes: network,
    streams: {
      chains: ["AVAX"],
      flow: async (_chain, _sender, receiver) => {
        if (!isChainReadable) throw new Error("the chain does not answer");
        return flows.get(receiver) ?? 0n;
      },
    },
    community: async () => options.community ?? null,
    receiverAddress: RECEIVER,
    hasContact: (execution) => contact.isFreshFor(execution),
    settings: { receiverAddress: RECEIVER, monitorPeriodMs: 60_000, strikes: 3, minAgreeing: 2 },
    timers: time.timers,
    nowMs: () => Number(time.clock.nowMicros() / 1_000n),
    log,
  });
  return {
    monitor,
    manager,
    network,
    flows,
    time,
    host,
    setChainReadable: (value: boolean) => {
      isChainReadable = value;
    },
    async run(name: string, cost: string, payment: Partial<Payment>, changes: Partial<InstanceContent> = {}) {
      const message = instanceMessage(name, {
        payment: { chain: null, receiver: null, type: "hold", ...payment },
        ...changes,
      });
      network.messages.set(message.itemHash, message);
      const paymentType = message.content.payment?.type ?? "hold";
      network.prices.set(message.itemHash, { paymentType, cost });
      await manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
      await time.advance(1);
      return message.itemHash;
    },
    async rounds(count: number, hasContact = true) {
      for (let round = 0; round < count; round += 1) {
        if (hasContact) contact.note("core-node");
        await monitor.round(FOREVER);
        await time.advance(60_000);
      }
    },
    state: (vmHash: string) => manager.get(vmHash)?.state,
  };
}

describe("a message that is gone", () => {
  test("stops its machine after three rounds that say so, and keeps the disks", async () => {
    const { run, rounds, network, state, manager, host, monitor } = await open();
    const vmHash = await run("a", "1", {});
    network.statusesOf.set(vmHash, ["removing"]);
    await rounds(5);
    assert.equal(state(vmHash), "running");
    network.statusesOf.set(vmHash, ["removed"]);
    assert.equal(monitor.figures().goneMessages, 0);
    await rounds(2);
    assert.equal(state(vmHash), "running");
    assert.deepEqual([monitor.figures().goneMessages, monitor.figures().stops], [1, 0]);
    network.statusesOf.set(vmHash, ["processed"]);
    await rounds(1);
    network.statusesOf.set(vmHash, ["removed"]);
    await rounds(2);
    assert.equal(state(vmHash), "running", "the strikes began anew");
    await rounds(1);
    assert.equal(state(vmHash), "stopped");
    assert.equal(manager.get(vmHash)?.reason?.code, "MESSAGE_REMOVED");
    assert.equal(monitor.figures().stops, 1);
    assert.ok(host.disks.has(vmHash));
  });

  test("that was forgotten takes the disks with it", async () => {
    const { run, rounds, network, manager, host } = await open();
    const vmHash = await run("a", "1", {});
    network.statusesOf.set(vmHash, ["forgotten"]);
    await rounds(3);
    assert.equal(manager.get(vmHash), null);
    assert.equal(host.disks.size, 0);
  });

  test("is found within minutes on a node with many machines, also while a core node is silent", async () => {
    const { run, network, time, monitor } = await open();
    for (let index = 0; index < 16; index += 1) await run(String(index), "1", {});
    let [asked, most] = [0, 0];
    network.statuses = async () => {
      asked += 1;
      most = Math.max(most, asked);
      await time.timers.sleep(30_000);
      asked -= 1;
      return ["processed"];
    };
    let isOver = false;
    const round = monitor.round(FOREVER).then(() => {
      isOver = true;
    });
    for (let step = 0; step < 2; step += 1) await time.advance(30_000);
    assert.ok(isOver);
    assert.equal(most, 8, "core nodes are not asked everything at once");
    await round;
  });

  test("is not believed from one core node alone, nor when they disagree, nor when none answers", async () => {
    const { run, rounds, network, state } = await open({ coreNodes: 3 });
    const vmHash = await run("a", "1", {});
    for (const statuses of [["removed"], ["removed", "processed"], []]) {
      network.statusesOf.set(vmHash, statuses);
      await rounds(4);
      assert.equal(state(vmHash), "running", statuses.join());
    }
    network.statusesOf.set(vmHash, ["removed", "removed"]);
    await rounds(3);
    assert.equal(state(vmHash), "stopped");
  });
});

describe("credits", () => {
  const CREDIT = { type: "credit" } as const;

  test("that end stop the newest machine first, and start it again when there are enough", async () => {
    const { run, rounds, network, state, manager } = await open();
    const first = await run("1", "1", CREDIT);
    const second = await run("2", "1", CREDIT);
    network.funds.set(OWNER, { tokens: "0", credits: 120n });
    await rounds(4);
    assert.deepEqual([state(first), state(second)], ["running", "running"]);
    network.funds.set(OWNER, { tokens: "0", credits: 119n });
    await rounds(2);
    assert.equal(state(second), "running", "two rounds are a grace");
    await rounds(1);
    assert.deepEqual([state(first), state(second)], ["running", "stopped"]);
    assert.match(manager.get(second)?.reason?.text ?? "", /can pay for 1 of 2 machines/);
    network.funds.set(OWNER, { tokens: "0", credits: 7_199n });
    await rounds(1);
    assert.equal(state(second), "stopped", "less than an hour of both");
    network.funds.set(OWNER, { tokens: "0", credits: 7_200n });
    await rounds(1);
    assert.equal(state(second), "running");
  });

  test("are compared with the least that core nodes ask for: one of them may be wrong", async () => {
    const { run, rounds, network, state, manager } = await open({ coreNodes: 2 });
    const vmHash = await run("a", "1", CREDIT);
    const [fair, dear] = ["1", "1000000"].map((cost) => ({ paymentType: "credit", cost }) as const);
    network.balances = async () => [1n, 2n].map(() => ({ tokens: "0", credits: 100n }));
    network.pricesOf.set(vmHash, [dear, fair] as never);
    await rounds(4);
    assert.equal(state(vmHash), "running");
    network.pricesOf.set(vmHash, [dear, dear] as never);
    await rounds(2);
    let release = (): void => {};
    const backup = manager.exclusively(vmHash, "backup", () => new Promise<void>((end) => (release = end)));
    await rounds(1);
    assert.equal(state(vmHash), "running", "something else is done to it");
    release();
    await backup;
    await rounds(1);
    assert.equal(state(vmHash), "stopped", "as soon as it may be");
  });

  test("of others do not count, and machines that are held for are left to the network", async () => {
    const { run, rounds, state } = await open();
    const held = await run("held", "1000000", {});
    const credited = await run("credited", "1", CREDIT, { address: "0xother" });
    await rounds(3);
    assert.deepEqual([state(held), state(credited)], ["running", "stopped"]);
  });
});

describe("streams", () => {
  const STREAM = { type: "superfluid", chain: "AVAX", receiver: RECEIVER } as const;
  const community = { wallet: WALLET, sinceSeconds: 0 };

  test("are due as the reference's test points say", () => {
    const startedAtMs = 1_700_000_000_000;
    const machine = { cost: "500", startedAtMs };
    const due = streamDues([machine], community, startedAtMs);
    assert.deepEqual([due.nodeAtto, due.communityAtto], [400n * ATTO, 100n * ATTO]);
    const later = { wallet: WALLET, sinceSeconds: 1_700_000_001 };
    assert.deepEqual(streamDues([machine], later, startedAtMs).nodeAtto, 500n * ATTO);
    assert.deepEqual(streamDues([machine], null, startedAtMs).communityAtto, 0n);
    const odd = streamDues([{ cost: "0.000000000000000007", startedAtMs }], community, startedAtMs);
    assert.deepEqual([odd.nodeAtto, odd.communityAtto], [5n, 1n]);
  });

  test("that are large enough keep machines running", async () => {
    const { run, rounds, flows, state } = await open({ community });
    const vmHash = await run("a", "500", STREAM);
    flows.set(RECEIVER, 400n * ATTO).set(WALLET, 100n * ATTO);
    await rounds(4);
    assert.equal(state(vmHash), "running");
  });

  test("that are too small stop them, also where only the community's is", async () => {
    for (const [node, shared] of [
      [2n, 100n],
      [400n, 0n],
    ] as const) {
      const { run, rounds, flows, state } = await open({ community });
      const vmHash = await run("a", "5", STREAM);
      flows.set(RECEIVER, node * ATTO).set(WALLET, shared * ATTO);
      await rounds(3);
      assert.equal(state(vmHash), "stopped", `${node} ${shared}`);
    }
  });

  test("that are enough for one of two stop the newer one", async () => {
    const { run, rounds, flows, state } = await open({ community });
    const first = await run("1", "500", STREAM);
    const second = await run("2", "500", STREAM);
    flows.set(RECEIVER, 400n * ATTO).set(WALLET, 100n * ATTO);
    await rounds(3);
    assert.deepEqual([state(first), state(second)], ["running", "stopped"]);
  });

  test("that flow again start them again, the oldest first, when they are enough for it too", async () => {
    const { run, rounds, flows, state } = await open({ community });
    const [first, second] = [await run("1", "500", STREAM), await run("2", "500", STREAM)];
    await rounds(3);
    assert.deepEqual([state(first), state(second)], ["stopped", "stopped"]);
    flows.set(RECEIVER, 400n * ATTO);
    await rounds(2);
    assert.deepEqual([state(first), state(second)], ["stopped", "stopped"], "the community's is missing");
    flows.set(WALLET, 100n * ATTO);
    await rounds(2, false);
    assert.equal(state(first), "stopped", "others may have started it meanwhile");
    await rounds(2);
    assert.deepEqual([state(first), state(second)], ["running", "stopped"]);
    flows.set(RECEIVER, 800n * ATTO).set(WALLET, 200n * ATTO);
    await rounds(1);
    assert.deepEqual([state(first), state(second)], ["running", "running"]);
  });

  test("of a chain that does not answer stop nothing", async () => {
    const { run, rounds, state, setChainReadable } = await open({ community });
    const vmHash = await run("a", "500", STREAM);
    setChainReadable(false);
    await rounds(10);
    assert.equal(state(vmHash), "running");
  });
});
