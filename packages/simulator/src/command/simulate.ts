import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Random } from "@twentysix/platform";
import { runStorm } from "../storm.ts";
import { type SurvivalOptions, survive } from "../survival/survive.ts";
import { replayCommand, type SimulateArguments } from "./arguments.ts";
import type { SeedOutcome } from "./seed-outcome.ts";

/** Seeds of one process: what ended nodes hold is freed with it. */
const SEEDS_PER_PROCESS = 8;
const MAX_SEED = 2 ** 31;

type Print = (line: string) => void;

/** Runs one seed and prints everything that happens in it. True when nothing was wrong. */
export async function simulateOne(seed: number, { size }: SimulateArguments, print: Print): Promise<boolean> {
  try {
    print(`passed: ${JSON.stringify(await runStorm(seed, size, print))}`);
    return true;
  } catch (error) {
    print(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return false;
  }
}

/** Kills nodes. True when the survivors had everything. */
export async function surviveOrTell(options: SurvivalOptions, print: Print): Promise<boolean> {
  try {
    await survive(options, print);
    return true;
  } catch (error) {
    print(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return false;
  }
}

/** Runs many seeds in processes of their own, and prints one line for each. True when none failed. */
export async function simulateMany(
  options: SimulateArguments,
  entry: string,
  random: Random,
  print: Print,
): Promise<boolean> {
  const seeds = Array.from({ length: options.seeds }, (_, n) =>
    options.firstSeed === null ? random.uniform(MAX_SEED) : options.firstSeed + n,
  );
  const failed: number[] = [];
  let passed = 0;
  const work = async (): Promise<void> => {
    for (
      let some = seeds.splice(0, SEEDS_PER_PROCESS);
      some.length > 0;
      some = seeds.splice(0, SEEDS_PER_PROCESS)
    ) {
      for await (const outcome of outcomesOf(entry, some, options)) {
        if (outcome.failure === null) passed += 1;
        else failed.push(outcome.seed);
        print(lineOf(outcome, options));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, work));
  print(`${passed} passed, ${failed.length} failed`);
  return failed.length === 0;
}

function lineOf({ seed, failure, report, cpuMs }: SeedOutcome, { size }: SimulateArguments): string {
  if (failure !== null || report === null)
    return `seed ${seed} failed: ${failure ?? "its process ended"}\n  ${replayCommand(seed, size)}`;
  const { events, crashes, acknowledged, convergedAfterMs, digest } = report;
  const told = `${acknowledged} messages, ${crashes} crashes, one root ${(convergedAfterMs / 1_000).toFixed(0)} s after the storm`;
  return `seed ${seed} passed: ${told}; ${events} events ${digest.slice(0, 12)}, ${(cpuMs / 1_000).toFixed(1)} s of processor`;
}

/** Runs seeds in one process; a seed of which it does not tell has failed with it. */
async function* outcomesOf(
  entry: string,
  seeds: readonly number[],
  { size }: SimulateArguments,
): AsyncGenerator<SeedOutcome, void, undefined> {
  const child = spawn(process.execPath, [entry, JSON.stringify({ seeds, size })], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let lastWords = "";
  child.stderr.on("data", (piece: Buffer) => {
    lastWords = `${lastWords}${piece.toString("utf8")}`.slice(-4_000);
  });
  const left = new Set(seeds);
  for await (const line of createInterface({ input: child.stdout })) {
    const outcome = JSON.parse(line) as SeedOutcome;
    left.delete(outcome.seed);
    yield outcome;
  }
  for (const seed of left) yield { seed, report: null, failure: `its process ended: ${lastWords}`, cpuMs: 0 };
}
