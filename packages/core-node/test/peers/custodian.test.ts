import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSeededRandom, createVirtualTime } from "@twentysix/platform";
import type { KeptFileRecord } from "@twentysix/storage";
import { BackOff } from "../../src/peers/custody/back-off.ts";
import { Custodian, type CustodianOptions } from "../../src/peers/custody/custodian.ts";
import { DiskPressure } from "../../src/peers/custody/disk-pressure.ts";
import { Leaving } from "../../src/peers/custody/leaving.ts";

const lost = (name: string, id: number): KeptFileRecord => ({
  ...{ id, name, root: null, sizeBytes: 1, damage: "missing", isContent: false },
  ...{ proofs: [], furtherName: null, coding: null },
});

test("a file that cannot be looked after keeps no other from it, and is tried again later", async () => {
  const files = ["first", "broken", "last"].map((name, index) => lost(name, index + 1));
  const fetched: string[] = [];
  const { clock, timers, advance } = createVirtualTime();
  const log = createMemoryLogger();
  // A node alone, which has to get everything that it lacks: of the other parts nothing is asked.
  const parts = {
    nodes: { self: "self", all: () => [{ peerId: "self", domain: "self" }], isConnected: () => false },
    auditor: { isTrusted: () => true },
    audits: { beginTurn: () => undefined, areSpent: false, prove: async () => new Set() },
    leaving: new Leaving(clock),
    pressure: new DiskPressure({ usedBytes: () => 0, maxBytes: null }),
    backOff: new BackOff(clock, createSeededRandom(1)),
    auditMicros: 1n,
    fetch: async (name: string) => {
      fetched.push(name);
      if (name === "broken") throw new Error("the disk answers with an input/output error");
      return true;
    },
    figures: { repairs: 0, evictions: 0 },
    clock,
    log,
  } as unknown as CustodianOptions["parts"];
  const custodian = new Custodian({
    durability: { copies: 3, auditSeconds: 60, outageSeconds: 30 },
    parts,
    records: {
      keptFiles: async (afterId, limit) => files.filter(({ id }) => id > afterId).slice(0, limit),
      keptFile: async (name) => files.find((file) => file.name === name) ?? null,
    },
    timers,
  });
  await advance(1_500);
  assert.deepEqual(fetched, ["first", "broken", "last"]);
  await advance(60_000);
  await custodian.close();
  const times = fetched.filter((name) => name === "broken").length;
  assert.ok(times > 1 && times < fetched.filter((name) => name === "last").length, `${times} times`);
});
