import { createHash } from "node:crypto";
import {
  createEvmAccount,
  createSolanaAccount,
  encodeHex,
  type LocalAccount,
  type MessageType,
  verificationBuffer,
} from "@twentysix/protocol";
import { createNodeCrypto, createNodeSecp256k1Signer } from "@twentysix/protocol/node";

const crypto = createNodeCrypto();
const signer = createNodeSecp256k1Signer();
const key = (name: string): Uint8Array => createHash("sha256").update(`test key of ${name}`).digest();

/** Accounts of the tests by name. */
export const evm = (name: string): LocalAccount => createEvmAccount({ privateKey: key(name), signer });
export const solana = (name: string): LocalAccount => createSolanaAccount({ privateKey: key(name) });

/** Signs with the key of `name` for another sender: the same address in other letters, or a contract. */
export function evmAs(name: string, sender: string): LocalAccount {
  const account = evm(name);
  return {
    ...account,
    address: sender,
    sign({ type, itemHash }) {
      const buffer = verificationBuffer({ chain: account.chain, sender, type, itemHash });
      const prefix = `\x19Ethereum Signed Message:\n${buffer.length}`;
      const { rs, recoveryId } = signer.sign(
        crypto.keccak256(Buffer.concat([Buffer.from(prefix), buffer])),
        key(name),
      );
      return `0x${encodeHex(rs)}${(27 + recoveryId).toString(16)}`;
    },
  };
}

export interface Signed {
  readonly hash: string;
  readonly text: string;
}

export interface EnvelopeOptions {
  /** Default: that of the content. */
  readonly time?: number;
  readonly channel?: string | null;
  /** Default: the signer. */
  readonly owner?: string;
}

/** A signed inline message whose content is made at `time` seconds. */
export function signed(
  account: LocalAccount,
  type: MessageType,
  time: number,
  content: Readonly<Record<string, unknown>>,
  options: EnvelopeOptions = {},
): Signed {
  const text = JSON.stringify({ address: options.owner ?? account.address, time, ...content });
  return envelope(account, type, text, { time, ...options });
}

/** Another envelope around a content: other time, channel or signer. */
export function envelope(
  account: LocalAccount,
  type: MessageType,
  content: string,
  options: EnvelopeOptions & { readonly time: number },
): Signed {
  const hash = createHash("sha256").update(content).digest("hex");
  const timeMicros = BigInt(Math.round(options.time * 1e6));
  const body = {
    chain: account.chain,
    sender: account.address,
    type,
    channel: options.channel === undefined ? "TEST" : options.channel,
    time: options.time,
    item_type: "inline",
    item_content: content,
    item_hash: hash,
    signature: account.sign({ type, itemHash: hash, timeMicros }),
  };
  return { hash, text: JSON.stringify(body) };
}

/** The same message with other values in its envelope. */
export function withEnvelope(message: Signed, values: Readonly<Record<string, unknown>>): Signed {
  return { hash: message.hash, text: JSON.stringify({ ...(JSON.parse(message.text) as object), ...values }) };
}

/** The same EVM signature, written differently; anything else as it is. */
export function respelled(message: Signed): Signed {
  const { signature } = JSON.parse(message.text) as { signature: string };
  if (!signature.startsWith("0x")) return message;
  return withEnvelope(message, { signature: signature.slice(2).toUpperCase() });
}

export const post = (account: LocalAccount, time: number, body: unknown, options?: EnvelopeOptions): Signed =>
  signed(account, "POST", time, { type: "note", content: { body } }, options);

export const amend = (
  account: LocalAccount,
  time: number,
  ref: string,
  body: unknown,
  options?: EnvelopeOptions,
): Signed =>
  signed(account, "POST", time, { type: "amend", ref, content: { body, tags: [`t${time % 3}`] } }, options);

export const aggregate = (
  account: LocalAccount,
  time: number,
  name: string,
  content: object,
  options?: EnvelopeOptions,
): Signed => signed(account, "AGGREGATE", time, { key: name, content }, options);

export const grant = (
  account: LocalAccount,
  time: number,
  ...entries: readonly {
    readonly address: string;
    readonly types?: readonly string[];
    readonly post_types?: readonly string[];
  }[]
): Signed => aggregate(account, time, "security", { authorizations: entries });

export const store = (
  account: LocalAccount,
  time: number,
  fileHash: string,
  ref: string | null = null,
  options?: EnvelopeOptions,
): Signed =>
  signed(
    account,
    "STORE",
    time,
    { item_type: "storage", item_hash: fileHash, ...(ref === null ? {} : { ref }) },
    options,
  );

export const forget = (
  account: LocalAccount,
  time: number,
  hashes: readonly string[],
  options?: EnvelopeOptions,
): Signed => signed(account, "FORGET", time, { hashes }, options);

export const program = (
  account: LocalAccount,
  time: number,
  ref: string,
  replaces: string | null = null,
): Signed =>
  signed(account, "PROGRAM", time, {
    type: "vm-function",
    allow_amend: true,
    code: { encoding: "zip", entrypoint: "main:app", ref, use_latest: false },
    runtime: { ref, comment: "", use_latest: false },
    on: { http: true },
    environment: {},
    resources: {},
    ...(replaces === null ? {} : { replaces }),
  });

/** An INSTANCE on the file of a STORE. */
export const instance = (
  account: LocalAccount,
  time: number,
  options: {
    readonly ref: string;
    readonly sizeMib: number;
    readonly allowAmend: boolean;
    readonly replaces?: string;
    readonly owner?: string;
  },
): Signed =>
  signed(
    account,
    "INSTANCE",
    time,
    {
      allow_amend: options.allowAmend,
      environment: {},
      resources: {},
      rootfs: {
        parent: { ref: options.ref, use_latest: false },
        persistence: "host",
        size_mib: options.sizeMib,
      },
      ...(options.replaces === undefined ? {} : { replaces: options.replaces }),
    },
    options.owner === undefined ? {} : { owner: options.owner },
  );

/** A V-PROGRAM whose every file is that of the STORE `ref`, paid with credits. */
export function vprogram(
  account: LocalAccount,
  time: number,
  ref: string,
  members: Readonly<Record<string, unknown>> = {},
): Signed {
  const roothash = "0".repeat(64);
  return signed(account, "V-PROGRAM", time, {
    allow_amend: false,
    payment: { type: "credit" },
    environment: { internet: true },
    resources: { vcpus: 2, memory: 2048, seconds: 30 },
    runtime: { ref },
    workload: { ref, hash_tree: ref, roothash },
    verification: {
      backend: "sev_snp",
      policy: 196_608,
      measurements: [{ platform: "sev_snp", registers: { launch: "ab".repeat(48) } }],
    },
    ...members,
  });
}

/** A message whose content is a file: the envelope alone, and the content to upload. */
export function apart(message: Signed): { readonly envelope: Signed; readonly content: string } {
  const { item_content: content, ...rest } = JSON.parse(message.text) as { item_content: string };
  return {
    envelope: { hash: message.hash, text: JSON.stringify({ ...rest, item_type: "storage" }) },
    content,
  };
}
