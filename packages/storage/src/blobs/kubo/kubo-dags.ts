import type { Timers } from "@twentysix/platform";
import type { KuboRPCClient } from "kubo-rpc-client";
import type { DagPublisher } from "../blob-engine.ts";
import type { RemoteCatalog } from "../remote/remote-catalog.ts";
import { RemoteFailure } from "../remote/remote-failure.ts";
import type { RemoteServer } from "../remote/remote-server.ts";
import { StallGuard } from "../remote/stall-guard.ts";
import { kuboFailure } from "./kubo-failure.ts";
import type { KuboObjects } from "./kubo-objects.ts";

export interface KuboDagsParts {
  readonly client: KuboRPCClient;
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
    try {
      for await (const imported of this.#parts.client.dag.import(car, { pinRoots: true, signal })) {
        const { pinErrorMsg } = imported.root;
        if (pinErrorMsg) throw new RemoteFailure("refused", `the root is not pinned: ${pinErrorMsg}`);
        if (imported.root.cid.toString() === root) return;
      }
    } catch (error) {
      throw signal.aborted ? signal.reason : kuboFailure(error);
    }
    throw new RemoteFailure("refused", `the DAG ${root} was not taken`);
  }
}
