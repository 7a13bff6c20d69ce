import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { formatIsoZ, type NetworkDefinition } from "@twentysix/protocol";
import {
  balancePost,
  distribution,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  priceListOf,
} from "../ledger/support/ledger-node.ts";
import { fileOf, instanceOf, storeOf } from "../ledger/support/paid-messages.ts";
import { apart, evm, forget, type Signed, signed } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import { amountsOf, explain } from "./support/explained.ts";
import { apiOver } from "./support/harness-api.ts";
import type { TestApi } from "./support/start-api.ts";

const T = 1_790_000_000;
const owner = evm("who was refused");
const image = evm("who made the image");

async function nodeAtStart(definition: NetworkDefinition): Promise<StateHarness> {
  const node = await ledgerNode(definition);
  node.nowMicros = BigInt(T + 20) * 1_000_000n;
  return node;
}

/** The list of the network with another price for holding a MiB of a file. */
function storageAt(definition: NetworkDefinition, holding: string): object {
  const { storage } = definition.pricing;
  const price = { ...storage?.price, storage: { ...storage?.price.storage, holding } };
  return { ...definition.pricing, storage: { ...storage, price } };
}

/** Refused copies are kept in two ways: to be woken, or for good. */
for (const canonicalOrder of [true, false]) {
  describe(`a refusal that is kept ${canonicalOrder ? "to be judged again" : "for good"}`, () => {
    const definition = ledgerNetwork("local", { canonicalOrder });

    test("is told by the list and the funds of then, and beside it by those of now", async (t) => {
      await using node = await nodeAtStart(definition);
      await outcomes(node, balancePost(T, { [owner.address]: 15 }));
      const small = await storeOf(node, owner, T + 1, 30);
      const large = await storeOf(node, owner, T + 2, 50);
      assert.deepEqual(await outcomes(node, small, large), ["processed", "rejected"]);
      const judgedAt = node.nowMicros;
      const api = await apiOver(t, node, definition);
      const before = await explain(api, large.hash);
      assert.equal(before.now?.is_same_list, true);
      assert.equal(before.now?.accepted, false);
      await outcomes(
        node,
        forget(owner, T + 5, [small.hash]),
        priceListOf(T + 6, storageAt(definition, "0.5")),
      );
      const explained = await explain(api, large.hash);
      assert.equal(explained.rule.name, "BALANCE_INSUFFICIENT");
      assert.equal(explained.inputs.judged_at, formatIsoZ(judgedAt));
      assert.equal(explained.inputs.payment_rule, "funds-missing");
      assert.equal(explained.inputs.price_list, before.inputs.price_list);
      assert.deepEqual(explained.inputs.account, before.inputs.account);
      assert.deepEqual(explained.arithmetic, before.arithmetic);
      assert.deepEqual(amountsOf(explained), {
        STORAGE: "16.666666650000000000",
        TOTAL: "16.666666650000000000",
        COMMITTED: "9.999999990000000000",
        ADDED: "16.666666650000000000",
        REQUIRED: "26.666666640000000000",
        AVAILABLE: "15.000000000000000000",
        SHORT: "11.666666640000000000",
      });
      const { now } = explained;
      assert.ok(now);
      assert.deepEqual([now.accepted, now.rule.name, now.is_same_list], [false, "funds-missing", false]);
      assert.notEqual(now.price_list, explained.inputs.price_list);
      assert.deepEqual(amountsOf(now), {
        STORAGE: "25.000000000000000000",
        TOTAL: "25.000000000000000000",
        COMMITTED: "0.000000000000000000",
        ADDED: "25.000000000000000000",
        REQUIRED: "25.000000000000000000",
        AVAILABLE: "15.000000000000000000",
        SHORT: "10.000000000000000000",
      });
      assert.deepEqual(now.differences, [
        { path: "pricing.storage.price.storage.holding", before: "0.333333333", now: "0.5" },
      ]);
      assert.ok(explained.changes.includes("at least 10.000000000000000000 tokens more are needed"));
    });

    test("lists the files that were looked at, though they are gone by now", async (t) => {
      await using node = await nodeAtStart(definition);
      const rootfs = await storeOf(node, image, T - 5, 2);
      const machine = instanceOf(owner, T + 1, rootfs.hash, { payment: "credit" });
      assert.deepEqual(await outcomes(node, rootfs, machine), ["processed", "rejected"]);
      await outcomes(node, forget(image, T + 5, [rootfs.hash]));
      const api = await apiOver(t, node, definition);
      const explained = await explain(api, machine.hash);
      assert.deepEqual(explained.inputs.files, [
        {
          name: rootfs.hash,
          used_as: "rootfs",
          file_hash: fileOf(2, `${image.address} ${T - 5}`).hash,
          size: 2_097_152,
          resolved: true,
          billed_mib: null,
        },
      ]);
      assert.equal(amountsOf(explained).SHORT, "341999.999999999999971200");
    });

    test("of a file that is gone by now is judged again by the size of then, and says that it is gone", async (t) => {
      await using node = await nodeAtStart(definition);
      const file = fileOf(50, "gone");
      await node.holdForGrace(file);
      const message = signed(owner, "STORE", T + 1, { item_type: "storage", item_hash: file.hash });
      assert.deepEqual(await outcomes(node, message), ["rejected"]);
      node.nowMicros += 90_000_000_000n;
      assert.equal(node.store.collectFiles(node.nowMicros, 64), 1);
      const api = await apiOver(t, node, definition);
      const poor = await explain(api, message.hash);
      assert.equal(poor.inputs.files?.[0]?.size, file.sizeBytes);
      const files = poor.now?.inputs.files as readonly { resolved: boolean; billed_mib: string }[];
      assert.deepEqual([files[0]?.resolved, files[0]?.billed_mib], [false, "50"]);
      assert.equal(poor.now && amountsOf(poor.now).TOTAL, "16.666666650000000000");
      assert.equal(poor.now?.accepted, false);
      await outcomes(node, balancePost(T + 100_000, { [owner.address]: 20 }));
      const rich = await explain(api, message.hash);
      assert.equal(rich.now?.accepted, true);
      assert.equal(
        rich.changes[0],
        "it would be accepted now: upload or publish again what now.inputs.files does not resolve, and submit it again",
      );
    });

    test("of a content that is not inline is judged again from the file of the node", async (t) => {
      await using node = await nodeAtStart(definition);
      const rootfs = await storeOf(node, image, T - 5, 1);
      await outcomes(node, rootfs);
      const { envelope: message, content } = apart(
        instanceOf(owner, T + 1, rootfs.hash, { payment: "credit" }),
      );
      await node.upload(content);
      assert.deepEqual(await outcomes(node, message), ["rejected"]);
      const api = await apiOver(t, node, definition);
      const without = await explain(api, message.hash);
      assert.equal(amountsOf(without).TOTAL, "3.958333333333333333", "what was looked at was kept");
      assert.equal(without.now, null, "its content is not here any more");
      await keepFile(api, message.hash, content);
      await outcomes(node, distribution(T + 5, { address: owner.address, amount: 400_000 }));
      const explained = await explain(api, message.hash);
      assert.ok(explained.now);
      assert.equal(explained.now.accepted, true);
      assert.equal(amountsOf(explained.now).TOTAL, "3.958333333333333333");
      assert.equal(amountsOf(explained.now).AVAILABLE, "400000.000000000000000000");
      assert.equal(amountsOf(explained).AVAILABLE, "0.000000000000000000");
    });

    test("for want of a price names the list that had none", async (t) => {
      await using node = await nodeAtStart(definition);
      const rootfs = await storeOf(node, image, T - 5, 1);
      const machine = gpuMachine(rootfs.hash);
      assert.deepEqual(await outcomes(node, rootfs, machine), ["processed", "rejected"]);
      const api = await apiOver(t, node, definition);
      const explained = await explain(api, machine.hash);
      assert.equal(explained.rule.name, "INVALID_FORMAT");
      assert.match(String(explained.inputs.price_list), /^[0-9a-f]{64}$/);
      assert.match(String(explained.inputs.unpriced), /ffff:ffff/);
      assert.equal(explained.now?.rule.name, "unpriced");
      assert.equal(explained.now?.is_same_list, true);
    });

    test("whose bill is too long to be kept has its lines told again by its own list", async (t) => {
      await using node = await nodeAtStart(definition);
      const rootfs = await storeOf(node, image, T - 5, 1);
      const machine = machineOfManyDisks(rootfs.hash, 250);
      assert.deepEqual(await outcomes(node, rootfs, machine), ["processed", "rejected"]);
      const api = await apiOver(t, node, definition);
      const before = await explain(api, machine.hash);
      assert.equal(
        before.arithmetic.filter(({ line }) => line === "EXECUTION_VOLUME_PERSISTENT").length,
        250,
      );
      const { instance } = definition.pricing;
      const price = { ...instance?.price, storage: { ...instance?.price.storage, holding: "7" } };
      await outcomes(node, priceListOf(T + 6, { ...definition.pricing, instance: { ...instance, price } }));
      const after = await explain(api, machine.hash);
      assert.deepEqual(after.arithmetic, before.arithmetic);
      assert.notEqual(after.now?.price_list, after.inputs.price_list);
    });

    test("from before the list was kept says so, and how it stands now", async (t) => {
      await using node = await nodeAtStart(definition);
      const file = await storeOf(node, owner, T + 1, 50);
      assert.deepEqual(await outcomes(node, file), ["rejected"]);
      for (const table of ["candidates", "refusals"])
        node.store.session.connection.run(`UPDATE ${table} SET payment = NULL`);
      const api = await apiOver(t, node, definition);
      const explained = await explain(api, file.hash);
      assert.equal(explained.inputs.price_list, null);
      assert.deepEqual(explained.arithmetic, []);
      assert.equal(explained.now?.is_same_list, null);
      assert.equal(explained.now && amountsOf(explained.now).TOTAL, "16.666666650000000000");
    });
  });
}

