import { createHash } from "node:crypto";
import { createSeededRandom, type Random } from "@twentysix/platform";
import {
  type Account,
  type Client,
  type CreatedMessage,
  createClient,
  createEvmAccount,
  createSolanaAccount,
  type Fetch,
  isSdkError,
} from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { giveTokens } from "./funds.ts";

/** What the node has answered: from then on it must keep it. */
export interface Acknowledgements {
  /** Answered as `processed`. */
  readonly processed: Set<string>;
  /** Answered with 202: durably queued. */
  readonly accepted: Set<string>;
  /** Messages that a FORGET was sent for, with their amends: they may be forgotten, answered or not. */
  readonly forgetSent: Set<string>;
  /** SHA-256 of the bytes of every file answered with a hash, by that hash. */
  readonly files: Map<string, string>;
}

export interface Acknowledgement {
  readonly kind: "processed" | "accepted" | "file";
  readonly hash: string;
  /** Of a file: SHA-256 of its bytes. */
  readonly sha256?: string;
}

export const noAcknowledgements = (): Acknowledgements => ({
  processed: new Set(),
  accepted: new Set(),
  forgetSent: new Set(),
  files: new Map(),
});

export const countOf = (acknowledged: Acknowledgements): number =>
  acknowledged.processed.size + acknowledged.accepted.size + acknowledged.files.size;

