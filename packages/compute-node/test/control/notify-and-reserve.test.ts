import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { HostRequirements, InstanceContent, Payment } from "@twentysix/protocol";
import { ExecutionError } from "../../src/executions/errors.ts";
import { NODE_HASH, startTestControl, type TestControlOptions } from "../support/test-control.ts";
import { hashOf, instanceContent, instanceMessage, OWNER, programMessage } from "../support/vm-messages.ts";
import { ethWallet } from "../support/wallets.ts";

const FOREVER = new AbortController().signal;
const RECEIVER = "0xAbcdefabcdefabcdefabcdefabcdefabcdefabcd";
const PAYMENT = { receiverAddress: RECEIVER, monitorPeriodMs: 60_000, strikes: 3, minAgreeing: 2 };

function payment(type: Payment["type"], changes: Partial<Payment> = {}) {
  return { payment: { chain: null, receiver: null, type, ...changes } };
}

function forNode(hash: string | null): Pick<InstanceContent, "requirements"> {
  const node = { owner: null, address_regex: null, node_hash: hash, terms_and_conditions: null };
  return { requirements: { cpu: null, gpu: null, node } };
}

const CREDIT_HERE = { ...payment("credit"), ...forNode(NODE_HASH) };

type Control = Awaited<ReturnType<typeof startTestControl>>;
let control: Control;
const opened: Control[] = [];
const open = async (options: TestControlOptions = {}) => {
  control = await startTestControl(options);
  opened.push(control);
};
beforeEach(() => open());
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

