import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Finding } from "./finding.ts";

/** A program of this machine that a compute node runs. */
interface Tool {
  readonly program: string;
  /** Debian's package with it. */
  readonly packageName: string;
  /** What does not happen without it, after `no`. */
  readonly purpose: string;
  readonly isRequired: boolean;
}

const TOOLS: readonly Tool[] = [
  tool("qemu-system-x86_64", "qemu-system-x86", "machine is started", true),
  tool("qemu-img", "qemu-utils", "disk of an instance is made", true),
  tool("mkfs.ext4", "e2fsprogs", "volume is made", true),
  tool("genisoimage", "genisoimage", "instance is told of its owner", true),
  tool("unsquashfs", "squashfs-tools", "runtime is looked at", false),
  tool("mmdebstrap", "mmdebstrap", "image is built here", false),
  tool("ip", "iproute2", "machine gets a network device of its own", false),
  tool("nft", "nftables", "machine has a network apart from others", false),
];

function tool(program: string, packageName: string, purpose: string, isRequired: boolean): Tool {
  return { program, packageName, purpose, isRequired };
}

const ALSO_SEARCHED = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/** Looks for the programs that a compute node runs, on the search path and where Debian keeps those of root. */
export async function findTools(searchPath: string): Promise<readonly Finding[]> {
  const folders = [...searchPath.split(delimiter), ...ALSO_SEARCHED].filter((folder) => folder !== "");
  return Promise.all(TOOLS.map(async (each) => findingOf(each, await placeOf(each.program, folders))));
}

function findingOf({ program, packageName, purpose, isRequired }: Tool, place: string | null): Finding {
  if (place !== null) return { name: program, state: "ok", detail: place, remedy: null };
  return {
    name: program,
    state: isRequired ? "missing" : "limited",
    detail: `not installed: no ${purpose} without it`,
    remedy: `apt-get install ${packageName}`,
  };
}

async function placeOf(program: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, program);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}
