import { join } from "node:path";

/** Where the files of one instance are. */
export interface VmFolder {
  readonly path: string;
  readonly rootfs: string;
  readonly seedImage: string;
  /** What it boots from while its owner mends it. */
  readonly rescueRootfs: string;
  /** What a restore puts in place of the root file system, until it does. */
  readonly restoredRootfs: string;
  /** What a confidential instance boots by, and what its owner made for its next start. */
  readonly firmware: string;
  readonly session: string;
  readonly ownerKey: string;
  /** An own file system. */
  volume(name: string): string;
  /** What differs from a parent. */
  overlay(name: string): string;
  /** A name of our own for the image that an overlay stands on: it stays while the instance does. */
  parent(sha256: string): string;
  /** Of an immutable volume. */
  image(sha256: string): string;
}

/** Disks of machines lie under `vms/HASH` of the node's folder. */
export function vmFolder(computeDir: string, vmHash: string): VmFolder {
  const path = join(computeDir, "vms", vmHash);
  return {
    path,
    rootfs: join(path, "rootfs.qcow2"),
    seedImage: join(path, "seed.iso"),
    rescueRootfs: join(path, "rescue.qcow2"),
    restoredRootfs: join(path, "restore.qcow2"),
    firmware: join(path, "firmware.fd"),
    session: join(path, "sev-session.b64"),
    ownerKey: join(path, "sev-godh.b64"),
    volume: (name) => join(path, `volume-${name}.ext4`),
    overlay: (name) => join(path, `volume-${name}.qcow2`),
    parent: (sha256) => join(path, `parent-${sha256}.img`),
    image: (sha256) => join(path, `image-${sha256}.img`),
  };
}
