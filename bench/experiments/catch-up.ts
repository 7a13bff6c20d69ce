import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageCount, peerAddress, stateRoot, syncOf, until } from "../node-answers.ts";
import { startNodeProcess } from "../processes.ts";
import { storedIn } from "../suites/stored.ts";

/*
 * `npm run catch-up -- --source DIR --target DIR [--until N]`: one stretch of a catch-up. A node over the first folder is
 * the only peer of one over the second. With --until the second one is killed once it has so many messages; without, the
 * stretch ends when both have one state root. Prints a line of JSON. Large sets are measured in several stretches.
 */

const { values } = parseArgs({
  options: { source: { type: "string" }, target: { type: "string" }, until: { type: "string" } },
});
const { source: sourceDir, target: targetDir } = values;
if (sourceDir === undefined || targetDir === undefined)
  throw new Error("Name two data folders: --source DIR --target DIR");
const LOOK_MS = 1_000;
const database = join(targetDir, "core", "messages.sqlite");
const stored = storedIn(database);
const isThere = existsSync(database);
const [from, eventsBefore] = isThere ? [stored.messages(), stored.lastEvent()] : [0, 0];

const source = await startNodeProcess(sourceDir);
const flags = ["--peers", await peerAddress(source)];
const { root } = await stateRoot(source);
const sourceCpuBefore = source.usage().cpuSeconds;
const startedMs = performance.now();
const target = await startNodeProcess(targetDir, flags);
let said = "";
await until(async () => {
  const held = await messageCount(target);
  const { state, percent } = await syncOf(target);
  said = `${held} messages, ${state}${percent === null ? "" : ` ${percent} %`}`;
  process.stderr.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s: ${said}\n`);
  return values.until === undefined ? state === "ready" : held >= Number(values.until);
}, LOOK_MS);
if (values.until === undefined) await until(async () => (await stateRoot(target)).root === root, LOOK_MS);
const seconds = (performance.now() - startedMs) / 1_000;
const [usage, sourceUsage] = [target.usage(), source.usage()];
await (values.until === undefined ? target.stop() : target.kill());
await source.stop();
const to = stored.messages();
const taken = to - from;
const micros = (cpuSeconds: number): number => Math.round((cpuSeconds / taken) * 1e6);
const report = {
  from,
  to,
  seconds: Math.round(seconds * 10) / 10,
  messagesPerSecond: Math.round(taken / seconds),
  whileCommitting: Math.round(taken / stored.secondsOfEvents(eventsBefore)),
  microsPerMessage: {
    target: micros(usage.cpuSeconds),
    source: micros(sourceUsage.cpuSeconds - sourceCpuBefore),
  },
  peakRssMb: { target: Math.round(usage.peakRssMb), source: Math.round(sourceUsage.peakRssMb) },
};
process.stdout.write(`${JSON.stringify(report)}\n`);
