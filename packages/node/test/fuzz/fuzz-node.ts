import assert from "node:assert/strict";
import { join } from "node:path";
import { createSeededRandom, createSystemClock, type Random } from "@twentysix/platform";
import { defaultConfig } from "../../src/config/index.ts";
import { loadNetwork, type RunningNode, startNode, verifyDataDir } from "../../src/index.ts";
import { assertWell } from "../support/figures.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** How long a target runs: a few seconds as a test, hours by `npm run fuzz`. */
const SECONDS = Number(process.env.TWENTYSIX_FUZZ_SECONDS ?? 5);
const GIVEN_SEED = process.env.TWENTYSIX_FUZZ_SEED;
/** A node under fuzzing shares its process with the fuzzer; both together stay below this. */
const MAX_RESIDENT_BYTES = 900 * 1024 * 1024;
/** Requests on their way at once. */
const WIDTH = 8;
/** What a node without room may answer. Every other 5xx is a failure. */
const BUSY = new Set([503, 507]);

export interface FuzzTarget {
  readonly node: RunningNode;
  readonly random: Random;
  /** The one topic that the pubsub routes of this node's network take. */
  readonly messageTopic: string;
}

/**
 * Runs steps, several at a time, until the time is up. Then nothing may have failed inside the node: no internal
 * error, no defect, no copy on its way for ever, data that verify, memory that is bounded. A failure tells the
 * seed; TWENTYSIX_FUZZ_SEED runs it again.
 */
export async function fuzz(
  name: string,
  prepare: (target: FuzzTarget) => Promise<(random: Random) => Promise<void>>,
): Promise<void> {
  const clock = createSystemClock();
  const seed = GIVEN_SEED === undefined ? Number(clock.nowMicros() % 2n ** 31n) : Number(GIVEN_SEED);
  const network = seed % 2 === 0 ? "local" : "mainnet";
  process.stdout.write(`${name}: seed ${seed}, network ${network}, ${SECONDS} s\n`);
  using folder = temporaryFolder("fuzz");
  const dataDir = join(folder.path, "data");
  const settings = { apiHost: "127.0.0.1", apiPort: 0, p2pPort: null, network, logLevel: "error" } as const;
  const config = defaultConfig(dataDir, { dataDir, roles: ["ccn"], ...settings });
  const node = await startNode(config);
  let steps = 0;
  try {
    const messageTopic = loadNetwork(network).topics.messages;
    const step = await prepare({ node, random: createSeededRandom(seed), messageTopic });
    const endMs = clock.monotonicMs() + SECONDS * 1_000;
    const run = async (): Promise<void> => {
      while (clock.monotonicMs() < endMs) {
        steps += 1;
        // Each step has a seed of its own, so that it does the same whatever runs beside it.
        await step(createSeededRandom((seed + steps * 7_919) | 0)).catch((error: unknown) => {
          throw new Error(`step ${steps} of seed ${seed} failed`, { cause: error });
        });
      }
    };
    await Promise.all(Array.from({ length: WIDTH }, run));
    await assertWell(node.apiUrl);
  } finally {
    await node.close();
  }
  const { rss } = process.memoryUsage();
  assert.ok(rss < MAX_RESIDENT_BYTES, `${Math.round(rss / 1e6)} MB resident after ${steps} steps`);
  const report = await verifyDataDir(config, { signal: new AbortController().signal });
  assert.deepEqual(report.problems, [], `verify after seed ${seed}`);
  process.stdout.write(
    `${name}: ${steps} steps, ${report.count} messages, ${Math.round(rss / 1e6)} MB resident\n`,
  );
}

/** Reads an answer to its end and holds it against what every answer must be. */
export async function assertAnswer(response: Response, request: string): Promise<string> {
  const body = await response.text();
  const { status } = response;
  assert.ok(status < 500 || BUSY.has(status), `${status} to ${request.slice(0, 4_000)}: ${body}`);
  return body;
}
