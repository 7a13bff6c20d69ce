import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createEvmAccount, decodeLowerHex, type LocalAccount, type MessageType } from "@twentysix/protocol";
import type { Status } from "@twentysix/storage";
import { type EnvelopeOptions, type Signed, signed } from "../../pipeline/support/signed.ts";
import { networkDefinition } from "../../pipeline/support/state-harness.ts";
import type { RealNode } from "./real-node.ts";

/** Seconds at which these stories begin. */
export const T = 1_790_000_000;
export const MIB = 1024 * 1024;

const definition = networkDefinition("local");

/** An account of the local network, whose keys everybody knows. */
export function localAccount(role: string): LocalAccount {
  const known = definition.developmentAccounts.find((account) => account.role === role);
  const key = known === undefined ? null : decodeLowerHex(known.insecurePrivateKey);
  if (key === null) throw new Error(`The local network has no account ${role}`);
  return createEvmAccount({ privateKey: key });
}

/** Whoever publishes balances there is also its registry. */
export const publishers = {
  balances: localAccount("registry"),
  credits: localAccount("credits"),
  prices: localAccount("prices"),
};

/** Submits a message over HTTP and says how it ended. */
export async function submit(node: RealNode, { text }: Signed): Promise<{ status: number; body: unknown }> {
  const response = await node.post("/api/v0/messages", `{"sync":true,"message":${text}}`);
  return { status: response.status, body: await response.json() };
}

/** The same for a message that must be processed; its hash. */
export async function accept(node: RealNode, message: Signed): Promise<string> {
  const { status, body } = await submit(node, message);
  if (status !== 200) throw new Error(`The node answered ${status}: ${JSON.stringify(body)}`);
  return message.hash;
}

export function send(
  node: RealNode,
  account: LocalAccount,
  type: MessageType,
  time: number,
  content: Readonly<Record<string, unknown>>,
  options?: EnvelopeOptions,
): Promise<string> {
  return accept(node, signed(account, type, time, content, options));
}

/** Publishes balances of addresses on a chain. */
export function publishBalances(
  node: RealNode,
  time: number,
  balances: Readonly<Record<string, number>>,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const content = { chain: "ETH", main_height: time, balances, ...fields };
  return send(node, publishers.balances, "POST", time, { type: "balances-update", content });
}

const CREDITS = { channel: "ALEPH_CREDIT" };

export interface Grant {
  readonly address: string;
  readonly amount: number;
  readonly [field: string]: unknown;
}

/** Grants credits; `expiration` in milliseconds. */
export function grant(node: RealNode, time: number, ...grants: readonly Grant[]): Promise<string> {
  const credits = grants.map((one) => ({ price: "0.5", tx_hash: "0xabc", provider: "ALEPH", ...one }));
  const content = { distribution: { token: "ALEPH", chain: "ETH", credits } };
  const body = { type: "aleph_credit_distribution", content };
  return send(node, publishers.credits, "POST", time, body, CREDITS);
}

/** Bills credits. */
export function bill(node: RealNode, time: number, ...credits: readonly Grant[]): Promise<string> {
  const content = { expense: { count: credits.length, credits } };
  return send(node, publishers.credits, "POST", time, { type: "aleph_credit_expense", content }, CREDITS);
}

/** Tells the node of a file that it holds. */
export async function hold(node: RealNode, name: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256").update(`file ${name} of ${sizeBytes}`).digest("hex");
  const sha256 = Buffer.from(hash, "hex");
  await node.pipeline.registerFile({ hash, sizeBytes, type: "file", sha256, cid: null }, null);
  return hash;
}

export const payment = (type: "hold" | "credit" | "superfluid"): Record<string, unknown> => ({
  payment: { chain: "ETH", type, receiver: "0x1" },
});

/** Stores a file of so many bytes that the node is told of. */
export async function store(
  node: RealNode,
  account: LocalAccount,
  time: number,
  sizeBytes: number,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const fileHash = await hold(node, `${account.address} ${time}`, sizeBytes);
  return send(node, account, "STORE", time, { item_type: "storage", item_hash: fileHash, ...fields });
}

/** The content of an instance of one core and 2 GiB, without owner and time. */
export function instanceContent(
  rootfs: string,
  fields: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    allow_amend: false,
    environment: {},
    resources: { vcpus: 1, memory: 2_048 },
    rootfs: { parent: { ref: rootfs, use_latest: false }, persistence: "host", size_mib: 20_480 },
    volumes: [],
    ...fields,
  };
}

/** Resolves when a message has this status: at once, or after the commit that brings it. */
export async function untilStatus(node: RealNode, itemHash: string, status: Status): Promise<void> {
  const reached = Promise.withResolvers<void>();
  const look = (): void => {
    if (node.reads.statusOf(itemHash)?.status === status) reached.resolve();
  };
  const stop = node.pipeline.onCommit(look);
  look();
  await reached.promise;
  stop();
}

/** The content of the published price list of the local network. */
export const pricing = (): Record<string, unknown> =>
  (
    JSON.parse(readFileSync(new URL("../../../../../networks/local.json", import.meta.url), "utf8")) as {
      pricing: Record<string, unknown>;
    }
  ).pricing;

/** Every item of a list by cursor, in steps of so many. */
export async function walk(node: RealNode, path: string, key: string, pageSize: number): Promise<unknown[]> {
  const items: unknown[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const join = path.includes("?") ? "&" : "?";
    const page = (await node.json(
      `${path}${join}pagination=${pageSize}&cursor=${encodeURIComponent(cursor)}`,
    )) as Record<string, unknown>;
    items.push(...(page[key] as unknown[]));
    cursor = page.next_cursor as string | null;
  }
  return items;
}
