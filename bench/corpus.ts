import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createSeededRandom, type Random } from "@twentysix/platform";
import { createEvmAccount, type LocalAccount, type MessageType } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";

/*
 * The corpus of the benchmarks: signed messages of all types by 5,000 senders, the same for the same seed and
 * size. Generated once and kept under .cache/.
 */

const SEED = 26;
export const SENDERS = 5_000;
export const CHANNELS = 200;
export const POST_TYPES = 50;
export const TAGS = 100;
/** Small files that the STORE messages name; see `fileBytes`. */
export const FILES = 200;
const START_SECONDS = 1_700_000_000;

/** Share of each type, in thousandths; posts fill the rest. */
const SHARES: readonly (readonly [kind: Kind, perMille: number])[] = [
  ["amend", 60],
  ["aggregate", 250],
  ["store", 80],
  ["program", 20],
  ["instance", 10],
  ["forget", 20],
];
type Kind = "post" | "amend" | "aggregate" | "store" | "program" | "instance" | "forget";

/** Content of the n-th file. */
export function fileBytes(index: number): Buffer {
  return Buffer.from(`file ${index} of the benchmark corpus\n`.repeat(1 + (index % 20)));
}

/** Name of the n-th file. */
export const fileHash = (index: number): string =>
  createHash("sha256").update(fileBytes(index)).digest("hex");

/**
 * Writes the messages of the corpus from one line to before another into a file, one envelope a line, unless it is
 * there. A corpus is the same whatever its length: a longer one begins with a shorter.
 */
