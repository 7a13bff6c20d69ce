import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Places in the head of qcow2. Source: QEMU `docs/interop/qcow2.txt`. */
const AT = {
  clusterBits: 20,
  sizeBytes: 24,
  encryption: 32,
  l1Entries: 36,
  l1Table: 40,
  refcountTable: 48,
  refcountClusters: 56,
  snapshots: 60,
  features: 72,
  headBytes: 100,
} as const;

export type BadImage = readonly [what: string, bytes: Buffer, reason: RegExp];

/** Disks that a node must not boot: made of one that it would, or by the tool that makes them. */
export function badDisks(good: Buffer): readonly BadImage[] {
  const changed = (change: (image: Buffer) => unknown): Buffer => {
    const image = Buffer.from(good);
    change(image);
    return image;
  };
  const damaged = /damaged or cut off/;
  return [
    [
      "stands on a file of the host",
      created("-F", "raw", "-b", "/etc/passwd"),
      /stands on another file \(backing file\)/,
    ],
    [
      "stands on what QEMU reads as a description of devices",
      created("-u", "-F", "raw", "-b", 'json:{"driver":"raw","file":{"driver":"nbd","host":"127.0.0.1"}}'),
      /stands on another file/,
    ],
    [
      "keeps its bytes in a file of the host",
      created("-o", "data_file=DIR/data.raw,data_file_raw=on"),
      /external data file/,
    ],
    ["is encrypted", changed((image) => image.writeUInt32BE(2, AT.encryption)), /is encrypted/],
    [
      "is a disk of two petabytes",
      changed((image) => image.writeBigUInt64BE(1n << 51n, AT.sizeBytes)),
      /needs a disk of 2147483648 MiB/,
    ],
    [
      "is a disk of 2^64 bytes",
      changed((image) => image.writeBigUInt64BE(2n ** 64n - 1n, AT.sizeBytes)),
      /needs a disk of 17592186044416 MiB/,
    ],
    [
      "is a disk of nothing",
      changed((image) => image.writeBigUInt64BE(0n, AT.sizeBytes)),
      /a disk of no bytes/,
    ],
    ["was cut in half", good.subarray(0, good.length / 2), damaged],
    ["is a head alone", good.subarray(0, 200), damaged],
    [
      "has its table behind its end",
      changed((image) => image.writeBigUInt64BE(1n << 40n, AT.l1Table)),
      damaged,
    ],
    [
      "has a table of two milliards",
      changed((image) => image.writeUInt32BE(2 ** 31 - 1, AT.l1Entries)),
      damaged,
    ],
    [
      "has a table that names itself",
      changed((image) => {
        const table = image.readBigUInt64BE(AT.l1Table);
        image.writeBigUInt64BE((1n << 63n) | table, Number(table));
      }),
      damaged,
    ],
    [
      "counts its clusters behind its end",
      changed((image) => image.writeBigUInt64BE(1n << 40n, AT.refcountTable)),
      damaged,
    ],
    [
      "counts more clusters than there can be",
      changed((image) => image.writeUInt32BE(2 ** 32 - 1, AT.refcountClusters)),
      damaged,
    ],
    ["has clusters of 2^63 bytes", changed((image) => image.writeUInt32BE(63, AT.clusterBits)), damaged],
    ["has 2^32 snapshots", changed((image) => image.writeUInt32BE(2 ** 32 - 1, AT.snapshots)), damaged],
    ["has a head without end", changed((image) => image.writeUInt32BE(2 ** 32 - 16, AT.headBytes)), damaged],
    [
      "wants a reader of the future",
      changed((image) => image.writeBigUInt64BE(1n << 60n, AT.features)),
      /its head is damaged/,
    ],
    [
      "begins as one and is none",
      Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x09", "latin1"), Buffer.alloc(4_096)]),
      /its head is damaged/,
    ],
  ];
}

function created(...options: readonly string[]): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "disk-"));
  try {
    const path = join(dir, "image");
    const args = options.map((option) => option.replace("DIR", dir));
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...args, path, "8M"]);
    return readFileSync(path);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The head of a squashfs image, behind which nothing is: all that a node looks at before its guest does. */
export function squashfsHead(change: (head: Buffer) => unknown = () => {}): Buffer {
  const head = Buffer.alloc(4_096);
  head.writeUInt32LE(0x73_71_73_68, 0);
  head.writeUInt32LE(131_072, 12);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(4, 28);
  head.writeBigUInt64LE(4_096n, 40);
  change(head);
  return head;
}
