import type { Timers } from "@twentysix/platform";
import type { DagPublisher } from "../blob-engine.ts";
import type { RemoteCatalog } from "../remote/remote-catalog.ts";
import { RemoteFailure } from "../remote/remote-failure.ts";
import type { RemoteServer } from "../remote/remote-server.ts";
import { StallGuard } from "../remote/stall-guard.ts";
import { kuboFailure } from "./kubo-failure.ts";
import type { KuboObjects } from "./kubo-objects.ts";
import { postBytes } from "./post-bytes.ts";

export interface KuboDagsParts {
  /** Of the RPC API, ending in a slash. */
  readonly apiUrl: URL;
  readonly objects: KuboObjects;
  readonly catalog: RemoteCatalog;
  readonly server: RemoteServer;
  readonly timers: Timers;
}

/** Gives DAGs that came as blocks to Kubo, block by block, and pins their roots: any IPFS node finds them there. */
export class KuboDags implements DagPublisher {
  readonly #parts: KuboDagsParts;

  constructor(parts: KuboDagsParts) {
    this.#parts = parts;
  }

  /** Noted first, so that a root that was pinned in vain is found again. */
  async publish(
    root: string,
    car: () => AsyncIterable<Uint8Array>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<void> {
    const { catalog, server, timers } = this.#parts;
    catalog.addPublished(root);
    await server.attempt(async () => {
      using guard = new StallGuard(timers, signal);
      await this.#import(root, guard.watch(car()), guard.signal);
    }, signal);
  }

  async unpublish(root: string): Promise<void> {
    const { catalog, objects, server } = this.#parts;
    if (!catalog.isPublished(root)) return;
    const { signal } = new AbortController();
    // A file may stand under the same CID, with a record of its own.
    if (catalog.countAt(root) <= 1) await server.call((one) => objects.remove(root, one), signal);
    catalog.deletePublished(root);
  }

  published(): readonly string[] {
    return this.#parts.catalog.published();
  }

  async #import(root: string, car: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const url = new URL("dag/import?pin-roots=true&silent=false&stats=false", this.#parts.apiUrl);
    const lines = await postBytes(url, car, signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : kuboFailure(error);
    });
    const roots = (lines as readonly ImportLine[]).map(({ Root }) => Root);
    const found = roots.find((one) => one?.Cid["/"] === root);
    if (found === undefined) throw new RemoteFailure("refused", `the DAG ${root} was not taken`);
    const { PinErrorMsg: problem } = found;
    if (problem) throw new RemoteFailure("refused", `the root ${root} is not pinned: ${problem}`);
  }
}

/** A line of the answer to `dag/import`. */
interface ImportLine {
  readonly Root?: { readonly Cid: { readonly "/": string }; readonly PinErrorMsg?: string };
}
