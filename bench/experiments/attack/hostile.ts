import { once } from "node:events";
import type { Target } from "./attack.ts";
import { ATTACKS } from "./attacks.ts";

/*
 * A hostile peer, a process of its own: `node hostile.ts ATTACK '{"address": …}'`. Says `ready` when it has prepared
 * what it sends, begins when it is told to, and tells each second what it got rid of.
 */

const [, , name = "", text = "{}"] = process.argv;
const given = JSON.parse(text) as Omit<Target, "count" | "ready">;
const sent = { pieces: 0, bytes: 0 };

const target: Target = {
  ...given,
  count: (bytes) => {
    sent.pieces += 1;
    sent.bytes += bytes;
  },
  ready: async () => {
    process.stdout.write("ready\n");
    await once(process.stdin, "data");
    // The end of whoever set it loose is its own.
    process.stdin.on("end", () => process.exit());
    setInterval(() => process.stdout.write(`${JSON.stringify(sent)}\n`), 500);
  },
};

const attack = ATTACKS[name];
if (attack === undefined) throw new Error(`There is no attack ${name}`);
// A node may do to it what it likes.
process.on("uncaughtException", (error) => {
  if ("code" in error && error.code === "EPIPE") process.exit();
  process.stderr.write(`${name}: ${String(error)}\n`);
});
process.on("unhandledRejection", () => undefined);
await attack.run(target);
