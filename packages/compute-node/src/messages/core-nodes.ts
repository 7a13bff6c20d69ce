import { type Clock, isAbortOf, type Logger } from "@twentysix/platform";
import { type CryptoProvider, isJsonObject, type JsonObject } from "@twentysix/protocol";
import {
  type AddressBalance,
  type Connection,
  createConnection,
  downloadFile,
  fetchAggregate,
  getBalance,
  getMessage,
  getPrice,
  getStatus,
  isSdkError,
  listMessages,
  type MessageObject,
  type MessageView,
} from "@twentysix/sdk";
import { authenticEnvelope, type TypedVm, vmContentOf } from "./authentic-message.ts";
import type { AddressFunds, CoreNodeClient, VmMessage, VmPrice } from "./core-node-client.ts";
import { CoreNodesError } from "./errors.ts";
import { TtlCache } from "./ttl-cache.ts";

export interface CoreNodesOptions {
  /** Base URLs; the first is asked first. */
  readonly apiUrls: readonly string[];
  readonly crypto: CryptoProvider;
  /** How many must say that something is gone before anything ends for it, as far as so many are known. */
  readonly minAgreeing: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every answer: this node is not cut off. */
  readonly onContact: () => void;
}

const TIMEOUT_MS = 15_000;
/** A content of a machine that is not in its envelope. */
const MAX_CONTENT_BYTES = 4 * 1_024 * 1_024;
const CANDIDATE_AMENDS = 20;
/** Of one owner: more are not looked at. */
const MAX_PROGRAMS = 200;
const PING_TIMEOUT_MS = 3_000;
const HOUR_MS = 3_600_000;

/** Talks to core nodes: each question to one after the other until it is answered, those that stop machines to all. */
export class CoreNodes implements CoreNodeClient {
  readonly connections: readonly Connection[];
  readonly #options: CoreNodesOptions;
  readonly #messages: TtlCache<VmMessage | null>;
  readonly #statuses: TtlCache<readonly string[]>;
  readonly #aggregates: TtlCache<JsonObject | null>;
  readonly #newest: TtlCache<string>;
  readonly #prices: TtlCache<VmPrice>;
  readonly #allPrices: TtlCache<readonly VmPrice[]>;
  readonly #balances: TtlCache<AddressFunds>;

  constructor(options: CoreNodesOptions) {
    this.#options = options;
    this.connections = options.apiUrls.map((apiUrl) => connect(apiUrl, options.onContact));
    const { clock } = options;
    const cache = <Value>(ttlMs: number, staleMs: number): TtlCache<Value> =>
      new TtlCache<Value>({ ttlMs, staleMs, maxEntries: 2_000, clock });
    // What a message says never changes; what has become of it does. A program is served while no core node answers.
    this.#messages = cache(30_000, HOUR_MS);
    this.#statuses = cache(10_000, 0);
    this.#aggregates = cache(120_000, 0);
    this.#newest = cache(30_000, HOUR_MS);
    this.#prices = cache(300_000, HOUR_MS);
    this.#allPrices = cache(300_000, 0);
    this.#balances = cache(30_000, 0);
  }