test("a way of payment that has ended is told with its date and the bill", async (t) => {
  const definition = ledgerNetwork("local", {}, { cutovers: { creditOnlyFromSeconds: T } });
  await using node = await nodeAtStart(definition);
  const file = await storeOf(node, owner, T + 1, 50);
  assert.deepEqual(await outcomes(node, file), ["rejected"]);
  const api = await apiOver(t, node, definition);
  const explained = await explain(api, file.hash);
  assert.equal(explained.rule.name, "INVALID_PAYMENT_METHOD");
  assert.equal(explained.inputs.payment_rule, "credit-only");
  assert.equal(explained.inputs.payment_type, "hold");
  assert.equal(amountsOf(explained).STORAGE, "16.666666650000000000");
  assert.deepEqual(explained.changes.slice(0, 1), ["sign the message again with payment type credit"]);
});

const keepFile = async ({ services }: TestApi, hash: string, content: string): Promise<void> =>
  await writeFile(join(services.files.folder, hash), content);

/** An INSTANCE with a device that nobody sells. */
function gpuMachine(rootfs: string): Signed {
  const gpu = { vendor: "NVIDIA", device_name: "X", device_class: "0300", device_id: "ffff:ffff" };
  const requirements = { gpu: [gpu], node: { node_hash: "ab".repeat(32) } };
  return instanceWith(rootfs, { requirements, environment: { hypervisor: "qemu" } });
}

function machineOfManyDisks(rootfs: string, n: number): Signed {
  const volumes = Array.from({ length: n }, (_, index) => ({
    persistence: "host",
    name: `disk-${index}`,
    mount: `/mnt/${"a-long-name-".repeat(10)}${index}`,
    size_mib: 100,
  }));
  return instanceWith(rootfs, { volumes });
}

function instanceWith(rootfs: string, members: object): Signed {
  return signed(owner, "INSTANCE", T + 1, {
    allow_amend: false,
    environment: {},
    resources: { vcpus: 1, memory: 2_048 },
    rootfs: { parent: { ref: rootfs, use_latest: false }, persistence: "host", size_mib: 20_480 },
    volumes: [],
    ...members,
  });
}
