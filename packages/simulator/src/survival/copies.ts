import type { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";

const READ_MS = 60_000;

/** The machines that have the bytes of a file. */
export async function isKeptBy(
  world: World,
  machines: readonly Machine[],
  fileHash: string,
): Promise<readonly Machine[]> {
  const { signal } = new AbortController();
  const keepers: Machine[] = [];
  for (const machine of machines) {
    const { services } = await machine.node();
    const asked = services.downloads.isHeld(fileHash, { signal });
    if (await world.until("a look at the disk", READ_MS, asked)) keepers.push(machine);
  }
  return keepers;
}
