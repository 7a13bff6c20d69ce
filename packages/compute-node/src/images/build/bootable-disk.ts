import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../errors.ts";
import { BOOT_LOADER_RECIPE } from "./boot-loader.ts";
import { type BuildOptions, runBuildTool } from "./build-tool.ts";
import { buildImage, imageFile } from "./image-store.ts";

const SECTOR_BYTES = 512;
const MIB = 1_048_576;
/** Of the one partition. The loader lies before it. */
const START_SECTOR = MIB / SECTOR_BYTES;
const BOOT_CODE_BYTES = 440;
const TABLE_OFFSET = 446;
const SIGNATURE_OFFSET = 510;
const LINUX_PARTITION = 0x83;
/** Beyond what old BIOSes count in cylinders: the sector numbers beside them count. */
const NO_CYLINDER = [0xfe, 0xff, 0xff] as const;

/** Features that GRUB of Debian 12 reads, whatever this machine's own defaults are. */
const FEATURES =
  "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum";

export interface DiskOptions {
  /** A tar archive with owners and modes. */
  readonly archive: string;
  /** A shell script that is run with the unpacked folder as `$1`, and its own folder as `$2`, before it is packed. */
  readonly finishScript: string | null;
  /** Of the whole disk. */
  readonly sizeMib: number;
  /** Identifies the file system: the same for the same inputs. */
  readonly uuid: string;
}

/**
 * Writes a raw disk that a BIOS boots: GRUB, and one ext4 partition, which grows with its disk. Neither loop devices nor
 * mounts are used; without root, owners are kept by fakeroot.
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function writeBootableDisk(
  imagesFolder: string,
  target: string,
  disk: DiskOptions,
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const loader = await buildImage(imagesFolder, BOOT_LOADER_RECIPE, options);
  const file = await open(target, "wx");
  try {
    await file.truncate(disk.sizeMib * MIB);
    await file.write(
      bootSectors(
        await readFile(imageFile(loader, "boot.img")),
        await readFile(imageFile(loader, "core.img")),
        disk.sizeMib,
      ),
      0,
      undefined,
      0,
    );
  } finally {
    await file.close();
  }
  await fillPartition(target, disk, folder, options.signal);
}

/** The first sector with the table of partitions, and the loader after it. Source: GRUB `grub-core/boot/i386/pc`. */
function bootSectors(bootImage: Buffer, coreImage: Buffer, sizeMib: number): Buffer {
  if (coreImage.length > MIB - SECTOR_BYTES) {
    throw new ImageError("BUILD_FAILED", "the boot loader does not fit before the partition");
  }
  const sectors = Buffer.alloc(SECTOR_BYTES + coreImage.length);
  bootImage.copy(sectors, 0, 0, BOOT_CODE_BYTES);
  const entry = [0x80, ...NO_CYLINDER, LINUX_PARTITION, ...NO_CYLINDER];
  sectors.set(entry, TABLE_OFFSET);
  sectors.writeUInt32LE(START_SECTOR, TABLE_OFFSET + entry.length);
  sectors.writeUInt32LE((sizeMib * MIB) / SECTOR_BYTES - START_SECTOR, TABLE_OFFSET + entry.length + 4);
  sectors.writeUInt16LE(0xaa55, SIGNATURE_OFFSET);
  coreImage.copy(sectors, SECTOR_BYTES);
  return sectors;
}

/**
 * `$1` archive, `$2` folder for its tree, `$3` script or empty, the rest: mke2fs. One shell, so that fakeroot remembers
 * owners from tar to mke2fs.
 */
const FILL_SCRIPT = `set -e
if [ "$(id -u)" != 0 ] && [ -z "$FAKEROOTKEY" ]; then exec fakeroot sh -c "$0" "$0" "$@"; fi
archive=$1; tree=$2; script=$3; shift 3
mkdir "$tree"
tar -x --numeric-owner -p -f "$archive" -C "$tree"
[ -z "$script" ] || sh "$script" "$tree" "$(dirname "$script")"
exec mke2fs -q -t ext4 "$@"`;

async function fillPartition(
  target: string,
  { archive, finishScript, sizeMib, uuid }: DiskOptions,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const tree = join(folder, "tree");
  const layout = `offset=${MIB},hash_seed=${uuid},lazy_itable_init=1,root_owner=0:0`;
  const names = ["-L", "root", "-U", uuid, "-O", FEATURES, "-E", layout, "-m", "1", "-b", "4096"];
  const blocks = String(((sizeMib - 1) * MIB) / 4_096);
  const filling = [archive, tree, finishScript ?? "", ...names, "-d", tree, target, blocks];
  await runBuildTool("sh", ["-c", FILL_SCRIPT, FILL_SCRIPT, ...filling], { folder, signal });
}
