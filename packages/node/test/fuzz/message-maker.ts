import { createHash } from "node:crypto";
import type { Random } from "@twentysix/platform";
import {
  createEvmAccount,
  createSolanaAccount,
  type LocalAccount,
  type MessageType,
} from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";
import { SHA, VARIANTS } from "./content-samples.ts";
import { mutateJson, mutateText, pickOf } from "./mutate.ts";

const MAX_REMEMBERED = 500;
const signer = createNodeSecp256k1Signer();

export const sha256Hex = (bytes: string | Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

function account(number: number): LocalAccount {
  const privateKey = createHash("sha256").update(`fuzz ${number}`).digest();
  return number % 3 === 2 ? createSolanaAccount({ privateKey }) : createEvmAccount({ privateKey, signer });
}

export const ACCOUNTS: readonly LocalAccount[] = [0, 1, 2, 3].map(account);

export interface MadeMessage {
  readonly text: string;
  readonly itemHash: string;
  /** Content of a message that is not inline. */
  readonly content?: string;
}

/**
 * Makes messages that refer to each other: valid ones, validly signed ones with a strange content, and envelopes
 * that were damaged after they were signed.
 */
export class MessageMaker {
  readonly #known: string[] = [];
  readonly #stores: string[] = [];

  /**
   * Gives a node some files, so that messages can store them.
   *
   * @returns the hashes of the files
   */
  static async uploadFiles(apiUrl: string): Promise<string[]> {
    const names = ["one", "two", "three"];
    return await Promise.all(
      names.map(async (name) => {
        const body = new FormData();
        body.append("file", new Blob([name]));
        const response = await fetch(`${apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
        return ((await response.json()) as { hash: string }).hash;
      }),
    );
  }

  readonly #files: readonly string[];

  constructor(files: readonly string[] = []) {
    this.#files = files;
  }

  /** Remembers a hash, so that later messages amend it, forget it or run it. */
  know(hash: string): void {
    if (this.#known.length < MAX_REMEMBERED) this.#known.push(hash);
    else this.#known[Number.parseInt(hash.slice(0, 8), 36) % MAX_REMEMBERED || 0] = hash;
  }

  make(random: Random): MadeMessage {
    const type = pickOf(random, Object.keys(VARIANTS) as (keyof typeof VARIANTS)[]);
    const signing = pickOf(random, ACCOUNTS);
    const content = this.#content(random, type, signing);
    const choice = random.uniform(10);
    const text = choice < 5 ? JSON.stringify(content) : mutateJson(random, content, this.words(random));
    const made = this.#sign(random, type, signing, text);
    this.know(made.itemHash);
    if (type === "STORE" && choice < 5 && this.#stores.length < MAX_REMEMBERED)
      this.#stores.push(made.itemHash);
    return choice === 9 ? { ...made, text: this.#damage(random, made.text) } : made;
  }

  /** Words that mean something to a node, beside some that do not. */
  words(random: Random): string[] {
    const known = Array.from({ length: 4 }, () => this.#anyHash(random));
    const addresses = ACCOUNTS.map(({ address }) => address);
    const names =
      "amend POST STORE FORGET security inline storage ipfs ETH SOL credit hold key ref tags".split(" ");
    return [...known, ...addresses, ...addresses.map((one) => one.toLowerCase()), ...names, "", "ä\u0000"];
  }

  #content(random: Random, type: keyof typeof VARIANTS, signing: LocalAccount): Record<string, unknown> {
    const sample = pickOf(random, VARIANTS[type]) as Record<string, unknown>;
    const owner = random.uniform(8) === 0 ? pickOf(random, ACCOUNTS) : signing;
    const time = 1_700_000_000 + random.uniform(1_000);
    const content: Record<string, unknown> = {
      ...this.#withFiles(random, sample),
      address: owner.address,
      time,
    };
    if (type === "POST" && random.uniform(2) === 0) Object.assign(content, { type: "note", ref: null });
    if (type === "POST" && content.type === "amend") content.ref = this.#anyHash(random);
    if (type === "FORGET") content.hashes = [this.#anyHash(random), this.#anyHash(random)];
    if (type === "STORE" && random.uniform(2) === 0) content.ref = this.#anyHash(random);
    if (type === "STORE" && this.#files.length > 0 && random.uniform(5) > 0) {
      Object.assign(content, { item_type: "storage", item_hash: pickOf(random, this.#files) });
    }
    if (type === "PROGRAM" && random.uniform(2) === 0) content.replaces = this.#anyHash(random);
    if (type === "AGGREGATE" && random.uniform(2) === 0) {
      const authorizations = [{ address: pickOf(random, ACCOUNTS).address, types: [], channels: [] }];
      Object.assign(content, { key: "security", content: { authorizations } });
    }
    return content;
  }

  /** The sample, running on something that is really stored. */
  #withFiles(random: Random, sample: Record<string, unknown>): Record<string, unknown> {
    if (this.#stores.length === 0 || random.uniform(5) === 0) return structuredClone(sample);
    return JSON.parse(JSON.stringify(sample).replaceAll(SHA, pickOf(random, this.#stores)));
  }

  #sign(random: Random, type: MessageType, signing: LocalAccount, content: string): MadeMessage {
    const itemHash = sha256Hex(content);
    const time = 1_700_000_000 + random.uniform(10_000) / 8;
    const timeMicros = BigInt(Math.round(time * 1e6));
    const isInline = random.uniform(8) > 0;
    const envelope = {
      chain: signing.chain,
      sender: signing.address,
      type,
      channel: pickOf(random, ["FUZZ", null, "", "x".repeat(100)]),
      time,
      item_type: isInline ? "inline" : "storage",
      ...(isInline ? { item_content: content } : {}),
      item_hash: itemHash,
      signature: signing.sign({ type, itemHash, timeMicros }),
    };
    return { text: JSON.stringify(envelope), itemHash, ...(isInline ? {} : { content }) };
  }

  #damage(random: Random, text: string): string {
    return random.uniform(2) === 0
      ? mutateText(random, text)
      : mutateJson(random, JSON.parse(text), this.words(random));
  }

  #anyHash(random: Random): string {
    return this.#known.length === 0 ? sha256Hex("nothing") : pickOf(random, this.#known);
  }
}
