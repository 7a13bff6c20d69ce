import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultSchedulerSettings, type Scheduler } from "@twentysix/services";
import { onPrivateHost } from "../networking/support/private-host.ts";
import type { CabledMachine } from "./support/cabled-machine.ts";
import { GuestWatch } from "./support/guest-watch.ts";
import { SmallCloud } from "./support/small-cloud.ts";

/** What fails is tried again at once; a move of 64 MiB takes seconds. */
const migration = {
  ...defaultSchedulerSettings.migration,
  ...{ pollMs: 250, firstRetryMs: 1_000, maxRetryMs: 1_000 },
};
const settings = { migration, unlinkDebounceMs: 0, pushPeriodMs: 5_000 };

interface Move {
  readonly what: string;
  /** When it strikes; null: nothing does. */
  readonly when: ((source: CabledMachine, target: CabledMachine) => Promise<boolean>) | null;
  readonly strikes: "source" | "target" | "scheduler" | null;
}

onPrivateHost(import.meta.url, () => {
  test("an instance moves with its disk, and whoever dies meanwhile, it is in one place", {
    skip: process.env.TWENTYSIX_TEST_VM === "short",
    timeout: 500_000,
  }, async (t) => {
    const beganMs = Date.now();
    const say = (what: string): void =>
      t.diagnostic(`${((Date.now() - beganMs) / 1_000).toFixed(1)} s: ${what}`);
    const eventually = async (isSo: () => boolean | Promise<boolean>, periodMs = 100): Promise<void> => {
      while (!(await isSo())) await sleep(periodMs, undefined, { signal: t.signal });
    };
    await using cloud = await SmallCloud.start(2, t.signal);
    await cloud.register(cloud.machines);
    let scheduler: Scheduler = await cloud.schedule(settings);
    await using watch = new GuestWatch(cloud.folder, cloud.machines);
    const vmHash = await cloud.createInstance("moved");
    const homeOf = async (): Promise<CabledMachine | null> => {
      const { status, allocated_node } = await cloud.vm(vmHash);
      const places = watch.placesOf(vmHash);
      const isSettled = status === "dispatched" && places.length === 1 && places[0] === allocated_node;
      return isSettled ? (cloud.machines.find(({ nodeHash }) => nodeHash === allocated_node) ?? null) : null;
    };
    /** How often its disk was booted, as the guest itself has written on it. */
    const bootsOn = (machine: CabledMachine): number =>
      Number([...machine.consoleOf(vmHash).matchAll(/boot (\d+) of this disk/g)].at(-1)?.[1] ?? 0);
    await eventually(async () => (await homeOf()) !== null);
    let home = (await homeOf()) as CabledMachine;
    await eventually(() => bootsOn(home) === 1);
    say("it has booted for the first time");

    const isExporting = async (source: CabledMachine) => (await source.stateOf(vmHash)) === "exporting";
    const isImporting = async (_: unknown, target: CabledMachine) =>
      (await target.stateOf(vmHash)) === "importing";
    const isThere = async (_: unknown, target: CabledMachine) =>
      watch.placesOf(vmHash).includes(target.nodeHash);
    const moves: readonly Move[] = [
      { what: "undisturbed", when: null, strikes: null },
      { what: "while its source dies in the export", when: isExporting, strikes: "source" },
      { what: "while its target dies in the import", when: isImporting, strikes: "target" },
      { what: "while its target dies after it began there", when: isThere, strikes: "target" },
      { what: "while the scheduler dies in the import", when: isImporting, strikes: "scheduler" },
    ];
    for (const { what, when, strikes } of moves) {
      const source = home;
      const target = cloud.machines.find((machine) => machine !== source);
      assert.ok(target !== undefined);
      const boots = bootsOn(source);
      const movedMs = Date.now();
      await cloud.register([target], [source]);
      if (when !== null) await eventually(() => when(source, target), 5);
      if (strikes === "scheduler") {
        await scheduler.close();
        scheduler = await cloud.schedule(settings);
      } else if (strikes !== null) {
        const struck = strikes === "source" ? source : target;
        await struck.killNodeAndHelper();
        await struck.start();
      }
      await eventually(async () => (await homeOf()) === target);
      await eventually(() => bootsOn(target) > boots);
      await eventually(async () => (await source.stateOf(vmHash)) === null);
      say(
        `it has moved ${what}, in ${((Date.now() - movedMs) / 1_000).toFixed(1)} s, boot ${bootsOn(target)}`,
      );
      assert.deepEqual(watch.twice, []);
      const { entries, orphans } = await source.inspect();
      assert.deepEqual(orphans, []);
      assert.deepEqual(
        entries.filter((entry) => entry.vmHash === vmHash),
        [],
        "nothing of it stays behind",
      );
      home = target;
    }
    const begun = watch.lives.filter((life) => life.vmHash === vmHash).length;
    assert.ok(bootsOn(home) <= begun, "no boot was of another disk");
  });
});
