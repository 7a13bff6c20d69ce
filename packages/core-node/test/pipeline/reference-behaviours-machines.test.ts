import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evm, forget, instance, program, type Signed, signed, store, vprogram } from "./support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "./support/state-harness.ts";
import { tell, told } from "./support/told.ts";

/* What the tests of the reference pin, on a node of mainnet: programs, instances and verifiable programs. */

const mainnet = networkDefinition("mainnet");
const owner = evm("owner of machines");
const TIME = 1_700_000_000;
const disk = testFile(0);
const stored = store(owner, TIME, disk.hash);
const machine = { ref: stored.hash, sizeMib: 20_480, allowAmend: true };

/** A node that has the STORE of the disk. */
async function withDisk(): Promise<StateHarness> {
  const node = await StateHarness.open(mainnet);
  await node.hold(disk);
  assert.deepEqual(await tell(node, stored), ["processed"]);
  return node;
}

/** A PROGRAM of two files, with further members. */
const functionOf = (code: string, runtime: string, members: object = {}): Signed =>
  signed(owner, "PROGRAM", TIME + 1, {
    type: "vm-function",
    allow_amend: false,
    code: { encoding: "zip", entrypoint: "main:app", ref: code },
    runtime: { ref: runtime, comment: "" },
    on: { http: true },
    environment: {},
    resources: {},
    ...members,
  });

describe("a machine whose files are not there", () => {
  test("is rejected (301) after the retries, naming them all", async () => {
    await using node = await withDisk();
    const missing = [testFile(1).hash, testFile(2).hash];
    const waiting = functionOf(testFile(1).hash, testFile(2).hash, {
      volumes: [
        { ref: stored.hash, mount: "/known" },
        { ref: testFile(1).hash, mount: "/again" },
      ],
    });
    await node.submit(waiting.text);
    assert.equal(told(node, waiting), "pending");
    await node.settle();
    const { status, error_code, details, ...rest } = node.view(waiting.hash) ?? {};
    assert.deepEqual([status, error_code], ["rejected", 301]);
    assert.deepEqual(new Set((details as { errors: string[] }).errors), new Set(missing));
    assert.deepEqual(Object.keys(rest).sort(), ["item_hash", "message"], "no traceback");
  });

  test("waits for them, and is processed when the last one comes", async () => {
    await using node = await StateHarness.open(mainnet);
    await node.hold(disk, testFile(1));
    const runtime = store(owner, TIME, testFile(1).hash);
    const early = functionOf(stored.hash, runtime.hash);
    await node.submit(early.text);
    await node.submit(stored.text);
    assert.equal(told(node, early), "pending");
    await node.submit(runtime.text);
    await node.settle();
    assert.equal(told(node, early), "processed");
  });
});

test("a volume that is smaller than its parent is refused (304), with the sizes", async () => {
  await using node = await StateHarness.open(mainnet);
  const parent = { hash: disk.hash, sizeBytes: 3 * 1024 * 1024 };
  await node.hold(parent);
  const small = instance(owner, TIME + 1, { ...machine, sizeMib: 2 });
  const fitting = instance(owner, TIME + 2, { ...machine, sizeMib: 3 });
  assert.deepEqual(await tell(node, stored, small, fitting), ["processed", "rejected 304", "processed"]);
  const tooSmall = {
    volume_name: "rootfs",
    parent_ref: stored.hash,
    parent_file: disk.hash,
    parent_size: parent.sizeBytes,
    volume_size: 2 * 1024 * 1024,
  };
  assert.deepEqual(node.view(small.hash)?.details, { errors: [tooSmall] });
});

test("a forgotten instance leaves no machine behind, and frees its files", async () => {
  await using node = await withDisk();
  const box = instance(owner, TIME + 1, machine);
  assert.deepEqual(await tell(node, box), ["processed"]);
  assert.equal(node.dump().vms?.length, 1);
  await tell(node, forget(owner, TIME + 2, [box.hash]));
  assert.equal(told(node, box), "forgotten");
  assert.deepEqual(node.dump().vms, []);
  assert.deepEqual(await tell(node, forget(owner, TIME + 3, [stored.hash])), ["processed"]);
});

test("a forgotten program is triggered by no message any more", async () => {
  await using node = await withDisk();
  const on = { http: false, message: [{ sender: owner.address, type: "POST" }] };
  const listener = functionOf(stored.hash, stored.hash, { on });
  await tell(node, listener);
  const [subscription] = node.answers().subscriptions ?? [];
  assert.deepEqual(JSON.parse(subscription ?? "null"), {
    item_hash: listener.hash,
    content: { on: { message: on.message } },
  });
  await tell(node, forget(owner, TIME + 2, [listener.hash]));
  assert.deepEqual(node.answers().subscriptions, []);
});

test("an update of a program that allows none is refused (302)", async () => {
  await using node = await withDisk();
  const fixed = functionOf(stored.hash, stored.hash);
  const update = program(owner, TIME + 2, stored.hash, fixed.hash);
  assert.deepEqual(await tell(node, fixed, update), ["processed", "rejected 302"]);
});

describe("a V-PROGRAM", () => {
  test("paid with credits is a message of its own type, found by the tags of its metadata", async () => {
    await using node = await withDisk();
    const attested = vprogram(owner, TIME + 1, stored.hash, { metadata: { name: "v", tags: ["attested"] } });
    assert.deepEqual(await tell(node, attested), ["processed"]);
    const found = node.messages({ types: ["V-PROGRAM"], tags: ["attested"], paymentTypes: ["credit"] });
    assert.deepEqual(found, [attested.hash]);
    assert.deepEqual(node.messages({ types: ["PROGRAM"] }), []);
    assert.deepEqual(node.messages({ types: ["V-PROGRAM"], tags: ["other"] }), []);
  });

  test("paid otherwise, or with keys of its own, is malformed (0)", async () => {
    await using node = await withDisk();
    const held = vprogram(owner, TIME + 1, stored.hash, { payment: { type: "hold" } });
    const opened = vprogram(owner, TIME + 2, stored.hash, { authorized_keys: ["ssh-ed25519 AAAA me"] });
    assert.deepEqual(await tell(node, held, opened), ["rejected 0", "rejected 0"]);
  });
});

test("a list as metadata makes a program malformed (0)", async () => {
  await using node = await withDisk();
  const old = functionOf(stored.hash, stored.hash, { metadata: ["name", "old"] });
  assert.deepEqual(await tell(node, old), ["rejected 0"]);
  assert.deepEqual(node.dump().vms, []);
});
