import { type InstanceContent, isImmutableVolume, type ProgramContent } from "@twentysix/protocol";
import type { CoreNodeClient } from "./core-node-client.ts";

type Ref = { readonly ref: string; readonly use_latest: boolean | null };

/**
 * The content of a machine with the newest files in place of those that follow their amends: code, runtime, data, root
 * file system and immutable volumes. The parents of persistent volumes never follow. Source: aleph-vm `storage.py`.
 *
 * @throws CoreNodesError UNREACHABLE
 */
export async function resolveFiles(
  content: ProgramContent | InstanceContent,
  coreNodes: Pick<CoreNodeClient, "newestFile">,
  signal: AbortSignal,
): Promise<ProgramContent | InstanceContent> {
  const newest = async <File extends Ref>(file: File): Promise<File> =>
    file.use_latest === true ? { ...file, ref: await coreNodes.newestFile(file.ref, signal) } : file;
  const volumes = await Promise.all(
    content.volumes.map((volume) => (isImmutableVolume(volume) ? newest(volume) : volume)),
  );
  if ("rootfs" in content) {
    const parent = await newest(content.rootfs.parent);
    return { ...content, volumes, rootfs: { ...content.rootfs, parent } };
  }
  const [code, runtime, data] = await Promise.all([
    newest(content.code),
    newest(content.runtime),
    content.data === null ? null : newest(content.data),
  ]);
  return { ...content, volumes, code, runtime, data };
}

/** The files that a machine was published with, whose amends change it. */
export function followedFiles(content: ProgramContent | InstanceContent): readonly string[] {
  const volumes = content.volumes.filter(isImmutableVolume);
  const own: readonly (Ref | null)[] =
    "rootfs" in content ? [content.rootfs.parent] : [content.code, content.runtime, content.data];
  return [...own, ...volumes].flatMap((file) => (file?.use_latest === true ? [file.ref] : []));
}
