import { createHash } from "node:crypto";
import type { LocalAccount } from "@twentysix/protocol";
import { type Signed, signed } from "../../pipeline/support/signed.ts";
import type { StateHarness } from "../../pipeline/support/state-harness.ts";

const MIB = 1024 * 1024;

/** A file of so many MiB that a node is told it holds. */
export function fileOf(sizeMib: number, name: string): { readonly hash: string; readonly sizeBytes: number } {
  return {
    hash: createHash("sha256").update(`file ${name} of ${sizeMib}`).digest("hex"),
    sizeBytes: Math.round(sizeMib * MIB),
  };
}

export interface PaidOptions {
  readonly payment?: "hold" | "superfluid" | "credit";
  /** Envelope time; default: that of the content. */
  readonly envelopeTime?: number;
}

const paymentOf = ({ payment }: PaidOptions): object =>
  payment === undefined ? {} : { payment: { chain: "ETH", type: payment, receiver: "0x1" } };

/** A STORE of a file that the node holds. */
export async function storeOf(
  node: StateHarness,
  account: LocalAccount,
  time: number,
  sizeMib: number,
  options: PaidOptions & { readonly ipfsHash?: string; readonly ref?: string } = {},
): Promise<Signed> {
  const file = fileOf(sizeMib, `${account.address} ${time}`);
  const hash = options.ipfsHash ?? file.hash;
  await node.hold({ ...file, hash });
  const content = { item_type: options.ipfsHash === undefined ? "storage" : "ipfs", item_hash: hash };
  const ref = options.ref === undefined ? {} : { ref: options.ref };
  return signed(account, "STORE", time, { ...content, ...ref, ...paymentOf(options) }, envelopeOf(options));
}

/** An INSTANCE of one core and 2 GiB: 1,000 tokens held, or 3.958333333333333333 credits a second. */
export function instanceOf(
  account: LocalAccount,
  time: number,
  rootfs: string,
  options: PaidOptions & { readonly vcpus?: number; readonly rootfsMib?: number } = {},
): Signed {
  const { vcpus = 1, rootfsMib = 20_480 } = options;
  const parent = { ref: rootfs, use_latest: false };
  const content = {
    allow_amend: false,
    environment: {},
    resources: { vcpus, memory: 2_048 },
    rootfs: { parent, persistence: "host", size_mib: rootfsMib },
    volumes: [],
    ...paymentOf(options),
  };
  return signed(account, "INSTANCE", time, content, envelopeOf(options));
}

/** A function of one core; on demand unless it is to run all the time. */
export function programOf(
  account: LocalAccount,
  time: number,
  code: string,
  options: PaidOptions & { readonly persistent?: boolean } = {},
): Signed {
  const content = {
    type: "vm-function",
    allow_amend: false,
    code: { encoding: "zip", entrypoint: "main:app", ref: code, use_latest: false },
    runtime: { ref: code, comment: "", use_latest: false },
    on: { http: true, persistent: options.persistent ?? false },
    environment: {},
    resources: { vcpus: 1, memory: 128 },
    ...paymentOf(options),
  };
  return signed(account, "PROGRAM", time, content, envelopeOf(options));
}

const envelopeOf = ({ envelopeTime }: PaidOptions): { time?: number } =>
  envelopeTime === undefined ? {} : { time: envelopeTime };
