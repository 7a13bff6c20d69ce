import type { PreparedMessage, VmReference } from "./prepared.ts";
import type { Need, World } from "./world.ts";

/** A file that a message stores or references. */
export interface NamedFile {
  /** The hash that the message names: of the file for a STORE, of a STORE message for the references of a VM. */
  readonly name: string;
  /** What it is used as: `file` for a STORE, else the kind of the reference. */
  readonly kind: string;
  /** null where the name leads nowhere. */
  readonly fileHash: string | null;
}

/** What must be known to say which files a message names. */
export function namedFileNeeds(message: PreparedMessage): Need[] {
  return referencesOf(message).flatMap(({ hash, useLatest }): Need[] => [
    { table: "items", key: hash },
    ...(useLatest ? [{ table: "tags" as const, key: hash }] : []),
  ]);
}

/** The files that a message names, in the order of its content. */
export function namedFiles(world: World, message: PreparedMessage): NamedFile[] {
  const { detail } = message.content;
  if (detail.kind === "STORE") return [{ name: detail.fileHash, kind: "file", fileHash: detail.fileHash }];
  return referencesOf(message).map((reference) => ({
    name: reference.hash,
    kind: reference.kind,
    fileHash: fileBehind(world, reference),
  }));
}

/** What must be known to say how large they are. */
export function sizeNeeds(files: readonly NamedFile[]): Need[] {
  return files.flatMap(({ fileHash }): Need[] =>
    fileHash === null ? [] : [{ table: "files", key: fileHash }],
  );
}

function referencesOf({ content: { detail } }: PreparedMessage): readonly VmReference[] {
  return "references" in detail ? detail.references : [];
}

/** The file that a reference leads to: the newest of its tag, else that of the STORE. */
export function fileBehind(
  world: World,
  { hash, useLatest }: Pick<VmReference, "hash" | "useLatest">,
): string | null {
  const tagged = useLatest ? (world.facts.tags.get(hash)?.fileHash ?? null) : null;
  return tagged ?? (world.live(hash) ?? world.forgotten(hash))?.contentHash ?? null;
}
