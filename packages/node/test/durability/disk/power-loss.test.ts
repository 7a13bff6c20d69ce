import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { createSeededRandom, type Random } from "@twentysix/platform";
import { defaultConfig } from "../../../src/config/index.ts";
import { startNode, verifyDataDir } from "../../../src/index.ts";
import { findLost } from "../../support/check-kept.ts";
import { type Acknowledgements, noAcknowledgements } from "../../support/load.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { DiskRecord } from "./read-log.ts";
import { RecordedDisk, type Survival } from "./recorded-disk.ts";
import { CROWD, type Recording, recordNode } from "./recorded-node.ts";
import { buildRecorder, recorderProblem } from "./recorder.ts";

/** More with TWENTYSIX_POWER_LOSSES, for instance through a night. */
const POWER_LOSSES = Number(process.env.TWENTYSIX_POWER_LOSSES ?? 8);
const SEED = Number(process.env.TWENTYSIX_SEED ?? 26);
const DATABASE_LOG = "messages.sqlite-wal";

const problem = recorderProblem();
if (problem !== null) process.stderr.write(`SKIPPED: power loss is not tested: ${problem}\n`);

describe("a disk that loses power", { skip: problem ?? false, timeout: 3_600_000 * 12 }, () => {
  const folder = temporaryFolder("power");
  const rootPath = join(folder.path, "disk");
  let recording: Recording;

  before(async () => {
    mkdirSync(rootPath, { recursive: true });
    const logPath = join(folder.path, "log");
    const environment = buildRecorder(folder.path, rootPath, logPath);
    recording = await recordNode(rootPath, logPath, environment, SEED);
  });

  after(() => folder[Symbol.dispose]());

  test("is recorded whole: what the log makes is what the node left", () => {
    const disk = new RecordedDisk(rootPath);
    for (const record of recording.records) disk.apply(record);
    const live = disk.liveFiles();
    for (const name of live.keys()) if (name.endsWith("-shm")) live.delete(name);
    const left = readdirSync(rootPath, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    const paths = left.map((one) => relative(rootPath, join(one.parentPath, one.name)));
    assert.deepEqual([...live.keys()].sort(), paths.sort());
    for (const [path, bytes] of live) {
      assert.ok(bytes.equals(readFileSync(join(rootPath, path))), `${path} differs from what was recorded`);
    }
  });

  test("a message is synced before its answer leaves", () => {
    const syncs = databaseSyncs(recording.records);
    recording.alone.reduce((before, answer) => {
      const between = syncs.filter((at) => at > before && at < answer);
      assert.ok(between.length > 0, `no sync between the answers at ${before} and ${answer}`);
      return answer;
    }, 0);
  });

  test("messages that come together share syncs", (t) => {
    const { records, crowd } = recording;
    const [first, last] = [Math.min(...crowd), Math.max(...crowd)];
    const syncs = databaseSyncs(records).filter((at) => at > first && at < last);
    t.diagnostic(`${crowd.length} messages of ${CROWD} senders at once: ${syncs.length} syncs`);
    assert.ok(syncs.length > 0 && syncs.length < crowd.length, `${syncs.length} syncs`);
  });

  test(`loses nothing that was acknowledged (${POWER_LOSSES} losses of power, seed ${SEED})`, async (t) => {
    const random = createSeededRandom(SEED);
    const chance = (): number => random.uniform(1_000_000) / 1_000_000;
    const crashes = chooseCrashes(recording, random);
    const disk = new RecordedDisk(rootPath);
    for (const [index, record] of recording.records.entries()) {
      disk.apply(record);
      if (!crashes.has(index)) continue;
      const acknowledged = promisedBy(recording, index);
      for (const survival of ["none", { chance }] satisfies Survival[]) {
        const what = survival === "none" ? "only what was synced" : "and some of the rest";
        await t.test(`at record ${index} of ${recording.records.length}: ${what} survives`, async () => {
          using restarted = temporaryFolder("restarted");
          disk.writeCrashed(restarted.path, survival);
          await assertKept(join(restarted.path, "data"), acknowledged);
        });
      }
    }
  });
});

/** Records at which a sync of the log of the message database has ended. */
function databaseSyncs(records: readonly DiskRecord[]): number[] {
  return [...records.keys()].filter((index) => {
    const { kind, path = "" } = records[index] ?? {};
    return kind === "syncEnd" && path.endsWith(DATABASE_LOG);
  });
}

/** One at the end; of the others, half as an answer leaves, half anywhere. */
function chooseCrashes({ records, promised }: Recording, random: Random): Set<number> {
  const chosen = new Set([records.length - 1]);
  while (chosen.size < POWER_LOSSES / 2) chosen.add(promised[random.uniform(promised.length)]?.at ?? 0);
  while (chosen.size < POWER_LOSSES) chosen.add(random.uniform(records.length));
  return chosen;
}

/** Every answer that had left, or was about to. */
function promisedBy({ promised, forgetSent }: Recording, record: number): Acknowledgements {
  const acknowledged = noAcknowledgements();
  for (const { at, kind, hash, sha256 = "" } of promised) {
    if (at > record) continue;
    if (kind === "file") acknowledged.files.set(hash, sha256);
    else acknowledged[kind].add(hash);
  }
  return { ...acknowledged, forgetSent: new Set(forgetSent) };
}

/** A node starts on what is left, has everything, and its data verify. */
async function assertKept(dataDir: string, acknowledged: Acknowledgements): Promise<void> {
  const settings = { apiHost: "127.0.0.1", apiPort: 0, network: "local", logLevel: "fatal" } as const;
  const config = defaultConfig(dataDir, { dataDir, p2pPort: null, ...settings });
  const node = await startNode(config);
  try {
    const lost = await findLost(node.apiUrl, acknowledged);
    assert.deepEqual({ lost: lost.length, first: lost.slice(0, 5) }, { lost: 0, first: [] });
  } finally {
    await node.close();
  }
  const report = await verifyDataDir(config, { signal: new AbortController().signal });
  assert.deepEqual(report.problems, []);
}
