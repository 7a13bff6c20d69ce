import {
  isEphemeralVolume,
  isImmutableVolume,
  type MachineVolume,
  type PersistentVolume,
} from "@twentysix/protocol";

const UNSAFE = /[^\w-]/g;
const MAX_NAME_CHARACTERS = 128;

/**
 * File name of a persistent volume without its ending: what its owner calls it, with `_` in place of all that could
 * lead out of the folder of the machine. Source: aleph-vm `src/aleph/vm/storage.py`.
 */
export function volumeName({ name }: PersistentVolume, index: number): string {
  const safe = (name ?? "").replaceAll(UNSAFE, "_").slice(0, MAX_NAME_CHARACTERS);
  // The misspelling is the reference's: guests mount by it.
  return safe === "" ? `unamed_volume_${index}` : safe;
}

/** Where a guest mounts a volume of which its message does not say where. */
export function mountPoint(volume: MachineVolume, index: number): string {
  if (volume.mount !== null && volume.mount !== "") return volume.mount;
  if (isImmutableVolume(volume) || isEphemeralVolume(volume)) return `/mnt/volume_${index}`;
  return `/mnt/${volumeName(volume, index)}`;
}