describe("an instance is announced to a node", () => {
  function know(name: string, changes: Partial<InstanceContent> = {}): string {
    const message = instanceMessage(name, changes);
    control.network.messages.set(message.itemHash, message);
    return message.itemHash;
  }
  const notify = (instance: unknown) =>
    control.inject({
      method: "POST",
      url: "/control/allocation/notify",
      payload: JSON.stringify({ instance }),
    });
  const refusal = async (vmHash: unknown) => {
    const answer = await notify(vmHash);
    return [answer.statusCode, answer.json().error ?? answer.json()];
  };
  const fund = (credits: bigint) => control.network.funds.set(OWNER, { tokens: "0", credits });
  const SUCCESS = { success: true, successful: true, failing: [], errors: {} };

  test("and started, when its credits last for an hour", async () => {
    const vmHash = know("i", CREDIT_HERE);
    control.network.prices.set(vmHash, { paymentType: "credit", cost: "2.5" });
    fund(8_999n);
    const [status, error] = await refusal(vmHash);
    assert.equal(status, 402);
    assert.match(error, /^Insufficient credits for this instance\. Required: 9000\.00 .*available: 8999\.00/);
    fund(9_000n);
    const answer = await notify(vmHash);
    assert.deepEqual([answer.statusCode, answer.json()], [200, SUCCESS]);
    assert.equal(control.manager.get(vmHash)?.state, "running");
    // Again: nothing changes.
    assert.deepEqual((await notify(vmHash)).json(), SUCCESS);
  });

  test("and its credits are not shown for several instances", async () => {
    const [first, second] = [know("1", CREDIT_HERE), know("2", CREDIT_HERE)];
    for (const hash of [first, second]) {
      control.network.prices.set(hash, { paymentType: "credit", cost: "1.000000000000000000" });
    }
    fund(5_000n);
    assert.equal((await notify(first)).statusCode, 200);
    const [status, error] = await refusal(second);
    assert.equal(status, 402);
    assert.match(error, /Required: 7200\.00 for an hour of 2 machines/);
  });

  test("nor for several that are announced at once", async () => {
    const hashes = ["1", "2", "3", "4"].map((name) => know(name, CREDIT_HERE));
    for (const hash of hashes) control.network.prices.set(hash, { paymentType: "credit", cost: "1" });
    const { network } = control;
    network.balance = async () => {
      for (let turn = 0; turn < 50; turn += 1) await new Promise((next) => setImmediate(next));
      return { tokens: "0", credits: 7_200n };
    };
    const statuses = await Promise.all(hashes.map(async (hash) => (await notify(hash)).statusCode));
    assert.deepEqual(statuses.toSorted(), [200, 200, 402, 402]);
    assert.equal(control.manager.list().length, 2);
    for (const { vmHash } of control.manager.list()) await control.manager.erase(vmHash, null, FOREVER);
    const refused = hashes.filter((_hash, index) => statuses[index] === 402);
    for (const hash of refused)
      assert.equal((await notify(hash)).statusCode, 200, "what has gone claims nothing");
  });

  test("but one that names no node by its scheduler alone: it would run wherever somebody asks", async () => {
    const [free, bound] = [know("i", payment("credit")), know("mine", CREDIT_HERE)];
    fund(1_000n);
    const [early, told] = await refusal(free);
    assert.deepEqual([early, told], [400, "Instance names no node: its scheduler places it"]);
    await control.asScheduler("POST", "/control/allocations", { instances: [free, bound] });
    const gone = control.executions.store.reason("NOT_ALLOCATED", "it runs elsewhere");
    for (const vmHash of [free, bound]) await control.manager.stop(vmHash, gone, FOREVER);
    const [status, error] = await refusal(free);
    assert.equal(status, 409);
    assert.match(error, /its scheduler has taken it away from this node/);
    assert.equal(control.manager.get(free)?.state, "stopped");
    assert.equal(
      (await notify(bound)).statusCode,
      200,
      "its message names this node, and no other may run it",
    );
    await control.asScheduler("POST", "/control/allocations", { instances: [free] });
    assert.equal(control.manager.get(free)?.state, "running");
  });

  test("but not one that is meant for another node, or unknown, or no instance", async () => {
    assert.deepEqual(await refusal(know("i", forNode(hashOf("other")))), [
      400,
      "Instance is allocated to a different node",
    ]);
    const unknown = hashOf("unknown");
    assert.deepEqual(await refusal(unknown), [404, `Hash not found: ${unknown}`]);
    const program = programMessage("p");
    control.network.messages.set(program.itemHash, program);
    assert.deepEqual(await refusal(program.itemHash), [400, "Message is not an instance"]);
    assert.equal((await notify(undefined)).statusCode, 400);
    assert.equal((await notify("x")).statusCode, 400);
    control.network.isReachable = false;
    assert.equal((await notify(know("i"))).statusCode, 503);
  });

  test("a node that does not know its own hash takes nothing that is meant for one", async () => {
    await open({ nodeHash: null });
    const expected = [503, "Node hash not yet discovered, cannot accept targeted allocations"];
    assert.deepEqual(await refusal(know("i", forNode(NODE_HASH))), expected);
  });

  test("one that is held for comes by a scheduler, unless it names this node", async () => {
    assert.deepEqual(await refusal(know("i")), [400, "Invalid payment method"]);
    assert.equal((await notify(know("mine", forNode(NODE_HASH)))).statusCode, 200);
  });

  test("one that does not fit is refused with what is missing", async () => {
    const resources = { vcpus: 64, memory: 512, seconds: 1, published_ports: null };
    const answer = await notify(know("i", { ...CREDIT_HERE, resources }));
    assert.equal(answer.statusCode, 503);
    assert.equal(answer.json().error, "This CRN cannot host the requested instance at this time.");
    assert.match(answer.json().reason, /64 vCPUs required, 16 available/);
  });

  test("a failure of the start is told as older clients read it", async () => {
    const vmHash = know("i", CREDIT_HERE);
    fund(10n);
    control.host.before = async (step) => {
      if (step === "prepare") throw new ExecutionError("IMAGE_DOWNLOAD_FAILED", "no such image");
    };
    const answer = await notify(vmHash);
    assert.equal(answer.statusCode, 503);
    const errors = { [vmHash]: "VmSetupError('IMAGE_DOWNLOAD_FAILED: no such image')" };
    assert.deepEqual(answer.json(), { success: false, successful: false, failing: [vmHash], errors });
  });

  describe("that is paid by a stream", () => {
    const flows = new Map<string, bigint>();
    const streamed = (receiver = RECEIVER, chain: Payment["chain"] = "AVAX") =>
      payment("superfluid", { receiver, chain });
    const wallet = "0x1111111111111111111111111111111111111111";
    const atto = 10n ** 18n;

    beforeEach(async () => {
      flows.clear();
      await open({
        settings: { payment: PAYMENT },
        streams: { chains: ["AVAX"], flow: async (_chain, _sender, receiver) => flows.get(receiver) ?? 0n },
        community: { wallet, sinceSeconds: 0 },
      });
    });
    const price = (vmHash: string, cost: string) =>
      control.network.prices.set(vmHash, { paymentType: "superfluid", cost });

    test("needs four fifths for the node and one for the community", async () => {
      const vmHash = know("i", streamed());
      price(vmHash, "500");
      assert.deepEqual(await refusal(vmHash), [402, "Empty payment stream for this instance"]);
      flows.set(RECEIVER, 399n * atto);
      assert.match(
        String((await refusal(vmHash))[1]),
        /^Insufficient payment stream for this instance\. Required: /,
      );
      flows.set(RECEIVER, 400n * atto);
      assert.match(String((await refusal(vmHash))[1]), /^Insufficient payment stream for community/);
      // What rounding is short of passes.
      flows.set(wallet, 100n * atto - 100_000_000n);
      assert.equal((await notify(vmHash)).statusCode, 200);
    });

    test("is refused on chains that nobody reads, and for others", async () => {
      assert.match(String((await refusal(know("1", streamed(RECEIVER, "BASE"))))[1]), /^Invalid chain BASE/);
      assert.deepEqual(await refusal(know("2", streamed(wallet))), [400, "Message is not for this instance"]);
    });

    test("one stream is not shown for two instances", async () => {
      const [first, second] = [know("1", streamed()), know("2", streamed())];
      for (const hash of [first, second]) price(hash, "500");
      flows.set(RECEIVER, 400n * atto).set(wallet, 100n * atto);
      assert.equal((await notify(first)).statusCode, 200);
      assert.match(String((await refusal(second))[1]), /^Insufficient payment stream/);
    });
  });
});

