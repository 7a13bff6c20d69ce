import type { Clock } from "@twentysix/platform";
import type { FileNote, FileProof, Proven } from "@twentysix/storage";
import type { Audited, Auditor } from "./auditor.ts";
import type { StorageNodes } from "./storage-nodes.ts";

/** What a node is counted on for. */
export interface AuditTarget {
  readonly peerId: string;
  /** The DAG that it has to show a leaf of. */
  readonly root: string;
  /** Of the shard; null: the whole file. */
  readonly position: number | null;
  /** Who has proven to hold it so far. */
  readonly proofs: readonly Proven[];
}

export interface AuditsOptions {
  readonly auditor: Auditor;
  readonly nodes: Pick<StorageNodes, "isConnected">;
  readonly note: (note: FileNote) => Promise<void>;
  readonly clock: Pick<Clock, "nowMicros">;
}

/** Challenges of one turn, so that a node with many files does not ask for all of them at once. */
export class Audits {
  readonly #options: AuditsOptions;
  #left = 0;
  #isCutShort = false;

  constructor(options: AuditsOptions) {
    this.#options = options;
  }

  beginTurn(challenges: number): void {
    this.#left = challenges;
    this.#isCutShort = false;
  }

  /** Somebody was not challenged in this turn who should have been. */
  get wasCutShort(): boolean {
    return this.#isCutShort;
  }

  get areSpent(): boolean {
    return this.#left <= 0;
  }

  /**
   * Challenges those who have not proven it since then, whose last proof is oldest first: where a turn is too short for
   * all, nobody is left out for good. Gives the targets that are proven since.
   */
  async prove<Target extends AuditTarget>(
    { name, sizeBytes }: Pick<Audited, "name" | "sizeBytes">,
    targets: readonly Target[],
    sinceMicros: bigint,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Target>> {
    const { auditor, nodes, note, clock } = this.#options;
    const proofs: FileProof[] = [];
    const proven = new Set<Target>();
    for (const { target, known } of oldestFirst(targets)) {
      const { peerId, position, root } = target;
      if (known !== undefined && known.provenMicros >= sinceMicros) {
        proven.add(target);
        continue;
      }
      if (!nodes.isConnected(peerId) || auditor.isSilent(peerId)) continue;
      if (this.areSpent) {
        this.#isCutShort = true;
        continue;
      }
      this.#left -= 1;
      const result = await auditor.challenge(peerId, { name, root, sizeBytes }, signal);
      if (result === "unknown") continue;
      if (result === "proven") proven.add(target);
      else if (known === undefined) continue;
      proofs.push({ name, position, peerId, provenMicros: result === "proven" ? clock.nowMicros() : null });
    }
    if (proofs.length > 0) await note({ kind: "proofs", proofs });
    return proven;
  }
}

/** Targets with the last proof of each; who has never proven it comes first. */
function oldestFirst<Target extends AuditTarget>(targets: readonly Target[]) {
  const ageOf = (known: Proven | undefined): bigint => known?.provenMicros ?? 0n;
  return targets
    .map((target) => ({ target, known: target.proofs.find(({ peerId }) => peerId === target.peerId) }))
    .sort((one, other) => Number(ageOf(one.known) - ageOf(other.known)));
}