  get neededAnswers(): number {
    return Math.min(this.#options.minAgreeing, this.connections.length);
  }

  vmMessage(vmHash: string, signal: AbortSignal): Promise<VmMessage | null> {
    return this.#messages.get(vmHash, signal, (shared) =>
      this.#first(shared, async (connection) => {
        const view = await getMessage(connection, { itemHash: vmHash, signal: shared });
        return view === null ? null : this.#read(view, connection, shared);
      }),
    );
  }

  statuses(hash: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#statuses.get(hash, signal, async (shared) => {
      const asked = this.connections.map((connection) =>
        getStatus(connection, { itemHash: hash, signal: shared }),
      );
      const answers = await Promise.allSettled(asked);
      shared.throwIfAborted();
      return answers.flatMap((answer) =>
        answer.status === "fulfilled" && answer.value !== null ? [answer.value.status] : [],
      );
    });
  }

  aggregate(address: string, key: string, signal: AbortSignal): Promise<JsonObject | null> {
    return this.#aggregates.get(`${address} ${key}`, signal, (shared) =>
      this.#first(shared, (connection) => fetchAggregate(connection, { address, key, signal: shared })),
    );
  }

  /** Whether any core node answers; which is what proves that this node is not cut off. */
  async ping(signal: AbortSignal): Promise<boolean> {
    for (const { apiUrl, fetch } of this.connections) {
      try {
        const bounded = AbortSignal.any([signal, AbortSignal.timeout(PING_TIMEOUT_MS)]);
        const answer = await fetch(`${apiUrl}/api/v0/version`, { method: "GET", signal: bounded });
        await answer.body?.cancel();
        return true;
      } catch {
        // Silence is the answer; the next one is asked.
        signal.throwIfAborted();
      }
    }
    return false;
  }

  /** Somebody has told that these have changed. */
  forget(facts: {
    readonly vmHash?: string;
    readonly aggregate?: { readonly address: string; readonly key: string };
    readonly storeHash?: string;
  }): void {
    if (facts.vmHash !== undefined) {
      this.#messages.forget(facts.vmHash);
      this.#statuses.forget(facts.vmHash);
    }
    if (facts.aggregate !== undefined) {
      this.#aggregates.forget(`${facts.aggregate.address} ${facts.aggregate.key}`);
    }
    if (facts.storeHash !== undefined) this.#newest.forget(facts.storeHash);
  }

  newestFile(storeHash: string, signal: AbortSignal): Promise<string> {
    return this.#newest.get(storeHash, signal, async (shared) => {
      const newest = await this.#first(shared, async (connection) => {
        const view = await getMessage(connection, { itemHash: storeHash, signal: shared });
        const original = view !== null && "message" in view ? view.message.content : undefined;
        const owner = isJsonObject(original) ? original.address : undefined;
        if (typeof owner !== "string") return null;
        return this.#newestAmend(storeHash, owner, connection, shared);
      });
      return newest ?? storeHash;
    });
  }

  async programsSince(
    owner: string,
    sinceSeconds: number,
    signal: AbortSignal,
  ): Promise<readonly MessageObject[]> {
    const filter = { types: ["PROGRAM"], owners: [owner], startTimeSeconds: sinceSeconds } as const;
    const page = { order: "descending", pageSize: MAX_PROGRAMS, signal } as const;
    const found = await this.#first(signal, async (connection) => {
      const { items } = await listMessages(connection, { ...filter, ...page });
      return items;
    });
    return found ?? [];
  }

  price(vmHash: string, signal: AbortSignal): Promise<VmPrice> {
    return this.#prices.get(vmHash, signal, async (shared) => {
      const price = await this.#first(shared, (connection) =>
        getPrice(connection, { itemHash: vmHash, signal: shared }),
      );
      if (price === null) {
        throw new CoreNodesError("NOT_FOUND", `no core node has a price of ${vmHash}; publish it first`);
      }
      return price;
    });
  }

  allPrices(vmHash: string, signal: AbortSignal): Promise<readonly VmPrice[]> {
    return this.#allPrices.get(vmHash, signal, async (shared) => {
      const answers = await Promise.allSettled(
        this.connections.map((connection) => getPrice(connection, { itemHash: vmHash, signal: shared })),
      );
      shared.throwIfAborted();
      const prices = answers.flatMap((answer) =>
        answer.status === "fulfilled" && answer.value !== null ? [answer.value] : [],
      );
      if (prices.length > 0 && prices.length >= this.neededAnswers) return prices;
      throw new CoreNodesError(
        "UNREACHABLE",
        `${prices.length} of ${this.connections.length} core nodes say what ${vmHash} costs, and ${this.neededAnswers} must`,
      );
    });
  }

  balance(address: string, signal: AbortSignal): Promise<AddressFunds> {
    return this.#balances.get(address, signal, async (shared) => {
      const balance = await this.#first(shared, (connection) =>
        getBalance(connection, { address, signal: shared }),
      );
      return fundsOf(balance);
    });
  }

  async balances(address: string, signal: AbortSignal): Promise<readonly AddressFunds[]> {
    const asked = this.connections.map((connection) => getBalance(connection, { address, signal }));
    const answers = await Promise.allSettled(asked);
    signal.throwIfAborted();
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? [fundsOf(answer.value)] : []));
  }

  /**
   * The first answer of a core node that is not "unknown": nodes lag behind one another.
   *
   * @throws CoreNodesError UNREACHABLE when none answered
   */
  async #first<Result>(
    signal: AbortSignal,
    ask: (connection: Connection) => Promise<Result | null>,
  ): Promise<Result | null> {
    let hasAnswer = false;
    let failure: unknown = null;
    for (const connection of this.connections) {
      try {
        const answer = await ask(connection);
        if (answer !== null) return answer;
        hasAnswer = true;
      } catch (error) {
        if (isAbortOf(signal, error) || signal.aborted) throw signal.reason;
        if (isSdkError(error, "SDK_HTTP_ERROR") && error.details.status === 410) hasAnswer = true;
        else this.#options.log.debug("a core node did not answer", { apiUrl: connection.apiUrl, error });
        failure = error;
      }
    }
    if (hasAnswer) return null;
    throw new CoreNodesError(
      "UNREACHABLE",
      "no core node answers; look at the network and --core-node",
      failure,
    );
  }

  async #read(view: MessageView, connection: Connection, signal: AbortSignal): Promise<VmMessage | null> {
    if (view.status !== "processed" && view.status !== "removing") return null;
    const { message } = view;
    const authentic = authenticEnvelope(message, this.#options.crypto);
    if (authentic === null || authentic.envelope.itemHash !== view.itemHash) {
      this.#options.log.warn("a core node gave a message that nobody signed so", {
        apiUrl: connection.apiUrl,
        itemHash: view.itemHash,
      });
      return null;
    }
    const typed = authentic.typed ?? (await fetchContent(authentic.envelope, connection, signal));
    if (typed === null) return null;
    const { itemHash, sender } = authentic.envelope;
    return { ...typed, itemHash, sender, status: view.status, timeSeconds: message.time };
  }

  async #newestAmend(
    storeHash: string,
    owner: string,
    connection: Connection,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { items } = await listMessages(connection, {
      types: ["STORE"],
      refs: [storeHash],
      owners: [owner],
      order: "descending",
      pageSize: CANDIDATE_AMENDS,
      signal,
    });
    const amend = items.find((message) => isAmendOf(message, storeHash, owner, this.#options.crypto));
    return amend?.item_hash ?? storeHash;
  }
}

