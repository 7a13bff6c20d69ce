import type { TargetNode } from "../../support/target-node.ts";
import { squashfsHead } from "./bad-images.ts";

/** Files that the messages below name. */
export interface BadFiles {
  /** Seems a squashfs image by its head. */
  readonly image: string;
  readonly code: string;
  readonly junk: string;
  readonly cutImage: string;
  readonly oddImage: string;
  readonly largeCode: string;
}

export async function storeBadFiles(node: Pick<TargetNode, "store">): Promise<BadFiles> {
  return {
    image: await node.store(squashfsHead()),
    code: await node.store("async def app(scope, receive, send): pass"),
    junk: await node.store("this is no file system ".repeat(1_000)),
    cutImage: await node.store(squashfsHead((head) => head.writeBigUInt64LE(1n << 60n, 40))),
    oddImage: await node.store(squashfsHead((head) => head.writeUInt32LE(3, 12))),
    largeCode: await node.store(Buffer.alloc(10_000_001, "# code\n")),
  };
}

const resources = (changes: object): object => ({
  resources: { vcpus: 1, memory: 256, seconds: 10, ...changes },
});
const volume = (changes: object): object => ({
  volumes: [{ persistence: "host", name: "data", mount: "/mnt/data", size_mib: 5, ...changes }],
});
const on = (message: unknown): object => ({ on: { http: true, message } });

/** What no compute node sees: the network refuses it, for machines of both kinds. */
export const NOT_TAKEN: readonly [what: string, content: object, reason: RegExp][] = [
  ["less than no memory", resources({ memory: -1 }), /"resources","memory".*greater than or equal to 1/],
  ["no memory", resources({ memory: 0 }), /greater than or equal to 1/],
  ["half a MiB more", resources({ memory: 128.5 }), /fractional/],
  ["10^300 MiB", resources({ memory: 1e300 }), /64 bits/],
  ["no number of memory", resources({ memory: { toString: 256 } }), /valid integer/],
  ["half a processor", resources({ vcpus: 0.5 }), /fractional/],
  ["no processor", resources({ vcpus: 0 }), /greater than or equal to 1/],
  ["257 processors", resources({ vcpus: 257 }), /less than or equal to 256/],
  ["less than no time", resources({ seconds: -1 }), /greater than or equal to 1/],
  ["more than ten years", resources({ seconds: 315_360_001 }), /less than or equal to 315360000/],
  ["port 0", resources({ published_ports: [{ protocol: "tcp", port: 0 }] }), /published_ports/],
  ["a port of ICMP", resources({ published_ports: [{ protocol: "icmp", port: 1 }] }), /published_ports/],
  ["a volume of less than nothing", volume({ size_mib: -5 }), /"size_mib"/],
  ["a volume of half a MiB", volume({ size_mib: 0.5 }), /"size_mib"/],
  ["a volume of 10^15 MiB", volume({ size_mib: 1e15 }), /"size_mib"/],
  ["a volume of two kinds", volume({ ephemeral: true, ref: "ab".repeat(32) }), /extra_forbidden/],
  ["a volume whose parent is a path", volume({ parent: { ref: "/etc/passwd" } }), /Invalid message format/],
  [
    "257 volumes",
    { volumes: Array.from({ length: 257 }, () => ({ ephemeral: true, size_mib: 1 })) },
    /at most 256 items/,
  ],
  [
    "257 variables",
    { variables: Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`V${index}`, ""])) },
    /at most 256 items/,
  ],
  ["a variable without end", { variables: { ENDLESS: "x".repeat(4_097) } }, /at most 4096 characters/],
  ["a NUL in what runs", { variables: { NUL: "a\0b" } }, /NUL/],
  ["its own hash as it would be", { replaces: "x".repeat(129) }, /at most 128 characters/],
];

/** The same of programs alone. */
export const PROGRAMS_NOT_TAKEN: typeof NOT_TAKEN = [
  ["filters that are no objects", on([1, "x", null]), /valid dictionary/],
  ["a filter that is no list", on({ type: "POST" }), /"on","message"/],
  [
    "a filter of 33 members",
    on([Object.fromEntries(Array.from({ length: 33 }, (_, index) => [index, 1]))]),
    /at most 32/,
  ],
  ["a runtime that is a path", { runtime: { ref: "../../etc/passwd", comment: "" } }, /hash/],
];

export type Refused = readonly [what: string, content: object, code: string, reason: RegExp];

