import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { loadNetwork } from "@twentysix/node/network";
import type { NetworkDefinition } from "@twentysix/protocol";

/** The shipped network that one of this machine is made after: everybody knows its keys. */
const MODEL = "local";

/**
 * A machine is restarted in seconds: copies are proven, and nodes given up, sooner than where a network spans the world.
 */
const AUDIT_SECONDS = 60;
const OUTAGE_SECONDS = 30;

/** The definition of a network of this machine; `copies` nodes keep each file, all of them for null. */
export function testnetDefinition(copies: number | null): NetworkDefinition {
  const durability = { copies, auditSeconds: AUDIT_SECONDS, outageSeconds: OUTAGE_SECONDS };
  return { ...loadNetwork(MODEL), durability };
}

/** Writes a definition into the file that all nodes read. */
export async function writeNetworkFile(path: string, definition: NetworkDefinition): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  {
    await using file = await open(temporary, "w");
    await file.writeFile(`${JSON.stringify(definition, null, 2)}\n`);
    await file.sync();
  }
  await rename(temporary, path);
}
