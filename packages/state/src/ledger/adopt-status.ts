import { missingFacts, type Need, type World } from "../world.ts";
import { pinNeeds, releasePins } from "./removals.ts";

/** Where a message stands for want of funds, which no replay of messages tells. */
export interface FundsStatus {
  readonly hash: string;
  readonly status: "removing" | "removed";
  /** Of what was removed. */
  readonly removedMicros: bigint;
  readonly sizeBytes: number;
}

/**
 * Puts a message that a replay has processed where another database has it, with what follows from that. Gives what
 * must be known first; nothing once it is done.
 */
export function adoptStatus(world: World, funds: FundsStatus): Need[] {
  const { hash, status, removedMicros, sizeBytes } = funds;
  const unknown = missingFacts(world, [{ table: "items", key: hash }]);
  if (unknown.length > 0) return unknown;
  const pins = status === "removed" ? missingFacts(world, pinNeeds(world, hash)) : [];
  if (pins.length > 0) return pins;
  const item = world.facts.items.get(hash);
  if (item === null || item.live === null) return [];
  if (status === "removing") {
    world.facts.items.set(hash, { ...item, status });
    return [];
  }
  const { live: message } = item;
  world.facts.items.set(hash, {
    ...item,
    status,
    live: null,
    removed: { message, removedMicros, sizeBytes },
  });
  releasePins(world, hash, message.contentHash);
  return [];
}
