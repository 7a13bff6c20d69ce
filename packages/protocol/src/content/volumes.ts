import { type LatestRef, refField } from "./common-fields.ts";
import { closedObject, openObject, optional, required, withDefault } from "./composite-checks.ts";
import { boolean, integer, oneOf, string } from "./scalar-checks.ts";
import type { Check } from "./validation.ts";

/** A volume of a VM: the keys that are present tell the three shapes apart. Source: aleph-message `aleph_message/models/execution/volume.py`. */
export type MachineVolume = ImmutableVolume | EphemeralVolume | PersistentVolume;

type VolumeLabels = { readonly comment: string | null; readonly mount: string | null };

export type ImmutableVolume = VolumeLabels & LatestRef;

export type EphemeralVolume = VolumeLabels & {
  readonly ephemeral: true;
  readonly size_mib: number;
};

export type PersistentVolume = VolumeLabels & {
  readonly parent: LatestRef | null;
  readonly persistence: VolumePersistence | null;
  readonly name: string | null;
  readonly size_mib: number;
};

export type VolumePersistence = "host" | "store";

/** 2048 GB in MiB, rounded up. */
export const MAX_PERSISTENT_SIZE_MIB = 1_953_125;
const MAX_EPHEMERAL_SIZE_MIB = 1000;

const label = string({ max: 256 });
const labels = { comment: optional(label), mount: optional(label) };

export const latestRef = openObject<LatestRef>({
  ref: refField,
  use_latest: withDefault(boolean, () => true),
});

export const volumePersistence = oneOf("host", "store");
export const persistentSizeMib = integer({ min: 1, max: MAX_PERSISTENT_SIZE_MIB, strict: true });

const immutable = closedObject<ImmutableVolume>({
  ...labels,
  ref: refField,
  use_latest: withDefault(boolean, () => true),
});

/** `true`, or the number that equals it in the reference; no text that means it. */
const onlyTrue: Check<true> = (value, at) =>
  value === true || value === 1 ? true : at.fail("literal_error", "Input should be True", value);

const ephemeral = closedObject<EphemeralVolume>({
  ...labels,
  ephemeral: withDefault(onlyTrue, () => true),
  size_mib: required(integer({ min: 1, max: MAX_EPHEMERAL_SIZE_MIB, strict: true })),
});

const persistent = closedObject<PersistentVolume>({
  ...labels,
  parent: optional(latestRef),
  persistence: optional(volumePersistence),
  name: optional(label),
  size_mib: required(persistentSizeMib),
});

/** The first shape that fits: immutable, ephemeral, persistent. */
export const machineVolume: Check<MachineVolume> = (value, at) =>
  at.firstOf<MachineVolume>(value, {
    ImmutableVolume: immutable,
    EphemeralVolume: ephemeral,
    PersistentVolume: persistent,
  });

export function isImmutableVolume(volume: MachineVolume): volume is ImmutableVolume {
  return "ref" in volume;
}

export function isEphemeralVolume(volume: MachineVolume): volume is EphemeralVolume {
  return "ephemeral" in volume;
}

export function isPersistentVolume(volume: MachineVolume): volume is PersistentVolume {
  return "persistence" in volume;
}