function fundsOf(balance: AddressBalance | null): AddressFunds {
  return { tokens: (balance?.tokens ?? 0).toFixed(18), credits: balance?.credits ?? 0n };
}

function isAmendOf(
  message: MessageObject,
  storeHash: string,
  owner: string,
  crypto: CryptoProvider,
): boolean {
  const authentic = authenticEnvelope(message, crypto);
  if (authentic === null || authentic.envelope.type !== "STORE") return false;
  const { content } = message;
  return content?.ref === storeHash && content.address === owner;
}

async function fetchContent(
  envelope: Parameters<typeof vmContentOf>[2] & { readonly type: string; readonly itemHash: string },
  connection: Connection,
  signal: AbortSignal,
): Promise<TypedVm | null> {
  if (envelope.type !== "PROGRAM" && envelope.type !== "INSTANCE") return null;
  const fileHash = envelope.itemHash;
  const file = await downloadFile(connection, { fileHash, maxBytes: MAX_CONTENT_BYTES, signal });
  return file?.isVerified === true ? vmContentOf(envelope.type, file.bytes, envelope) : null;
}

function connect(apiUrl: string, onContact: () => void): Connection {
  return createConnection({
    apiUrl,
    timeoutMs: TIMEOUT_MS,
    retries: 1,
    fetch: async (url, init) => {
      const response = await globalThis.fetch(url, init);
      onContact();
      return response;
    },
  });
}
