import {
  interfaceOf,
  isEphemeralVolume,
  isImmutableVolume,
  isPersistentVolume,
  type MachineVolume,
  type ProgramContent,
} from "@twentysix/protocol";
import { ExecutionError } from "../../executions/errors.ts";
import { mountPoint, volumeName } from "../../volumes/volume-names.ts";

/** A volume as a program gets it. */
export type PlannedVolume =
  | { readonly kind: "image"; readonly mount: string; readonly ref: string }
  | { readonly kind: "persistent"; readonly mount: string; readonly name: string; readonly sizeMib: number }
  | { readonly kind: "ephemeral"; readonly mount: string; readonly name: string; readonly sizeMib: number };

/** What a program is made of, once it is known that it can be. */
export interface ProgramPlan {
  readonly runtimeRef: string;
  readonly code: { readonly ref: string; readonly isImage: boolean };
  /** An archive that is unpacked into `/data`. */
  readonly dataRef: string | null;
  readonly volumes: readonly PlannedVolume[];
  readonly interface: "asgi" | "executable";
}

/** With the runtime and the code: as many as the board has places for. */
const MAX_VOLUMES = 14;
/** The kernel of the guest, and the system that it runs, live there. */
const TAKEN = new Set([
  "/",
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/proc",
  "/root",
  "/run",
  "/sbin",
  "/sys",
  "/tmp",
  "/usr",
]);

/**
 * Reads a program's message for a machine. Nothing is downloaded for one that cannot be made.
 *
 * @throws ExecutionError VOLUME_INVALID, UNSUPPORTED, with what its owner can change
 */
export function planProgram(vmHash: string, content: ProgramContent): ProgramPlan {
  if (content.volumes.length > MAX_VOLUMES) {
    throw invalid(`it has ${content.volumes.length} volumes, and a program can have ${MAX_VOLUMES}`);
  }
  const refs = [content.code.ref, content.runtime.ref, content.data?.ref];
  if (refs.includes(vmHash)) throw invalid("it names itself as its code, runtime or data");
  const { data } = content;
  const volumes = content.volumes.map((volume, index) => planVolume(vmHash, volume, index));
  if (data?.encoding === "squashfs")
    volumes.push({ kind: "image", mount: mountOf(data.mount || "/data"), ref: data.ref });
  if (data?.encoding === "plain") throw unsupported("data of a program is a zip archive or a squashfs image");
  expectDistinct(volumes);
  return {
    runtimeRef: content.runtime.ref,
    code: { ref: content.code.ref, isImage: content.code.encoding === "squashfs" },
    dataRef: data?.encoding === "zip" ? data.ref : null,
    volumes,
    interface: interfaceOf(content.code) === "asgi" ? "asgi" : "executable",
  };
}

function planVolume(vmHash: string, volume: MachineVolume, index: number): PlannedVolume {
  const mount = mountOf(mountPoint(volume, index));
  if (isImmutableVolume(volume)) {
    if (volume.ref === vmHash) throw invalid(`volume ${index} names the program itself`);
    return { kind: "image", mount, ref: volume.ref };
  }
  if (isEphemeralVolume(volume)) {
    return { kind: "ephemeral", mount, name: `ephemeral-${index}`, sizeMib: volume.size_mib };
  }
  if (!isPersistentVolume(volume)) throw invalid(`volume ${index} is of no kind that is known`);
  if (volume.persistence === "store")
    throw unsupported(`volume ${index} asks for persistence "store": use "host"`);
  if (volume.parent !== null) {
    throw unsupported(`volume ${index} has a parent, which programs cannot have: mount the image beside it`);
  }
  return { kind: "persistent", mount, name: volumeName(volume, index), sizeMib: volume.size_mib };
}

function mountOf(mount: string): string {
  const parts = mount.split("/").filter((part) => part !== "" && part !== ".");
  const path = `/${parts.join("/")}`;
  const isPlain = mount.startsWith("/") && !parts.includes("..") && !/\p{C}/u.test(mount);
  if (isPlain && !TAKEN.has(path) && !/^\/(?:proc|sys|dev)\//.test(path)) return path;
  throw invalid(
    `a volume cannot be mounted on ${JSON.stringify(mount)}: name a folder of its own, as /mnt/data`,
  );
}

function expectDistinct(volumes: readonly PlannedVolume[]): void {
  const mounts: string[] = [];
  const names = new Set<string>();
  for (const volume of volumes) {
    if (mounts.includes(volume.mount)) throw invalid(`two volumes are mounted on ${volume.mount}`);
    const hidden = mounts.find((mount) => mount.startsWith(`${volume.mount}/`));
    if (hidden !== undefined) {
      throw invalid(`the volume on ${volume.mount} would hide that on ${hidden}: put it before that one`);
    }
    mounts.push(volume.mount);
    if (volume.kind === "image") continue;
    if (names.has(volume.name)) throw invalid(`two volumes are called ${volume.name}`);
    names.add(volume.name);
  }
}

function invalid(what: string): ExecutionError {
  return new ExecutionError("VOLUME_INVALID", `The program cannot be made: ${what}`);
}

function unsupported(what: string): ExecutionError {
  return new ExecutionError("UNSUPPORTED", `This node cannot run the program: ${what}`);
}
