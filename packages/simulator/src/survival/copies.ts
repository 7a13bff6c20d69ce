import type { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";
import type { SurvivalSize } from "./survival-size.ts";

const READ_MS = 60_000;

/** Where the bytes of a file are. */
export interface Keepers {
  /** Machines that have the whole file. */
  readonly whole: readonly Machine[];
  /** By the position of a shard: machines that have it. Empty for a file that is kept as copies. */
  readonly shards: readonly (readonly Machine[])[];
}

/** The machines that have a file, or a part of it. */
export async function keepersOf(
  world: World,
  machines: readonly Machine[],
  fileHash: string,
): Promise<Keepers> {
  const { signal } = new AbortController();
  const whole: Machine[] = [];
  const shards: Machine[][] = [];
  for (const machine of machines) {
    const { services } = await machine.node();
    const asked = services.downloads.isHeld(fileHash, { signal });
    if (await world.until("a look at the disk", READ_MS, asked)) whole.push(machine);
    const custody = await world.until("a look at the records", READ_MS, services.custodyOf(fileHash));
    if (custody?.rule.kind !== "erasure") continue;
    for (const { position, isHeld } of custody.file.coding?.shards ?? []) {
      const keepers = shards[position] ?? [];
      shards[position] = keepers;
      if (isHeld) keepers.push(machine);
    }
  }
  return { whole, shards };
}

/** So many machines keep the whole file, or each of its shards once, as should be; whether there are no more. */
export function isAsItShouldBe(
  { whole, shards }: Keepers,
  { copies, erasure }: Pick<SurvivalSize, "copies" | "erasure">,
  alive: number,
): { readonly isEnough: boolean; readonly isTooMuch: boolean } {
  if (erasure !== undefined && shards.length > 0) {
    const held = Array.from({ length: erasure.totalShards }, (_, position) => shards[position]?.length ?? 0);
    return {
      isEnough: held.every((count) => count > 0),
      isTooMuch: whole.length > 0 || held.some((count) => count > 1),
    };
  }
  const wanted = Math.min(copies ?? alive, alive);
  return { isEnough: whole.length >= wanted, isTooMuch: whole.length > wanted };
}
