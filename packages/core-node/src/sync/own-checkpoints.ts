import type { PeerSignatures } from "@twentysix/network/reconcile";
import type { Clock, Timers } from "@twentysix/platform";
import type { StateRoot } from "@twentysix/storage";
import { type Checkpoint, signCheckpoint } from "./checkpoint.ts";
import type { SyncIdentity } from "./sync-protocol.ts";

export interface OwnCheckpointsOptions {
  readonly identity: SyncIdentity;
  readonly signatures: PeerSignatures;
  /** The root of everything committed so far. */
  readonly stateRoot: () => Promise<StateRoot>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** A root that much is to be done for is not waited for. */
const ROOT_MS = 10_000;

/** Signs what this node holds, for whoever asks: each state once. */
export class OwnCheckpoints {
  readonly #options: OwnCheckpointsOptions;
  #last: { readonly root: StateRoot; readonly checkpoint: Promise<Checkpoint> } | null = null;

  constructor(options: OwnCheckpointsOptions) {
    this.#options = options;
  }

  /** @throws PlatformError TIMEOUT while too much pours in; the signal's reason */
  async now(): Promise<Checkpoint> {
    const { stateRoot, timers, signal } = this.#options;
    const root = await timers.withTimeout(ROOT_MS, () => stateRoot(), signal);
    if (this.#last?.root.root !== root.root || this.#last.root.seq !== root.seq)
      this.#last = { root, checkpoint: this.#sign(root) };
    return await this.#last.checkpoint;
  }

  async #sign({ root, messagesRoot, count, seq }: StateRoot): Promise<Checkpoint> {
    const { identity, signatures, clock } = this.#options;
    const { network, trees } = identity;
    const { peerId } = signatures;
    const timeSeconds = Number(clock.nowMicros() / 1_000_000n);
    const statement = { network, trees, peerId, root, messagesRoot, count, position: seq, timeSeconds };
    return await signCheckpoint(statement, signatures);
  }
}
