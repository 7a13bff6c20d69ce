import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UNLIMITED } from "@twentysix/storage";
import { createListReads } from "@twentysix/storage/reader";
import { evm, forget, type Signed, signed } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import { balancePost, ledgerNetwork, ledgerNode, outcomes } from "./support/ledger-node.ts";
import { storeOf } from "./support/paid-messages.ts";

const local = ledgerNetwork("local");
const owner = evm("whose files come and go");
const { address } = owner;
const T = 1_790_000_000;
const GRACE_SECONDS = local.limits.removalGraceSeconds;

async function submit(node: StateHarness, ...messages: readonly Signed[]): Promise<void> {
  assert.deepEqual(
    await outcomes(node, ...messages),
    messages.map(() => "processed"),
  );
  await node.sweep();
}

const at = (node: StateHarness, seconds: number): void => {
  node.nowMicros = BigInt(seconds) * 1_000_000n;
};
type Row = Record<string, unknown>;
const WHOLE = { cursor: null, pageSize: 100 };

const rowsOf = ({ items }: { readonly items: readonly unknown[] }): Row[] =>
  items.map((item) => JSON.parse(String(item)) as Row);

function costs(node: StateHarness, withLines = false): Row[] {
  const { lists } = createListReads(node.store.session.connection);
  const query = { paymentType: "hold", withLines, withSizes: withLines } as const;
  return rowsOf(lists.costs.cursor(query, WHOLE, UNLIMITED));
}

function endedCosts(node: StateHarness, sinceSeconds: number): Row[] {
  const { lists } = createListReads(node.store.session.connection);
  const query = { sinceMicros: BigInt(sinceSeconds) * 1_000_000n };
  return rowsOf(lists.endedCosts.cursor(query, WHOLE, UNLIMITED));
}

const secondsOf = (date: unknown): number => Math.floor(Date.parse(String(date)) / 1_000) - T;

/** What a list tells, by its times in seconds from T. */
const spans = (rows: readonly Row[]): unknown[][] =>
  rows.map(({ item_hash: hash, started_at: start, ended_at: end }) => [
    hash,
    secondsOf(start),
    end === undefined ? null : secondsOf(end),
  ]);

describe("what cost something", () => {
  test("is told of after it was forgotten, from its start to its end, and 31 days later no more", async () => {
    await using node = await ledgerNode(local);
    at(node, T);
    await submit(node, balancePost(T, { [address]: 100 }));
    at(node, T + 5);
    const [early, late] = [await storeOf(node, owner, T + 3, 30), await storeOf(node, owner, T + 900, 30)];
    await submit(node, early, late);
    assert.deepEqual(
      spans(costs(node)).sort(),
      [
        [early.hash, 3, null],
        [late.hash, 5, null],
      ].sort(),
      "a time in the future is not believed",
    );
    at(node, T + 60);
    await submit(node, forget(owner, T + 60, [early.hash]));
    assert.deepEqual(spans(endedCosts(node, 0)), [[early.hash, 3, 60]]);
    at(node, T + 70);
    await submit(node, forget(owner, T + 70, [late.hash]));
    assert.deepEqual(spans(endedCosts(node, T + 61)), [[late.hash, 5, 70]]);
    at(node, T + 60 + 31 * 86_400 + 1);
    const another = await storeOf(node, owner, T + 80, 30);
    await submit(node, another, forget(owner, T + 90, [another.hash]));
    const kept = endedCosts(node, 0).map(({ item_hash: hash }) => hash);
    assert.deepEqual(kept, [late.hash, another.hash]);
  });

  test("keeps no word of what was forgotten", async () => {
    await using node = await ledgerNode(local);
    at(node, T);
    const disk = await storeOf(node, owner, T + 1, 30);
    const machine = signed(owner, "INSTANCE", T + 2, {
      allow_amend: false,
      environment: {},
      resources: { vcpus: 1, memory: 2_048 },
      rootfs: { parent: { ref: disk.hash, use_latest: false }, persistence: "host", size_mib: 20_480 },
      volumes: [{ mount: "/secret/place", persistence: "host", name: "x", size_mib: 64 }],
      payment: { chain: "ETH", type: "hold" },
    });
    await submit(node, balancePost(T, { [address]: 10_000 }), disk, machine);
    const [before] = costs(node, true).filter(({ item_hash: hash }) => hash === machine.hash);
    assert.notDeepEqual(node.textsWith("/secret/place"), []);
    await submit(node, forget(owner, T + 3, [machine.hash]));
    assert.deepEqual(node.textsWith("/secret/place"), []);
    const lines = (row: Row | undefined) =>
      ((row?.detail ?? []) as Row[]).map(({ type, name, size_mib: size, cost_hold: cost }) => ({
        type,
        name: String(name).includes("/secret") ? type : name,
        size,
        cost,
      }));
    assert.deepEqual(lines(endedCosts(node, 0)[0]), lines(before), "figures and products are kept");
    assert.equal(lines(before).length, 4);
  });

  test("begins anew when it comes back after its removal, and ends a second time", async () => {
    await using node = await ledgerNode(local);
    at(node, T);
    const file = await storeOf(node, owner, T + 1, 30);
    await submit(node, balancePost(T, { [address]: 10 }), file, balancePost(T + 5, { [address]: 0 }));
    const removal = T + GRACE_SECONDS + 3_600;
    at(node, removal - 10);
    await submit(node, balancePost(T + 10, { nobody: 1 }));
    at(node, removal);
    await node.sweep();
    const gone = GRACE_SECONDS + 3_600;
    const first = spans(endedCosts(node, 0));
    assert.deepEqual(
      first.map(([, start]) => start),
      [0],
    );
    at(node, removal + 500);
    await storeOf(node, owner, T + 1, 30);
    await submit(node, balancePost(T + 20, { [address]: 10 }), file);
    assert.deepEqual(spans(costs(node)), [[file.hash, gone + 500, null]]);
    at(node, removal + 800);
    await submit(node, forget(owner, T + 30, [file.hash]));
    assert.deepEqual(spans(endedCosts(node, 0)), [...first, [file.hash, gone + 500, gone + 800]]);
  });
});
