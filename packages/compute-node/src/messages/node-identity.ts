import { readFile, writeFile } from "node:fs/promises";
import type { Logger, Timers } from "@twentysix/platform";
import { isItemHash, isJsonObject, type JsonValue } from "@twentysix/protocol";
import { type Connection, listPosts, type PostObject } from "@twentysix/sdk";

export interface NodeIdentityOptions {
  /** Given by the operator; nothing is looked for then. */
  readonly nodeHash: string | null;
  readonly ownerAddress: string | null;
  /** Under which it was registered. */
  readonly url: string;
  /** Keeps what was found. */
  readonly file: string;
  readonly connections: readonly Connection[];
  readonly timers: Timers;
  readonly log: Logger;
}

const RETRY_MS = 300_000;
/** A node and its registration are often made together. */
const FIRST_RETRY_MS = 2_000;
const OPERATION_TYPE = "corechan-operation";
const MAX_POSTS = 200;

/**
 * The hash of the registration of this node: given, kept from an earlier run, or found among its owner's posts.
 * Source: aleph-vm `orchestrator/node_identity.py`.
 */
export class NodeIdentity {
  readonly #options: NodeIdentityOptions;
  #hash: string | null;

  private constructor(options: NodeIdentityOptions, hash: string | null) {
    this.#options = options;
    this.#hash = hash;
  }

  static async open(options: NodeIdentityOptions): Promise<NodeIdentity> {
    return new NodeIdentity(options, options.nodeHash ?? (await readKept(options.file)));
  }

  /** null: not found yet. */
  get hash(): string | null {
    return this.#hash;
  }

  /** Looks until it is found, or the signal. */
  async discover(signal: AbortSignal): Promise<void> {
    const { ownerAddress, timers, log } = this.#options;
    let waitMs = FIRST_RETRY_MS;
    while (this.#hash === null && ownerAddress !== null && !signal.aborted) {
      try {
        await this.#find(ownerAddress, signal);
      } catch (error) {
        if (!signal.aborted) log.warn("the registration of this node could not be looked for", { error });
      }
      if (this.#hash === null) await timers.sleep(waitMs, signal).catch(() => {});
      waitMs = Math.min(2 * waitMs, RETRY_MS);
    }
  }

  /** Of the first core node that answers. */
  async #postsOf(owner: string, signal: AbortSignal): Promise<readonly PostObject[]> {
    const { connections, log } = this.#options;
    const filter = { owners: [owner], types: [OPERATION_TYPE], pageSize: MAX_POSTS, signal };
    for (const [index, connection] of connections.entries()) {
      try {
        return (await listPosts(connection, filter)).items;
      } catch (error) {
        if (signal.aborted || index === connections.length - 1) throw error;
        log.debug("a core node did not tell who is registered", { apiUrl: connection.apiUrl, error });
      }
    }
    return [];
  }

  async #find(owner: string, signal: AbortSignal): Promise<void> {
    const { url, file, log } = this.#options;
    const items = await this.#postsOf(owner, signal);
    const registrations = items.filter(({ content }) => registers(content, url));
    const [only, ...others] = registrations;
    if (others.length > 0) {
      log.error("this node is registered several times; set its hash", { url, count: registrations.length });
      return;
    }
    if (only === undefined) return;
    this.#hash = only.original_item_hash;
    await writeFile(file, `${only.original_item_hash}\n`, { mode: 0o600 });
    log.info("the registration of this node was found", { nodeHash: only.original_item_hash });
  }
}

function registers(content: JsonValue | undefined, url: string): boolean {
  if (content === undefined || !isJsonObject(content) || content.action !== "create-resource-node")
    return false;
  const { details } = content;
  const address = isJsonObject(details ?? null) ? (details as { readonly address?: unknown }).address : null;
  return typeof address === "string" && address.replace(/\/+$/, "") === url;
}

async function readKept(file: string): Promise<string | null> {
  try {
    const hash = (await readFile(file, "utf8")).trim();
    return isItemHash(hash) ? hash : null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
