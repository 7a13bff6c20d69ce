import fc from "fast-check";
import { CID, OWNER, REGISTER, type SAMPLES, SHA, VARIANTS } from "../support/content-samples.ts";

/** A number as it is to be written, when that is not how JSON.stringify writes it. */
export class RawNumber {
  readonly token: string;
  constructor(token: string) {
    this.token = token;
  }
}

type Tree = unknown;

/** JSON text of a value that may contain raw numbers. */
export function textOf(value: Tree): string {
  if (value instanceof RawNumber) return value.token;
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}:${textOf(member)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}

const raw = (token: string) => new RawNumber(token);

/** Values on both sides of every limit and coercion. */
const VALUES: readonly Tree[] = [
  null,
  true,
  false,
  0,
  1,
  2,
  -1,
  raw("1.0"),
  raw("2.0"),
  raw("1000.0"),
  raw("1e3"),
  2.5,
  500,
  1000,
  1001,
  65535,
  65536,
  1048576,
  1048577,
  1953125,
  1953126,
  196608,
  131072,
  raw("18446744073709551615"),
  raw("18446744073709551616"),
  raw("9223372036"),
  raw("9223372036.5"),
  raw("1e20"),
  raw("-0"),
  raw("-0.0"),
  "",
  "1",
  "2.0",
  " 2 ",
  "+3",
  "1_000",
  "1__0",
  "0x2",
  "1e3",
  "2.",
  "yes",
  "TRUE",
  "off",
  " on",
  "t",
  "n",
  "free text",
  "é😀",
  "hold",
  "superfluid",
  "credit",
  "host",
  "store",
  "storage",
  "ipfs",
  "inline",
  "plain",
  "asgi",
  "tcp",
  "udp",
  "qemu",
  "firecracker",
  "sev",
  "sev_snp",
  "tdx",
  "0300",
  "0302",
  "x86_64",
  "ETH",
  "MEGA_CHAIN",
  "amend",
  "vm-function",
  SHA,
  SHA.toUpperCase(),
  CID,
  REGISTER,
  OWNER,
  "a".repeat(64),
  "a".repeat(65),
  "a".repeat(128),
  "a".repeat(129),
  "a".repeat(256),
  "a".repeat(257),
  "😀".repeat(256),
  "a".repeat(512),
  "a".repeat(513),
  "a".repeat(1000),
  "a".repeat(1001),
  "[a-z]+",
  "(unclosed",
  [],
  [null],
  ["tag"],
  [""],
  ["a".repeat(257)],
  Array(16).fill("t"),
  Array(17).fill("t"),
  [SHA],
  [SHA, "deadbeef"],
  {},
  { name: "x" },
  { tags: ["a"] },
  { tags: null },
  { tags: "a" },
  { type: "credit" },
  { type: "hold", chain: "AVAX", receiver: null },
  { type: "superfluid" },
  { ref: SHA },
  { ref: SHA, use_latest: "no" },
  { size_mib: 500 },
  { size_mib: 5000, mount: "/x" },
  { size_mib: 10, persistence: null },
  { size_mib: raw("10.0") },
  { ephemeral: true, size_mib: 5 },
  { ephemeral: false, size_mib: 5 },
  { ephemeral: 1, size_mib: 5 },
  { ref: SHA, size_mib: 10 },
  { parent: { ref: SHA }, size_mib: 10, persistence: "host" },
  { node: { node_hash: SHA } },
  { node: { node_hash: SHA, terms_and_conditions: SHA } },
  { node: { terms_and_conditions: SHA } },
  { node: { address_regex: "^https://.*$" } },
  { node: { address_regex: "(" } },
  { gpu: [{ vendor: "NVIDIA", device_name: "L40S", device_class: "0302", device_id: "10de:26b9" }] },
  {
    gpu: [{ vendor: "NVIDIA", device_name: "L40S", device_class: "0302", device_id: "10de:26b9" }],
    node: { node_hash: SHA },
  },
  { cpu: { architecture: "arm64", features: ["sev"] } },
  { platform: "sev_snp", registers: { launch: REGISTER } },
  { platform: "tdx", registers: { launch: REGISTER } },
  { firmware: SHA, policy: 1 },
  { mode: "sev", runtime: SHA },
  {
    mode: "sev_snp",
    policy: 196608,
    runtime: SHA,
    measurements: [{ platform: "sev_snp", registers: { launch: REGISTER } }],
  },
  {
    mode: "tdx",
    runtime: SHA,
    attestation_port: 8443,
    measurements: [
      {
        platform: "tdx",
        registers: { mrtd: REGISTER, rtmr1: REGISTER, rtmr2: REGISTER, mrconfigid: REGISTER },
      },
    ],
  },
  { http: true, message: [{ type: "POST" }] },
  {
    http: "yes",
    message: [Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, index]))],
  },
  { protocol: "udp", port: 53 },
  { port: 0 },
];