export const sha256Hex = (bytes: string | Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

const key = (name: string): Uint8Array => createHash("sha256").update(`load ${name}`).digest();

/** Accounts of the load, by number. */
export const loadAccount = (number: number): Account =>
  number % 2 === 0
    ? createEvmAccount({ privateKey: key(`${number}`) })
    : createSolanaAccount({ privateKey: key(`${number}`) });

export interface LoadOptions {
  readonly apiUrl: string;
  readonly acknowledged: Acknowledgements;
  readonly seed: number;
  readonly workers: number;
  /** Ends the load; whatever is on its way then counts as not answered. */
  readonly signal: AbortSignal;
  /** Told after every answer. */
  readonly onAnswer?: () => void;
  /** Told of every acknowledgement, by the worker that received it. */
  readonly onAcknowledged?: (acknowledgement: Acknowledgement, worker: number) => void;
  /** How a worker sends its requests; by the platform's own means when not given. */
  readonly fetchOf?: (worker: number) => Fetch;
}

/**
 * Sends messages of all types and files, from several workers at once, until it is told to stop or the node is
 * gone. A refusal by the node is an error of the test: everything that is sent is valid.
 */
export async function runLoad(options: LoadOptions): Promise<void> {
  const accounts = Array.from({ length: options.workers }, (_, number) => loadAccount(number).address);
  await giveTokens(options, Object.fromEntries(accounts.map((address) => [address, 1e9])));
  await Promise.all(
    Array.from({ length: options.workers }, (_, number) => new LoadWorker(options, number).run()),
  );
}

class LoadWorker {
  readonly #options: LoadOptions;
  readonly #number: number;
  readonly #client: Client;
  readonly #account: Account;
  readonly #random: Random;
  /** Posts and stored files of this worker, processed by the node. */
  readonly #posts: string[] = [];
  readonly #stores: string[] = [];
  readonly #amends = new Map<string, readonly string[]>();
  #count = 0;

  constructor(options: LoadOptions, number: number) {
    this.#options = options;
    this.#number = number;
    this.#client = createClient({
      apiUrl: options.apiUrl,
      createSha256: createNodeSha256,
      retries: 0,
      timeoutMs: 60_000,
      ...(options.fetchOf === undefined ? {} : { fetch: options.fetchOf(number) }),
    });
    this.#account = loadAccount(number);
    this.#random = createSeededRandom(options.seed * 1_000 + number);
  }

  async run(): Promise<void> {
    while (!this.#options.signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (isGone(error)) return;
        throw error;
      }
      this.#count += 1;
      this.#options.onAnswer?.();
    }
  }

  async #step(): Promise<void> {
    const sync = this.#random.uniform(2) === 0;
    const shared = { account: this.#account, sync };
    const body = { body: this.#text(), number: this.#count };
    switch (this.#random.uniform(10)) {
      case 0:
      case 1: {
        const channel = this.#random.uniform(2) === 0 ? "LOAD" : null;
        const made = await this.#client.createPost({ ...shared, channel, type: "load", content: body });
        return this.#take(made, this.#posts);
      }
      case 2:
        return this.#amend(shared, body);
      case 3: {
        const content = { [`field ${this.#random.uniform(5)}`]: this.#count };
        return this.#take(await this.#client.createAggregate({ ...shared, key: "load", content }));
      }
      case 4:
        return this.#store(sync);
      case 5:
        return this.#upload();
      case 6:
        return this.#forget(sync);
      case 7:
        return this.#program(shared);
      case 8:
        // Longer than fits into the envelope: it is uploaded first.
        return this.#take(
          await this.#client.createPost({
            ...shared,
            type: "load",
            content: { body: "long ".repeat(11_000) + this.#text() },
          }),
        );
      default:
        return this.#waiting();
    }
  }

  async #amend(
    shared: { account: Account; sync: boolean },
    body: { body: string; number: number },
  ): Promise<void> {
    const original = this.#any(this.#posts);
    if (original === undefined) return;
    const made = await this.#client.amendPost({ ...shared, originalHash: original, content: body });
    this.#take(made);
    this.#amends.set(original, [...(this.#amends.get(original) ?? []), made.itemHash]);
  }

  async #store(sync: boolean): Promise<void> {
    const file = this.#bytes();
    const engine = this.#random.uniform(2) === 0 ? "storage" : "ipfs";
    const ref = this.#random.uniform(2) === 0 ? "named" : undefined;
    const stored = await this.#client.storeFile({ account: this.#account, sync, file, engine, ref });
    this.#acknowledge({ kind: "file", hash: stored.fileHash, sha256: sha256Hex(file) });
    this.#take(stored, this.#stores);
  }

  async #upload(): Promise<void> {
    const file = this.#bytes();
    const engine = this.#random.uniform(2) === 0 ? "storage" : "ipfs";
    const uploaded = await this.#client.uploadFile({ file, engine });
    this.#acknowledge({ kind: "file", hash: uploaded.itemHash, sha256: sha256Hex(file) });
  }

  async #forget(sync: boolean): Promise<void> {
    const target = this.#posts.shift();
    if (target === undefined) return;
    for (const hash of [target, ...(this.#amends.get(target) ?? [])]) {
      this.#options.acknowledged.forgetSent.add(hash);
    }
    const made = await this.#client.forget({ account: this.#account, sync, itemHashes: [target] });
    for (const one of made) this.#take(one);
  }

  async #program(shared: { account: Account; sync: boolean }): Promise<void> {
    const ref = this.#any(this.#stores);
    if (ref === undefined) return;
    const content = {
      type: "vm-function",
      allow_amend: true,
      code: { encoding: "zip", entrypoint: "main:app", ref, use_latest: false },
      runtime: { ref, comment: this.#text(), use_latest: false },
      on: { http: true },
      environment: {},
      resources: {},
    };
    this.#take(await this.#client.createMessage({ ...shared, type: "PROGRAM", content }));
  }

  /** A message that has to wait: its file comes later, or never. */
  async #waiting(): Promise<void> {
    const content = { item_type: "storage", item_hash: sha256Hex(this.#text()) };
    this.#take(await this.#client.createMessage({ account: this.#account, type: "STORE", content }));
  }

  #take(made: Pick<CreatedMessage, "itemHash" | "status">, list?: string[]): void {
    if (made.status !== "processed") {
      this.#acknowledge({ kind: "accepted", hash: made.itemHash });
      return;
    }
    this.#acknowledge({ kind: "processed", hash: made.itemHash });
    list?.push(made.itemHash);
  }

  #acknowledge(acknowledgement: Acknowledgement): void {
    const { kind, hash, sha256 = "" } = acknowledgement;
    if (kind === "file") this.#options.acknowledged.files.set(hash, sha256);
    else this.#options.acknowledged[kind].add(hash);
    this.#options.onAcknowledged?.(acknowledgement, this.#number);
  }

  #any(items: readonly string[]): string | undefined {
    return items.length === 0 ? undefined : items[this.#random.uniform(items.length)];
  }

  #text(): string {
    return `${this.#account.address} ${this.#count} ${this.#options.seed} ${this.#random.uniform(1e9)}`;
  }

  #bytes(): Uint8Array {
    return this.#random.randomBytes(
      1 + this.#random.uniform(this.#random.uniform(10) === 0 ? 600_000 : 5_000),
    );
  }
}

/** The node was killed or is stopping: that is what the tests are about. */
function isGone(error: unknown): boolean {
  if (!isSdkError(error)) return false;
  if (error.code === "SDK_NETWORK_ERROR") return true;
  return isSdkError(error, "SDK_HTTP_ERROR") && error.details.status === 503;
}
