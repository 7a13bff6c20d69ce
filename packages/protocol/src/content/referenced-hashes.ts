import type { InstanceContent } from "./instance-content.ts";
import type { ProgramContent } from "./program-content.ts";
import type { TypedContent } from "./validate-content.ts";
import { isImmutableVolume, isPersistentVolume, type MachineVolume } from "./volumes.ts";
import type { VProgramContent } from "./vprogram-content.ts";

export type ReferenceKind =
  | "code"
  | "runtime"
  | "data"
  | "volume"
  | "rootfs"
  | "parent"
  | "workload"
  | "hash_tree";

/** A STORE message that a virtual machine is built from. */
export interface FileReference {
  readonly kind: ReferenceKind;
  /** Item hash of the STORE message. */
  readonly hash: string;
  /** The newest file of the tag of that name, instead of the file of exactly that message. */
  readonly useLatest: boolean;
  /** The volume that is made as a copy of the file, for kinds `rootfs` and `parent`. */
  readonly copy?: { readonly volumeName: string | null; readonly sizeMib: number };
}

/** Every file that a content refers to, in the order of the content; empty for types that are not machines. */
export function referencedHashes(typed: TypedContent): FileReference[] {
  switch (typed.type) {
    case "PROGRAM":
      return programReferences(typed.content);
    case "INSTANCE":
      return instanceReferences(typed.content);
    case "V-PROGRAM":
      return vprogramReferences(typed.content);
    default:
      return [];
  }
}

function programReferences({ code, runtime, data, volumes }: ProgramContent): FileReference[] {
  const references: FileReference[] = [
    { kind: "code", hash: code.ref, useLatest: code.use_latest },
    { kind: "runtime", hash: runtime.ref, useLatest: runtime.use_latest },
  ];
  if (data !== null) references.push({ kind: "data", hash: data.ref, useLatest: data.use_latest ?? false });
  return [...references, ...volumeReferences(volumes)];
}

function instanceReferences({ rootfs, volumes }: InstanceContent): FileReference[] {
  const { parent, size_mib } = rootfs;
  return [
    {
      kind: "rootfs",
      hash: parent.ref,
      useLatest: parent.use_latest,
      copy: { volumeName: "rootfs", sizeMib: size_mib },
    },
    ...volumeReferences(volumes),
  ];
}

function volumeReferences(volumes: readonly MachineVolume[]): FileReference[] {
  const references: FileReference[] = [];
  for (const volume of volumes) {
    if (isImmutableVolume(volume)) {
      references.push({ kind: "volume", hash: volume.ref, useLatest: volume.use_latest });
    } else if (isPersistentVolume(volume) && volume.parent !== null) {
      references.push({
        kind: "parent",
        hash: volume.parent.ref,
        useLatest: volume.parent.use_latest,
        copy: { volumeName: volume.name, sizeMib: volume.size_mib },
      });
    }
  }
  return references;
}

/** Exact references only: the measurements name exact files. */
function vprogramReferences({ runtime, workload, volumes }: VProgramContent): FileReference[] {
  const exact = (kind: ReferenceKind, hash: string) => ({ kind, hash, useLatest: false });
  return [
    exact("runtime", runtime.ref),
    exact("workload", workload.ref),
    exact("hash_tree", workload.hash_tree),
    ...volumes.flatMap((volume) => [exact("volume", volume.ref), exact("hash_tree", volume.hash_tree)]),
  ];
}