describe("room is reserved", () => {
  const reserve = (content: InstanceContent, options: object = {}) =>
    control.asOwner("POST", "/control/reserve_resources", { payload: JSON.stringify(content), ...options });
  const mine = (changes: Partial<InstanceContent> = {}) =>
    instanceContent({ address: control.owner.address, ...changes });
  const most = () => mine({ resources: { vcpus: 16, memory: 512, seconds: 1, published_ports: null } });

  test("for a minute, for its owner alone", async () => {
    const answer = await reserve(most());
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.json(), { status: "reserved", expires: "2023-11-14 22:14:20+00:00" });
    const other = ethWallet("other");
    const theirs = { ...most(), address: other.address };
    const refused = await reserve(theirs, { wallet: other });
    assert.equal(refused.statusCode, 503);
    assert.equal(refused.json().error, "This CRN cannot reserve the requested resources at this time.");
    assert.equal((await reserve(most())).statusCode, 200);
    await control.time.advance(60_001);
    assert.equal((await reserve(theirs, { wallet: other })).statusCode, 200);
  });

  test("by who may act for the owner", async () => {
    assert.equal((await reserve({ ...most(), address: OWNER })).statusCode, 403);
    control.network.aggregates.set(`${OWNER} security`, {
      authorizations: [{ address: control.owner.address, types: ["INSTANCE"] }],
    });
    assert.equal((await reserve({ ...most(), address: OWNER })).statusCode, 200);
  });

  test("but not for what this node does not have", async () => {
    const gpu = [
      { vendor: "NVIDIA", device_name: "H100", device_class: "0302", device_id: "10de:2330" },
    ] as const;
    const node = { owner: null, address_regex: null, node_hash: NODE_HASH, terms_and_conditions: null };
    const requirements: HostRequirements = { cpu: null, gpu, node };
    const answer = await reserve(mine({ requirements, ...payment("credit") }));
    assert.equal(answer.statusCode, 400);
    assert.deepEqual(
      [answer.json().status, answer.json().error],
      ["error", "Failed to reserves all resources"],
    );
    assert.match(answer.json().reason, /10de:2330/);
  });

  test("for a content that is one", async () => {
    const noJson = await control.asOwner("POST", "/control/reserve_resources", { payload: "{" });
    assert.deepEqual([noJson.statusCode, noJson.json()], [400, { error: "Body is not valid JSON" }]);
    const wrong = await control.asOwner("POST", "/control/reserve_resources", { payload: "{}" });
    assert.equal(wrong.statusCode, 400);
    // The reference encodes the list of problems twice.
    assert.ok(Array.isArray(JSON.parse(wrong.json())));
  });
});
