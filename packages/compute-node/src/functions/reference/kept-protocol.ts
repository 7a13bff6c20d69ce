import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = "runtime-protocol.json";

/** Writes down that the guest of a machine was configured by the reference's protocol, for the next run of this node. */
export function keepProtocol(runDir: string, version: string): void {
  // Never through a link, and never over what lies there.
  writeFileSync(join(runDir, FILE), JSON.stringify({ version }), { flag: "wx", mode: 0o600 });
}

/** null: our agent answers for the machine, or it was never configured. */
export function keptProtocol(runDir: string): string | null {
  let text: string;
  try {
    text = readFileSync(join(runDir, FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const kept = JSON.parse(text) as { readonly version?: unknown };
  return typeof kept.version === "string" ? kept.version : null;
}
