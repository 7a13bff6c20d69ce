import { rename, rm, writeFile } from "node:fs/promises";
import type { ConfidentialSpec } from "../../hypervisor/vm-spec.ts";
import { exists } from "../../volumes/file-exists.ts";
import type { VmFolder } from "../disks/vm-folder.ts";

/** What an owner has agreed on with the processor, for one start: base64, as `sevctl session` writes it. */
export interface LaunchSession {
  readonly session: Buffer;
  readonly ownerKey: Buffer;
}

/** The process of the machine reads them, as its own user; the folder is closed to everybody else. */
const MODE = 0o644;

/** The session is put in place last: with it everything is there. */
export async function keepLaunchSession(folder: VmFolder, launch: LaunchSession): Promise<void> {
  await forgetLaunchSession(folder);
  await writeFile(folder.ownerKey, launch.ownerKey, { mode: MODE });
  await writeFile(`${folder.session}.new`, launch.session, { mode: MODE });
  await rename(`${folder.session}.new`, folder.session);
}

export function hasLaunchSession({ session }: VmFolder): Promise<boolean> {
  return exists(session);
}

/** It serves once, and is no secret that should stay. */
export async function forgetLaunchSession({ session, ownerKey }: VmFolder): Promise<void> {
  await rm(session, { force: true });
  await rm(ownerKey, { force: true });
}

export function confidentialSpec(folder: VmFolder, policy: number | bigint): ConfidentialSpec {
  return {
    policy: Number(policy),
    firmwarePath: folder.firmware,
    sessionPath: folder.session,
    publicKeyPath: folder.ownerKey,
  };
}
