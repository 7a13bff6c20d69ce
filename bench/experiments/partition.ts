import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isInOwnNamespaces, namespacesMissing } from "../namespaces.ts";
import { Cluster } from "./partition/cluster.ts";
import { Writes } from "./partition/writes.ts";

/*
 * `npm run partition [-- --nodes 10 --per-second 4 --scenarios halves,long --cut-seconds 30]`: processes on machines of their own (network
 * namespaces), cut off from each other while all sides write. Says how long after the cables are back all of them have
 * one state root. There is no chain.
 */

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "10" },
    /** Messages a second of each side. */
    "per-second": { type: "string", default: "4" },
    /** Says whether this machine lets it. */
    check: { type: "boolean", default: false },
    scenarios: { type: "string" },
    /** In place of what each scenario has. */
    "cut-seconds": { type: "string" },
    /** More than that is a failure; after the limit it is given up. */
    "target-seconds": { type: "string", default: "10" },
    "limit-seconds": { type: "string", default: "120" },
  },
});
const COUNT = Number(values.nodes);
const PER_SECOND = Number(values["per-second"]);
const LIMIT_MS = Number(values["limit-seconds"]) * 1_000;
const TARGET_MS = Number(values["target-seconds"]) * 1_000;

const all = Array.from({ length: COUNT }, (_one, index) => index);
const left = all.slice(0, COUNT / 2);
const right = all.slice(COUNT / 2);
const last = COUNT - 1;
const others = all.slice(0, last);

interface Scenario {
  readonly what: string;
  readonly sides: readonly (readonly number[])[];
  readonly seconds: number;
  cut(cluster: Cluster): void;
  heal(cluster: Cluster): void;
  /** What happens in between. */
  meanwhile?(cluster: Cluster): Promise<void>;
}

const separated = (...sides: readonly (readonly number[])[]): Pick<Scenario, "sides" | "cut" | "heal"> => ({
  sides,
  cut: ({ machines }) => machines.separate(...sides),
  heal: ({ machines }) => machines.join(),
});

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  halves: { what: "two halves", seconds: 30, ...separated(left, right) },
  long: { what: "two halves, so long that calls are rare", seconds: 120, ...separated(left, right) },
  short: { what: "two halves, shorter than it takes to be noticed", seconds: 5, ...separated(left, right) },
  one: { what: "one node and the rest", seconds: 30, ...separated(others, [last]) },
  oneLong: { what: "one node and the rest, for long", seconds: 120, ...separated(others, [last]) },
  everyone: { what: "every node for itself", seconds: 30, ...separated(...all.map((index) => [index])) },
  asymmetric: {
    what: "what one half sends to the other is lost, what it is sent arrives",
    sides: [left, right],
    seconds: 30,
    cut: ({ machines }) => machines.mute(left, right),
    heal: ({ machines }) => machines.unmute(left, right),
  },
  halfOpen: {
    what: "one node loses its power and starts again while nobody reaches it: nothing ends the others' connections",
    ...separated(others, [last]),
    seconds: 2,
    async meanwhile(cluster) {
      await cluster.kill(last);
      await cluster.restart(last);
    },
  },
};

const chosen = (values.scenarios ?? Object.keys(SCENARIOS).join()).split(",");

interface Outcome {
  readonly scenario: string;
  readonly cutSeconds: number;
  readonly messagesMeanwhile: number;
  readonly meshedSeconds: number;
  readonly agreedSeconds: number;
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const seconds = (ms: number): number => Math.round(ms / 100) / 10;

async function play(cluster: Cluster, writes: Writes, name: string): Promise<Outcome> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined)
    throw new Error(`There is no scenario ${name}: use ${Object.keys(SCENARIOS).join()}`);
  await writes.begin();
  await cluster.agreed(writes.count, LIMIT_MS);
  const before = writes.count;
  scenario.cut(cluster);
  const cutMs = performance.now();
  const end = new AbortController();
  const alive = scenario.sides.filter(
    (side) => scenario.meanwhile === undefined || side !== scenario.sides.at(-1),
  );
  const writing = Promise.all(alive.map((side) => writes.onSide(side, PER_SECOND, end.signal)));
  await Promise.race([
    writing,
    Promise.all([
      pause(Number(values["cut-seconds"] ?? scenario.seconds) * 1_000),
      scenario.meanwhile?.(cluster),
    ]),
  ]);
  end.abort();
  await writing;
  scenario.heal(cluster);
  const cutSeconds = seconds(performance.now() - cutMs);
  const [meshedMs, agreedMs] = await Promise.all([
    cluster.meshed(LIMIT_MS),
    cluster.agreed(writes.count, LIMIT_MS),
  ]);
  const outcome = {
    scenario: name,
    cutSeconds,
    messagesMeanwhile: writes.count - before,
    meshedSeconds: seconds(meshedMs),
    agreedSeconds: seconds(agreedMs),
  };
  say(
    `${scenario.what}, ${cutSeconds} s, ${outcome.messagesMeanwhile} messages: one root after ${outcome.agreedSeconds} s, all links after ${outcome.meshedSeconds} s`,
  );
  if (agreedMs > TARGET_MS) process.exitCode = 1;
  return outcome;
}

const missing = namespacesMissing();
if (missing !== null) {
  say(`Skipped: ${missing}`);
  process.stdout.write(`${JSON.stringify({ skipped: missing })}\n`);
} else if (values.check) process.stdout.write("{}\n");
else if (await isInOwnNamespaces()) {
  await using cluster = await Cluster.start(COUNT);
  const writes = new Writes(cluster);
  say(`${COUNT} nodes know each other`);
  const outcomes: Outcome[] = [];
  for (const name of chosen) outcomes.push(await play(cluster, writes, name));
  process.stdout.write(`${JSON.stringify({ nodes: COUNT, perSecond: PER_SECOND, outcomes })}\n`);
}