/** What a compute node refuses of programs before any machine exists. */
export function refusedPrograms({
  image,
  code,
  junk,
  cutImage,
  oddImage,
  largeCode,
}: BadFiles): readonly Refused[] {
  const images = (...mounts: readonly string[]): object => ({
    volumes: mounts.map((mount) => ({ ref: image, mount, use_latest: false })),
  });
  const runtime = (ref: string): object => ({ runtime: { ref, use_latest: false, comment: "" } });
  const plain = { encoding: "plain", entrypoint: "main:app", use_latest: false };
  return [
    ["1 MiB of memory", resources({ memory: 1 }), "UNSUPPORTED", /ask for 32 or more/],
    ["a terabyte of memory", resources({ memory: 1_048_576 }), "NO_CAPACITY", /1048576 MiB of memory/],
    ["65 processors", resources({ vcpus: 65 }), "UNSUPPORTED", /a machine can have 64: ask for fewer/],
    ["two terabytes of disk", volume({ size_mib: 1_953_125 }), "NO_CAPACITY", /1953125 MiB of disk/],
    ["a volume on the root", images("/"), "VOLUME_INVALID", /cannot be mounted on "\/"/],
    ["a volume over the system", images("/usr"), "VOLUME_INVALID", /cannot be mounted on/],
    ["a volume in /proc", images("/proc/sys"), "VOLUME_INVALID", /cannot be mounted on/],
    ["a volume that leads back", images("/mnt/../etc"), "VOLUME_INVALID", /cannot be mounted on/],
    ["a volume on no path", images("mnt"), "VOLUME_INVALID", /cannot be mounted on/],
    ["a volume on two lines", images("/mnt/a\nb"), "VOLUME_INVALID", /cannot be mounted on/],
    [
      "a volume on another",
      images("/mnt/a", "/mnt/./a/"),
      "VOLUME_INVALID",
      /two volumes are mounted on \/mnt\/a/,
    ],
    [
      "a volume that hides another",
      images("/mnt/a/b", "/mnt/a"),
      "VOLUME_INVALID",
      /would hide that on \/mnt\/a\/b/,
    ],
    [
      "256 volumes",
      images(...Array.from({ length: 256 }, (_, index) => `/mnt/${index}`)),
      "VOLUME_INVALID",
      /256 volumes/,
    ],
    [
      "a volume that stands on another file",
      volume({ parent: { ref: image, use_latest: true } }),
      "UNSUPPORTED",
      /has a parent/,
    ],
    ["a volume that no node keeps", volume({ persistence: "store" }), "UNSUPPORTED", /use "host"/],
    ["a runtime that is no image", runtime(junk), "IMAGE_INVALID", /no squashfs image/],
    ["a runtime that was cut off", runtime(cutImage), "IMAGE_INVALID", /it is cut off/],
    ["a runtime of odd blocks", runtime(oddImage), "IMAGE_INVALID", /block size of 3 bytes/],
    [
      "a volume that is no image",
      { volumes: [{ ref: junk, mount: "/mnt/a", use_latest: false }] },
      "IMAGE_INVALID",
      /no squashfs image/,
    ],
    [
      "code in no image",
      { code: { ...plain, encoding: "squashfs", ref: junk } },
      "IMAGE_INVALID",
      /no squashfs image/,
    ],
    ["code of 10 MB and a byte", { code: { ...plain, ref: largeCode } }, "IMAGE_INVALID", /10000001 bytes/],
    [
      "data in no archive",
      { data: { encoding: "plain", mount: "/data", ref: code, use_latest: false } },
      "UNSUPPORTED",
      /zip archive or a squashfs image/,
    ],
    [
      "another node's conditions, without end",
      { requirements: { node: { address_regex: "(.|.|.|.|.|.)*#" } } },
      "REQUIREMENTS_NOT_MET",
      /cannot be held against/,
    ],
  ];
}

/** What a compute node refuses of instances whose disk is good, before any machine exists. */
export function refusedInstances(disk: string, badDisk: string): readonly Refused[] {
  const rootfs = (changes: object): object => ({
    rootfs: { parent: { ref: disk, use_latest: false }, persistence: "host", size_mib: 64, ...changes },
  });
  return [
    ["1 MiB of memory", resources({ memory: 1 }), "UNSUPPORTED", /ask for 32 or more/],
    ["65 processors", resources({ vcpus: 65 }), "UNSUPPORTED", /a machine can have 64: ask for fewer/],
    ["a terabyte of memory", resources({ memory: 1_048_576 }), "NO_CAPACITY", /1048576 MiB of memory/],
    ["two terabytes of disk", rootfs({ size_mib: 1_953_125 }), "NO_CAPACITY", /1953125 MiB of disk/],
    ["a volume that no node keeps", volume({ persistence: "store" }), "VOLUME_INVALID", /take "host"/],
    [
      "two volumes that would be one file",
      {
        volumes: [
          { persistence: "host", name: "../x", size_mib: 5 },
          { persistence: "host", name: "___x", size_mib: 5 },
        ],
      },
      "VOLUME_INVALID",
      /two volumes are kept as ___x/,
    ],
    [
      "256 volumes",
      {
        volumes: Array.from({ length: 256 }, (_, i) => ({ persistence: "host", name: `v${i}`, size_mib: 1 })),
      },
      "VOLUME_INVALID",
      /256 volumes/,
    ],
    [
      "a volume on a disk that leads elsewhere",
      volume({ parent: { ref: badDisk, use_latest: true } }),
      "IMAGE_INVALID",
      /stands on another file/,
    ],
    [
      "a guarded processor",
      { environment: { hypervisor: "qemu", internet: true, trusted_execution: { policy: 1 } } },
      "UNSUPPORTED",
      /confidential/,
    ],
    [
      "another hypervisor",
      { environment: { hypervisor: "firecracker", internet: true } },
      "UNSUPPORTED",
      /firecracker/,
    ],
  ];
}
