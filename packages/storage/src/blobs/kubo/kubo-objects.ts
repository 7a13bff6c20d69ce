import type { KuboRPCClient } from "kubo-rpc-client";
import { CID } from "multiformats/cid";
import type { ResolvedRange } from "../blob-range.ts";
import type { PutOptions } from "../blob-store.ts";
import { type DagLayout, FIXED_LAYOUT, LAYOUT_V0 } from "../dag-layout.ts";
import { FileDagBuilder } from "../file-dag-builder.ts";
import { RemoteFailure } from "../remote/remote-failure.ts";
import type { Addresser, RemoteObject, RemoteObjects } from "../remote/remote-objects.ts";
import { isNotPinned, kuboFailure } from "./kubo-failure.ts";
import { postBytes } from "./post-bytes.ts";

const LAYOUTS: Readonly<Record<NonNullable<PutOptions["layout"]>, DagLayout>> = {
  cidV0: LAYOUT_V0,
  fixedCid: FIXED_LAYOUT,
};

/**
 * Objects of a Kubo daemon: files that it holds as DAGs, each pinned under the CID that this node computed too.
 * Nothing is fetched from the network: what Kubo has lost is missing here, whoever else may have it.
 */
export class KuboObjects implements RemoteObjects {
  readonly #client: KuboRPCClient;
  readonly #apiUrl: URL;

  /** @param apiUrl of the RPC API, ending in a slash */
  constructor(client: KuboRPCClient, apiUrl: URL) {
    this.#client = client;
    this.#apiUrl = apiUrl;
  }

  addresser({ layout = "fixedCid" }: Pick<PutOptions, "layout">): Addresser {
    const builder = new FileDagBuilder(LAYOUTS[layout]);
    return { update: (piece) => builder.update(piece), finish: () => builder.finish().cid.toString() };
  }

  /** Which CID a SHA-256 has only the record tells. */
  addressOf(): undefined {
    return undefined;
  }

  async put({ address }: RemoteObject, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const layout = address.startsWith("Qm") ? LAYOUT_V0 : FIXED_LAYOUT;
    const url = new URL(`add?${addParameters(layout)}`, this.#apiUrl);
    const lines = await this.#call(signal, () => postBytes(url, bytes, signal));
    const cid = lines.at(-1)?.Hash;
    if (cid === address) return;
    if (typeof cid === "string") await this.remove(cid, signal);
    throw new RemoteFailure("refused", `it cuts files in another way: ${cid} where ${address} is due`);
  }

  async *read(
    { address }: RemoteObject,
    { startBytes, endBytes }: ResolvedRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const options = { offset: startBytes, length: endBytes - startBytes, offline: true, signal };
    try {
      yield* this.#client.cat(`/ipfs/${address}`, options);
    } catch (error) {
      throw failureOf(error, signal);
    }
  }

  async sizeOf(
    address: string,
    record: RemoteObject | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    return (await this.isPinned(address, signal)) ? record?.sizeBytes : undefined;
  }

  /** Takes the pin away; the collection of Kubo itself takes the blocks. */
  async remove(address: string, signal: AbortSignal): Promise<void> {
    await this.#call(signal, async () => {
      await this.#client.pin.rm(address, { signal }).catch((error: unknown) => {
        if (!isNotPinned(error)) throw error;
      });
    });
  }

  /** A block that Kubo knows is not written again, so what is damaged has to go before it can come back. */
  async repair(address: string, signal: AbortSignal): Promise<void> {
    await this.remove(address, signal);
    await this.#call(signal, async () => {
      const blocks = await this.#blocksOf(address, signal);
      // What another pin needs is refused, block by block, and stays.
      for await (const _removed of this.#client.block.rm(blocks, { force: true, signal }));
    });
  }

  /** The blocks of a DAG as far as they can be read; those of the largest file are some megabytes of CIDs. */
  async #blocksOf(address: string, signal: AbortSignal): Promise<CID[]> {
    const blocks = [CID.parse(address)];
    const options = { recursive: true, unique: true, offline: true, signal };
    for await (const { ref, err } of this.#client.refs(`/ipfs/${address}`, options)) {
      if (!err) blocks.push(CID.parse(ref));
    }
    return blocks;
  }

  async isPinned(cid: string, signal: AbortSignal): Promise<boolean> {
    return await this.#call(signal, async () => {
      try {
        const pins = this.#client.pin.ls({ paths: cid, type: "recursive", signal });
        for await (const _pin of pins) return true;
        return false;
      } catch (error) {
        if (isNotPinned(error)) return false;
        throw error;
      }
    });
  }

  async #call<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw failureOf(error, signal);
    }
  }
}

/** Every parameter that changes the CID, whatever the daemon's own settings (`Import`) say. */
function addParameters({ cidVersion, rawLeaves, chunkBytes, maxLinks }: DagLayout): URLSearchParams {
  return new URLSearchParams({
    "cid-version": String(cidVersion),
    "raw-leaves": String(rawLeaves),
    chunker: `size-${chunkBytes}`,
    "max-file-links": String(maxLinks),
    hash: "sha2-256",
    trickle: "false",
    inline: "false",
    "wrap-with-directory": "false",
    "preserve-mode": "false",
    "preserve-mtime": "false",
    progress: "false",
    pin: "true",
  });
}

function failureOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : kuboFailure(error);
}
