import { isJsonObject, type JsonObject } from "@twentysix/protocol";
import type { CommunityShare } from "../payments/streams.ts";
import type { CoreNodeClient } from "./core-node-client.ts";

const SETTINGS_KEY = "settings";
const RUNTIMES_KEY = "runtimes";
const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** What the network publishes for all nodes, in aggregates of one address; null: this network publishes nothing. */
export class SharedSettings {
  readonly #coreNodes: Pick<CoreNodeClient, "aggregate">;
  readonly #address: string | null;

  constructor(coreNodes: Pick<CoreNodeClient, "aggregate">, address: string | null) {
    this.#coreNodes = coreNodes;
    this.#address = address;
  }

  /** Addresses that may allocate; empty: the network names none. */
  async allocationSigners(signal: AbortSignal): Promise<readonly string[]> {
    const signers = (await this.#read(SETTINGS_KEY, signal))?.authorized_allocation_signers;
    if (!Array.isArray(signers)) return [];
    return signers.filter(
      (signer): signer is string => typeof signer === "string" && EVM_ADDRESS.test(signer),
    );
  }

  async community(signal: AbortSignal): Promise<CommunityShare | null> {
    const settings = await this.#read(SETTINGS_KEY, signal);
    const wallet = settings?.community_wallet_address;
    const sinceSeconds = settings?.community_wallet_timestamp;
    if (typeof wallet !== "string" || !EVM_ADDRESS.test(wallet)) return null;
    return { wallet, sinceSeconds: typeof sinceSeconds === "number" ? sinceSeconds : 0 };
  }

  /** The image that instances are rescued with; null: the network names none. */
  async rescueImage(signal: AbortSignal): Promise<string | null> {
    const entries = (await this.#read(RUNTIMES_KEY, signal))?.entries;
    const rescue = (Array.isArray(entries) ? entries : [])
      .filter((entry) => isJsonObject(entry))
      .find((entry) => entry.type === "rescue" && entry.default === true);
    return typeof rescue?.item_hash === "string" ? rescue.item_hash : null;
  }

  async #read(key: string, signal: AbortSignal): Promise<JsonObject | null> {
    return this.#address === null ? null : this.#coreNodes.aggregate(this.#address, key, signal);
  }
}
