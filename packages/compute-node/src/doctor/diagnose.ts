import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import type { HypervisorCapabilities } from "../hypervisor/hypervisor.ts";
import type { Finding } from "./finding.ts";
import { hostImagesFinding } from "./host-images.ts";
import { findTools } from "./tools.ts";

export interface DiagnoseOptions {
  /** An existing folder on the disk that machines are kept on. */
  readonly dir: string;
  /** Of the node's user: `kernel` and `initrd` of functions, where no node says otherwise. */
  readonly imagesDir: string;
  /** `PATH` */
  readonly searchPath: string;
  /** What starting guests has shown; null: it was not tried. */
  readonly capabilities: HypervisorCapabilities | null;
}

const GIB = 2 ** 30;
const MIN_MEMORY_GIB = 2;
const MIN_DISK_GIB = 10;

/** Looks at what a compute node needs of this machine. Nothing is changed. */
export async function diagnose(options: DiagnoseOptions): Promise<readonly Finding[]> {
  return [
    ...(await findTools(options.searchPath)),
    await kvm(options.capabilities),
    await device(
      "/dev/net/tun",
      "tap",
      "no machine gets a network device of its own without it",
      "modprobe tun",
    ),
    hostImagesFinding(options.dir, options.imagesDir),
    privileges(),
    memory(),
    await disk(options.dir),
    ...reportedMissing(options.capabilities),
  ];
}

/** Present is not enough: a device that can be opened may still never start a guest. */
async function kvm(capabilities: HypervisorCapabilities | null): Promise<Finding> {
  const name = "kvm";
  if (capabilities?.accelerator === "kvm")
    return { name, state: "ok", detail: "a guest has booted with it", remedy: null };
  const reason = capabilities?.missing.kvm;
  if (reason !== undefined)
    return { name, state: "limited", detail: `${reason}; guests are emulated`, remedy: null };
  return device(
    "/dev/kvm",
    name,
    "guests are emulated, about ten times slower",
    "enable virtualisation in the firmware",
  );
}

async function device(path: string, name: string, without: string, remedy: string): Promise<Finding> {
  const isUsable = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return isUsable
    ? { name, state: "ok", detail: `${path} can be opened`, remedy: null }
    : { name, state: "limited", detail: `${path} cannot be opened: ${without}`, remedy };
}

function privileges(): Finding {
  const name = "root";
  return process.getuid?.() === 0
    ? { name, state: "ok", detail: "machines get users, devices and limits of their own", remedy: null }
    : {
        name,
        state: "limited",
        detail: "not root: machines run as this user, on QEMU's own network",
        remedy: "run `twentysix compute helper` as root beside the node",
      };
}

function memory(): Finding {
  const gib = totalmem() / GIB;
  const detail = `${gib.toFixed(1)} GiB of memory, ${cpus().length} processors`;
  return gib >= MIN_MEMORY_GIB
    ? { name: "memory", state: "ok", detail, remedy: null }
    : { name: "memory", state: "missing", detail, remedy: `a compute node needs ${MIN_MEMORY_GIB} GiB` };
}

async function disk(dir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dir);
  const gib = (bavail * bsize) / GIB;
  const detail = `${gib.toFixed(1)} GiB free below ${dir}`;
  return gib >= MIN_DISK_GIB
    ? { name: "disk", state: "ok", detail, remedy: null }
    : {
        name: "disk",
        state: "limited",
        detail,
        remedy: `images and disks of machines want ${MIN_DISK_GIB} GiB`,
      };
}

function reportedMissing(capabilities: HypervisorCapabilities | null): readonly Finding[] {
  return Object.entries(capabilities?.missing ?? {}).flatMap(([name, detail]): readonly Finding[] =>
    name === "kvm" ? [] : [{ name, state: "limited", detail, remedy: null }],
  );
}
