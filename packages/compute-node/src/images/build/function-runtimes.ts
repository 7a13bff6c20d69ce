import { join } from "node:path";
import type { BuildOptions } from "./build-tool.ts";
import { DEBIAN_RELEASE, type DebianRoot, installPackages } from "./debian.ts";
import { buildImage, type ImageRecipe, imageFile } from "./image-store.ts";
import { packTarAsSquashfs } from "./squashfs.ts";

/** What a function can be written for. */
export type RuntimeKind = "python" | "node" | "binary";

export const RUNTIME_KINDS: readonly RuntimeKind[] = ["python", "node", "binary"];

/** The agent of the guest, which comes from the host, is written in Python; the network of a guest is set with ip. */
const OF_THE_AGENT = ["python3", "iproute2"];
const USUAL = ["ca-certificates", "netbase", "tzdata"];

/**
 * Packages of each runtime. That of Python has what functions find in the reference's, as far as Debian has it.
 *
 * Source: aleph-vm `runtimes/aleph-debian-12-python/create_disk_image.sh`.
 */
const PACKAGES: Readonly<Record<RuntimeKind, readonly string[]>> = {
  python: [
    "python3-uvicorn",
    "python3-fastapi",
    "python3-httptools",
    "python3-websockets",
    "python3-wsproto",
    "python3-multipart",
    "python3-aiohttp",
    "python3-httpx",
    "python3-requests",
    "python3-msgpack",
    "python3-pydantic",
    "python3-cytoolz",
    "python3-jinja2",
    "python3-yaml",
    "python3-dateutil",
    "python3-cryptography",
    "python3-nacl",
    "python3-ecdsa",
    "python3-base58",
    "python3-pip",
    "libsecp256k1-1",
    "curl",
    "iputils-ping",
    "unzip",
  ],
  node: ["nodejs"],
  binary: ["curl"],
};

/** Lists, caches and logs of the installation. */
const CLEAN_UP =
  'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/* "$1"/tmp/* "$1"/etc/machine-id "$1"/etc/hostname; ' +
  'mkdir -p "$1/var/cache/apt/archives/partial" "$1/opt" "$1/data"; : >"$1/etc/machine-id"';

/** Nothing in the image can change: the interpreter need not read the sources to see whether what it compiled is old. */
const COMPILE =
  'chroot "$1" python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.11 || true';

/** Root file systems of functions as squashfs images, each a file `KIND.squashfs`. */
export async function functionRuntime(
  imagesFolder: string,
  kind: RuntimeKind,
  options: BuildOptions,
): Promise<{ readonly squashfsPath: string; readonly sha256: string; readonly sizeBytes: number }> {
  const file = `${kind}.squashfs`;
  const image = await buildImage(imagesFolder, runtimeRecipe(kind, file), options);
  const { sha256 = "", sizeBytes = 0 } = image.files[file] ?? {};
  return { squashfsPath: imageFile(image, file), sha256, sizeBytes };
}

function runtimeRecipe(kind: RuntimeKind, file: string): ImageRecipe {
  const root: DebianRoot = {
    variant: "essential",
    packages: [...OF_THE_AGENT, ...USUAL, ...PACKAGES[kind]],
    customize: [COMPILE, CLEAN_UP, `echo ${kind} >"$1/etc/twentysix-runtime"`],
  };
  return {
    kind,
    inputs: ["1", DEBIAN_RELEASE, ...root.packages, ...root.customize],
    files: [file],
    async build(folder, options) {
      const archive = join(folder, "root.tar");
      await installPackages(root, archive, folder, options);
      await packTarAsSquashfs(archive, join(folder, file), { folder, signal: options.signal });
    },
  };
}
