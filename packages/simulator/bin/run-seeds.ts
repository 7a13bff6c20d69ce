/*
 * A process of `npm run simulate`: runs the seeds of its one argument, JSON `{"seeds": […], "size": {…}}`, and prints a line
 * of JSON for each.
 */
import { outcomesOfSeeds } from "../src/index.ts";

const { seeds, size } = JSON.parse(process.argv[2] ?? "{}");
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
for await (const outcome of outcomesOfSeeds(seeds, size, cpuMs))
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
