import { existsSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { loadNetwork } from "@twentysix/node/network";
import type { ChainSync, Durability, NetworkDefinition } from "@twentysix/protocol";

/** The shipped network that one of this machine is made after: everybody knows its keys. */
const MODEL = "local";

/**
 * A machine is restarted in seconds: copies are proven, and nodes given up, sooner than where a network spans the world.
 */
const AUDIT_SECONDS = 60;
const OUTAGE_SECONDS = 30;

/** The chain on which messages are anchored. */
const SYNC_CHAIN = "ETH";

/** How a network of this machine keeps files. */
export type KeepingRule = Pick<Durability, "copies" | "erasure">;

/** The definition of a network of this machine. */
export function testnetDefinition(keeping: KeepingRule): NetworkDefinition {
  const durability = { ...keeping, auditSeconds: AUDIT_SECONDS, outageSeconds: OUTAGE_SECONDS };
  return { ...loadNetwork(MODEL), durability };
}

/** The same network, whose messages are anchored at this contract, by this account. */
export function anchoredAt(
  definition: NetworkDefinition,
  contract: string,
  emitter: string,
): NetworkDefinition {
  const sync: ChainSync = {
    contract,
    startHeight: 0,
    reader: "rpc",
    events: ["sync", "message"],
    authorisedEmitters: [emitter],
    remark: null,
    // Blocks come with transactions: none would ever stand on the last one.
    finalityDepth: 0,
  };
  const chains = definition.chains.map((one) => (one.chain === SYNC_CHAIN ? { ...one, sync } : one));
  return { ...definition, chains };
}

/** The contract of the network whose definition stands in the file; null: it has none yet. */
export function knownContract(path: string): string | null {
  if (!existsSync(path)) return null;
  return loadNetwork(path).chains.find(({ chain }) => chain === SYNC_CHAIN)?.sync?.contract ?? null;
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
