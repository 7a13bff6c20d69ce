/*
 * `npm run simulate -- --seeds 1000 [--jobs 2]`: so many seeds, drawn afresh (or from `--first-seed` on). `npm run simulate
 * -- --seed N`: one seed with everything that happens in it. `--nodes`, `--messages` and `--storm-seconds` say how much is
 * simulated: a seed means the same only with the same of them.
 *
 * `npm run simulate -- --survival [--copies 3 | --everyone | --erasure 4/6] [--nodes 10 --messages 2000 --files 300
 * --max-file-bytes 50000000 --skew 1] [--max-pairs N] [--asked all | keepers | one] [--seed N]`: nodes are killed, and the survivors are asked for everything.
 */
import { fileURLToPath } from "node:url";
import { createSystemRandom } from "@twentysix/platform";
import { readArguments, simulateMany, simulateOne, surviveOrTell } from "../src/index.ts";

const options = readArguments(process.argv.slice(2));
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const entry = fileURLToPath(new URL("./run-seeds.ts", import.meta.url));
const isGood =
  options.survival !== null
    ? await surviveOrTell({ ...options.survival, seed: options.seed ?? 1 }, print)
    : options.seed === null
      ? await simulateMany(options, entry, createSystemRandom(), print)
      : await simulateOne(options.seed, options, print);
process.exitCode = isGood ? 0 : 1;
