import { decodeNodes, type RangeNode, type WantedLeaves } from "@twentysix/network/reconcile";
import type { LogPart, Status, TreeState } from "@twentysix/storage";
import type { Bodies } from "./read-bodies.ts";
import type { TreeCall } from "./tree-calls.ts";

export interface TreeReader {
  call(call: TreeCall, signal?: AbortSignal): Promise<unknown>;
}

/** What this node holds, read by the reader thread in calls of bounded size. Throws as the reader thread does. */
export class OwnTree {
  readonly #reader: TreeReader;

  constructor(reader: TreeReader) {
    this.#reader = reader;
  }

  state(signal: AbortSignal): Promise<TreeState> {
    return this.#read({ kind: "treeState" }, signal);
  }

  /** As they travel. */
  encodedNodes(prefixes: readonly string[], salt: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return this.#read({ kind: "treeNodes", prefixes, salt }, signal);
  }

  async nodes(
    prefixes: readonly string[],
    salt: Uint8Array,
    signal: AbortSignal,
  ): Promise<readonly RangeNode[]> {
    return decodeNodes(await this.encodedNodes(prefixes, salt, signal), prefixes.length);
  }

  /** As they travel. */
  encodedLeaves(wanted: readonly WantedLeaves[], salt: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return this.#read({ kind: "treeLeaves", wanted, salt }, signal);
  }

  digests(keys: readonly string[], signal: AbortSignal): Promise<readonly (string | null)[]> {
    return this.#read({ kind: "treeDigests", keys }, signal);
  }

  statuses(itemHashes: readonly string[], signal: AbortSignal): Promise<readonly (Status | null)[]> {
    return this.#read({ kind: "itemStatuses", itemHashes }, signal);
  }

  log(afterSeq: number, limit: number, signal: AbortSignal): Promise<LogPart> {
    return this.#read({ kind: "treeLog", afterSeq, limit }, signal);
  }

  bodies(keys: readonly string[], maxCharacters: number, signal: AbortSignal): Promise<Bodies> {
    return this.#read({ kind: "bodies", keys, maxCharacters }, signal);
  }

  #read<T>(call: TreeCall, signal: AbortSignal): Promise<T> {
    return this.#reader.call(call, signal) as Promise<T>;
  }
}