/** Every key that some schema knows, and some that none does. */
const KEYS = `
  address time key content type ref tags item_type item_hash size content_type metadata payment chain
  receiver allow_amend authorized_keys variables environment resources requirements volumes replaces
  code runtime data export on encoding entrypoint interface args use_latest comment mount name
  persistence parent ephemeral size_mib rootfs forgotten_by vcpus memory seconds published_ports
  internet aleph_api reproducible shared_cache hypervisor trusted_execution firmware policy mode
  measurements attestation_port platform registers launch vcpu_type workload verification backend
  hash_tree roothash cpu node gpu node_hash owner address_regex terms_and_conditions hashes aggregates
  reason http message persistent mime_type __proto__ constructor
`
  .trim()
  .split(/\s+/);

interface Step {
  readonly at: readonly number[];
  readonly action: "replace" | "remove" | "add" | "append";
  readonly key: string;
  readonly value: Tree;
}

const step: fc.Arbitrary<Step> = fc.record({
  at: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
  action: fc.constantFrom("replace", "replace", "remove", "add", "add", "append"),
  key: fc.constantFrom(...KEYS),
  value: fc.constantFrom(...VALUES),
});

/** A content that is a few changes away from a valid one. */
export function mutatedContent(type: keyof typeof SAMPLES): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...VARIANTS[type]), fc.array(step, { minLength: 1, maxLength: 3 }))
    .map(([sample, steps]) => textOf(steps.reduce<Tree>((tree, change) => apply(tree, change, 0), sample)));
}

function apply(tree: Tree, change: Step, depth: number): Tree {
  if (tree instanceof RawNumber || typeof tree !== "object" || tree === null) return change.value;
  if (Array.isArray(tree)) return applyToList(tree, change, depth);
  const entries = Object.entries(tree);
  const isLast = depth === change.at.length - 1 || entries.length === 0;
  if (isLast && (change.action === "add" || change.action === "append" || entries.length === 0)) {
    return fromEntries([...entries.filter(([key]) => key !== change.key), [change.key, change.value]]);
  }
  const index = (change.at[depth] ?? 0) % entries.length;
  if (isLast && change.action === "remove") return fromEntries(entries.filter((_, at) => at !== index));
  return fromEntries(
    entries.map(([key, member], at): [string, Tree] => {
      if (at !== index) return [key, member];
      return [key, isLast ? change.value : apply(member, change, depth + 1)];
    }),
  );
}

function applyToList(items: readonly Tree[], change: Step, depth: number): Tree {
  const isLast = depth === change.at.length - 1 || items.length === 0;
  if (isLast && (change.action === "add" || change.action === "append" || items.length === 0)) {
    return [...items, change.value];
  }
  const index = (change.at[depth] ?? 0) % items.length;
  if (isLast && change.action === "remove") return items.filter((_, at) => at !== index);
  return items.map((item, at) => {
    if (at !== index) return item;
    return isLast ? change.value : apply(item, change, depth + 1);
  });
}

/** Keeps a key `__proto__` as a member. */
function fromEntries(entries: readonly (readonly [string, Tree])[]): Tree {
  return Object.fromEntries(entries);
}
