/** One member of an archive. Paths are relative, without a leading slash. */
export type CpioEntry =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly bytes: Uint8Array;
      readonly isExecutable: boolean;
    };

const FOLDER_MODE = 0o040755;
const LINK_MODE = 0o120777;
const FILE_MODE = 0o100644;
const PROGRAM_MODE = 0o100755;
const TRAILER_NAME = "TRAILER!!!";

/**
 * An archive that the Linux kernel unpacks as its initial file system. The same entries always give the same bytes:
 * they are sorted, belong to root, and have no time. Folders on the way to an entry are added.
 *
 * Source: Linux `Documentation/driver-api/early-userspace/buffer-format.rst` (newc).
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const byPath = new Map(withFolders(entries).map((entry) => [entry.path, entry]));
  const sorted = [...byPath.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  const parts = sorted.map((entry, index) => writeEntry(entry.path, modeOf(entry), dataOf(entry), index + 1));
  parts.push(writeEntry(TRAILER_NAME, 0, new Uint8Array(), 0));
  return Buffer.concat(parts);
}

function withFolders(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  const folders = entries.flatMap(({ path }) => {
    const parts = path.split("/").slice(0, -1);
    return parts.map((_, index): CpioEntry => {
      return { kind: "folder", path: parts.slice(0, index + 1).join("/") };
    });
  });
  return [...folders, ...entries];
}

function modeOf(entry: CpioEntry): number {
  if (entry.kind === "folder") return FOLDER_MODE;
  if (entry.kind === "link") return LINK_MODE;
  return entry.isExecutable ? PROGRAM_MODE : FILE_MODE;
}

function dataOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === "file") return entry.bytes;
  return entry.kind === "link" ? Buffer.from(entry.target) : new Uint8Array();
}

function writeEntry(path: string, mode: number, data: Uint8Array, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const links = 1;
  const numbers = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${numbers.map((value) => value.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(data))]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
