import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createSeededRandom, createVirtualTime } from "@twentysix/platform";
import type { FileNote, KeptFileRecord } from "@twentysix/storage";
import { Audits } from "../../src/peers/custody/audits.ts";
import { BackOff } from "../../src/peers/custody/back-off.ts";
import { Custodian, type CustodianOptions } from "../../src/peers/custody/custodian.ts";
import { DiskPressure } from "../../src/peers/custody/disk-pressure.ts";
import { Leaving } from "../../src/peers/custody/leaving.ts";

const lost = (name: string, id: number): KeptFileRecord => ({
  ...{ id, name, root: null, sizeBytes: 1, damage: "missing", isContent: false },
  ...{ proofs: [], furtherName: null, coding: null },
});
const whole = (name: string, id: number): KeptFileRecord => ({ ...lost(name, id), root: name, damage: null });

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

test("everybody is challenged again and again, also where there is time for fewer than are due", async () => {
  const { clock, timers, advance } = createVirtualTime(1_000_000_000n);
  const peers = ["one", "two", "three"];
  const files = new Map(
    Array.from({ length: 6 }, (_, index) => [`file ${index}`, whole(`file ${index}`, index + 1)]),
  );
  const asked = new Map<string, number>();
  const nodes = {
    self: "self",
    all: () => ["self", ...peers].map((peerId) => ({ peerId, domain: peerId })),
    isConnected: () => true,
  };
  const auditor = {
    isTrusted: () => true,
    isSilent: () => false,
    // So slow that every proof is too old again when its turn comes: 18 are due, and a turn has 16.
    challenge: async (peerId: string, { name }: { readonly name: string }, signal: AbortSignal) => {
      await timers.sleep(100, signal);
      asked.set(`${peerId} ${name}`, (asked.get(`${peerId} ${name}`) ?? 0) + 1);
      return "proven" as const;
    },
  };
  const note = async (noted: FileNote): Promise<void> => {
    if (noted.kind !== "proofs") return;
    for (const { name, peerId, provenMicros } of noted.proofs) {
      const file = files.get(name);
      if (file === undefined || provenMicros === null) continue;
      const others = file.proofs.filter((proof) => proof.peerId !== peerId);
      files.set(name, { ...file, proofs: [...others, { peerId, provenMicros }] });
    }
  };
  const parts = {
    ...{ nodes, auditor, note, clock, log: createMemoryLogger(), auditMicros: 1_000_000n },
    audits: new Audits({ auditor, nodes, note, clock } as unknown as ConstructorParameters<typeof Audits>[0]),
    leaving: new Leaving(clock),
    pressure: new DiskPressure({ usedBytes: () => 0, maxBytes: null }),
    backOff: new BackOff(clock, createSeededRandom(1)),
  } as unknown as CustodianOptions["parts"];
  const custodian = new Custodian({
    // All four are places of each file: nothing is given up.
    durability: { copies: 4, auditSeconds: 1, outageSeconds: 30 },
    parts,
    records: {
      keptFiles: async (afterId, limit) =>
        [...files.values()].filter(({ id }) => id > afterId).slice(0, limit),
      keptFile: async (name) => files.get(name) ?? null,
    },
    timers,
  });
  await advance(120_000);
  await custodian.close();
  assert.equal(asked.size, 18);
  const times = [...asked.values()];
  assert.ok(Math.min(...times) * 2 >= Math.max(...times), `asked ${times.join(", ")} times`);
});
