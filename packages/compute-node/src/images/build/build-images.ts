import type { BuildOptions } from "./build-tool.ts";
import { functionRuntime, RUNTIME_KINDS, type RuntimeKind } from "./function-runtimes.ts";
import { hostImages } from "./host-images.ts";
import { debianDisk } from "./instance-disk.ts";

/** An image that messages name: stored on the network as a file. */
export interface PublishableImage {
  readonly kind: "runtime" | "rootfs";
  /** `python`, `debian12` … */
  readonly name: ImageName;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export type ImageName = RuntimeKind | "debian12";

export const IMAGE_NAMES: readonly ImageName[] = [...RUNTIME_KINDS, "debian12"];

/**
 * Builds what is not in the folder yet: kernel and initial file system of the node itself, and the images that programs
 * and instances name, all of them by default. The first time takes minutes.
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function buildImages(
  imagesFolder: string,
  options: BuildOptions,
  names: readonly ImageName[] = IMAGE_NAMES,
): Promise<readonly PublishableImage[]> {
  await hostImages(imagesFolder, options);
  const images: PublishableImage[] = [];
  for (const name of names) images.push(await buildOne(imagesFolder, name, options));
  return images;
}

async function buildOne(
  imagesFolder: string,
  name: ImageName,
  options: BuildOptions,
): Promise<PublishableImage> {
  if (name === "debian12") {
    const { qcow2Path: path, sha256, sizeBytes } = await debianDisk(imagesFolder, options);
    return { kind: "rootfs", name, path, sha256, sizeBytes };
  }
  const { squashfsPath: path, sha256, sizeBytes } = await functionRuntime(imagesFolder, name, options);
  return { kind: "runtime", name, path, sha256, sizeBytes };
}
