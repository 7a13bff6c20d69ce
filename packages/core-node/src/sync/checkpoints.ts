import { PeerFault, type PeerSignatures } from "@twentysix/network/reconcile";
import { type Clock, PlatformError, raceAbort, type Timers } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import type { StateRoot } from "@twentysix/storage";
import { type Checkpoint, checkpointJson, verifiedCheckpoint } from "./checkpoint.ts";
import { judgeCheckpoint } from "./judge-checkpoint.ts";
import { type KeptCheckpoint, type KeptCheckpoints, keptJson } from "./kept-checkpoints.ts";
import { OwnCheckpoints } from "./own-checkpoints.ts";
import type { ReconciliationReport } from "./reconciliation.ts";
import type { SyncIdentity, Welcome } from "./sync-protocol.ts";
import type { Visit } from "./visit.ts";

export interface CheckpointsOptions {
  readonly identity: SyncIdentity;
  readonly signatures: PeerSignatures;
  readonly kept: KeptCheckpoints;
  readonly stateRoot: () => Promise<StateRoot>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** A peer whose state changes is asked again after that time. */
const ASK_AGAIN_SECONDS = 60;

export interface ShownCheckpoints {
  /** null while the root is far from what is committed, and where this node keeps to itself. */
  readonly own: JsonObject | null;
  readonly peers: readonly JsonObject[];
}

/** What peers and this node signed of their states. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #own: OwnCheckpoints;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#own = new OwnCheckpoints(options);
  }

  /** As it travels; nothing while the root is far from what is committed. Throws the signal's reason. */
  async encoded(): Promise<Uint8Array> {
    const checkpoint = await this.own();
    return Buffer.from(checkpoint === null ? "" : JSON.stringify(checkpointJson(checkpoint)));
  }

  /** null while the root is far from what is committed. */
  async own(): Promise<Checkpoint | null> {
    try {
      return await this.#own.now();
    } catch (error) {
      if (error instanceof PlatformError && error.code === "TIMEOUT") return null;
      throw error;
    }
  }

  /** As the API shows them. Throws the signal's reason. */
  async shown(): Promise<ShownCheckpoints> {
    const [own, peers] = await Promise.all([this.own(), this.#options.kept.all()]);
    return { own: own === null ? null : checkpointJson(own), peers: peers.map(keptJson) };
  }

  /**
   * At the end of a visit: asks the peer for its checkpoint, unless what it has signed is still so, and holds it against
   * what the visit brought.
   *
   * @throws PeerFault for one that is false, which is kept
   */
  async hold(
    visit: Visit,
    welcome: Welcome,
    found: ReconciliationReport,
    signal: AbortSignal,
  ): Promise<void> {
    const { identity, signatures, kept, stateRoot, clock } = this.#options;
    const { peerId } = visit;
    const nowSeconds = Number(clock.nowMicros() / 1_000_000n);
    const earlier = await kept.of(peerId);
    if (!welcome.signs || welcome.isSyncing || isFresh(earlier, welcome, found, nowSeconds)) return;
    const bytes = await visit.checkpoint();
    if (bytes === null) return;
    const checkpoint = await verifiedCheckpoint(bytes, peerId, identity, signatures);
    const own = await raceAbort(stateRoot(), signal);
    const judged = judgeCheckpoint(checkpoint.statement, {
      own,
      welcome,
      isComplete: found.isEqual,
      earlier: earlier?.checkpoint ?? null,
    });
    await kept.keep({ checkpoint, heardSeconds: nowSeconds, held: own, ...judged });
    if (judged.reason !== null) throw new PeerFault(`the peer's checkpoint is false: ${judged.reason}`);
  }
}

/** It is known that both have what the peer signed, or it was asked a moment ago and brought little since. */
function isFresh(
  earlier: KeptCheckpoint | null,
  welcome: Welcome,
  { isFarBehind }: ReconciliationReport,
  nowSeconds: number,
): boolean {
  if (earlier === null || isFarBehind) return false;
  const { statement } = earlier.checkpoint;
  if (earlier.verdict === "same" && statement.messagesRoot === welcome.root) return true;
  return nowSeconds - earlier.heardSeconds < ASK_AGAIN_SECONDS;
}