export async function ensureCorpus(from: number, to: number, log: (text: string) => void): Promise<string> {
  const folder = new URL("../.cache/bench/", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `corpus-${from}-${to}.ndjson`);
  if (existsSync(path)) return path;
  log(`signing messages ${from} to ${to} (once)`);
  const out = createWriteStream(`${path}.new`);
  const writer = new CorpusWriter();
  for (let index = 0; index < to; index += 1) {
    const line = writer.next(index, index >= from);
    if (index >= from && !out.write(`${line}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  renameSync(`${path}.new`, path);
  return path;
}

/** The lines of a corpus. */
export function readCorpus(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path, { highWaterMark: 1 << 20 }) });
}

const privateKeyOf = (sender: number): Buffer => createHash("sha256").update(`sender ${sender}`).digest();

/** Address of the n-th sender; the first 50 write a third of all messages. */
export function senderAddress(sender: number): string {
  return createEvmAccount({ privateKey: privateKeyOf(sender), signer: createNodeSecp256k1Signer() }).address;
}

class CorpusWriter {
  readonly #random: Random = createSeededRandom(SEED);
  readonly #accounts: LocalAccount[];
  /** Recent hashes that later messages refer to. */
  readonly #posts: { readonly hash: string; readonly sender: number }[] = [];
  readonly #stores: string[] = [];

  constructor() {
    const signer = createNodeSecp256k1Signer();
    this.#accounts = Array.from({ length: SENDERS }, (_, index) =>
      createEvmAccount({ privateKey: privateKeyOf(index), signer }),
    );
  }

  /** @param isSigned false where the message is only passed over, so that the next ones refer to it */
  next(index: number, isSigned: boolean): string {
    const timeMicros =
      BigInt(START_SECONDS) * 1_000_000n + BigInt(index) * 50_000n + BigInt(this.#random.uniform(49_999));
    let kind = this.#pickKind();
    if (kind === "amend" && this.#posts.length === 0) kind = "post";
    if ((kind === "program" || kind === "instance") && this.#stores.length < 3) kind = "store";
    if (kind === "forget" && this.#posts.length < 1_000) kind = "post";
    return this.#message(kind, this.#pickSender(), timeMicros, index, isSigned);
  }

  #pickKind(): Kind {
    let draw = this.#random.uniform(1_000);
    for (const [kind, share] of SHARES) {
      if (draw < share) return kind;
      draw -= share;
    }
    return "post";
  }

  /** A few senders write much, most write little. */
  #pickSender(): number {
    return this.#random.uniform(3) === 0 ? this.#random.uniform(50) : this.#random.uniform(SENDERS);
  }

  #message(kind: Kind, drawnSender: number, timeMicros: bigint, index: number, isSigned: boolean): string {
    const target = kind === "amend" || kind === "forget" ? this.#takeTarget(kind === "forget") : null;
    const sender = target?.sender ?? drawnSender;
    const account = this.#accounts[sender] as LocalAccount;
    const seconds = `${timeMicros / 1_000_000n}.${(timeMicros % 1_000_000n).toString().padStart(6, "0")}`;
    const body = {
      address: account.address,
      time: Number(seconds),
      ...this.#content(kind, index, sender, target?.hash ?? ""),
    };
    const type = TYPES[kind];
    const content = JSON.stringify(body);
    const itemHash = createHash("sha256").update(content).digest("hex");
    const signature = isSigned ? account.sign({ type, itemHash, timeMicros }) : "";
    if (kind === "post") this.#posts.push({ hash: itemHash, sender });
    if (kind === "store") this.#stores.push(itemHash);
    if (this.#posts.length > 20_000) this.#posts.splice(0, 10_000);
    if (this.#stores.length > 2_000) this.#stores.splice(0, 1_000);
    return JSON.stringify({
      chain: account.chain,
      sender: account.address,
      type,
      channel: `channel-${(sender * 7 + this.#random.uniform(2)) % CHANNELS}`,
      time: Number(seconds),
      item_type: "inline",
      item_content: content,
      item_hash: itemHash,
      signature,
    });
  }

  #takeTarget(remove: boolean): { readonly hash: string; readonly sender: number } {
    const position = this.#random.uniform(this.#posts.length);
    const target = this.#posts[position] as { hash: string; sender: number };
    if (remove) this.#posts.splice(position, 1);
    return target;
  }

  #content(kind: Kind, index: number, sender: number, target: string): Record<string, unknown> {
    switch (kind) {
      case "post":
        return {
          type: `type-${(sender + this.#random.uniform(3)) % POST_TYPES}`,
          content: { body: `post ${index} `.repeat(1 + this.#random.uniform(8)), ...this.#tags() },
        };
      case "amend":
        return { type: "amend", ref: target, content: { body: `amended by ${index}`, ...this.#tags() } };
      case "aggregate":
        return {
          key: `key-${this.#random.uniform(4)}`,
          content: { [`field-${this.#random.uniform(20)}`]: index, at: index },
        };
      case "store":
        return { item_type: "storage", item_hash: fileHash(this.#random.uniform(FILES)) };
      case "program":
        return this.#program();
      case "instance":
        return this.#instance();
      case "forget":
        return { hashes: [target], reason: "benchmark" };
    }
  }

  #tags(): { readonly tags?: readonly string[] } {
    return this.#random.uniform(4) === 0 ? { tags: [`tag-${this.#random.uniform(TAGS)}`] } : {};
  }

  #anyStore(): string {
    return this.#stores[this.#random.uniform(this.#stores.length)] as string;
  }

  #program(): Record<string, unknown> {
    return {
      type: "vm-function",
      allow_amend: false,
      code: { encoding: "zip", entrypoint: "main:app", ref: this.#anyStore() },
      runtime: { ref: this.#anyStore(), comment: "runtime" },
      on: { http: true },
      environment: { internet: true },
      resources: { vcpus: 1, memory: 128 },
      volumes: [],
    };
  }

  #instance(): Record<string, unknown> {
    return {
      allow_amend: false,
      environment: { internet: true },
      resources: { vcpus: 1, memory: 2048 },
      rootfs: { parent: { ref: this.#anyStore() }, persistence: "host", size_mib: 20_480 },
      volumes: [],
    };
  }
}

const TYPES: Readonly<Record<Kind, MessageType>> = {
  post: "POST",
  amend: "POST",
  aggregate: "AGGREGATE",
  store: "STORE",
  program: "PROGRAM",
  instance: "INSTANCE",
  forget: "FORGET",
};
