import { parseArgs } from "node:util";
import { meetAgain } from "../suites/meet-again.ts";

/*
 * `npm run differences -- --one DIR --other DIR [--rounds 3]`: two nodes that have the same messages get 50 different
 * ones each, meet, and are equal again; so many times. Prints a line of JSON for each.
 */

const { values } = parseArgs({
  options: { one: { type: "string" }, other: { type: "string" }, rounds: { type: "string", default: "3" } },
});
const { one, other } = values;
if (one === undefined || other === undefined) throw new Error("Name two data folders: --one DIR --other DIR");
for (let round = 0; round < Number(values.rounds); round += 1) {
  const { overheadBytes, seconds } = await meetAgain(one, other);
  process.stdout.write(
    `${JSON.stringify({ overheadBytes, seconds: Math.round(seconds * 1_000) / 1_000 })}\n`,
  );
}
