import { decodeItemHash } from "@twentysix/protocol";
import { adoptStatus, type FundsStatus, World } from "@twentysix/state";
import { type MessageStore, type SqlConnection, STATUS_CODE } from "@twentysix/storage";

/** Rounds of fetching that one message may take; more is a defect. */
const MAX_ROUNDS = 20;
const BATCH = 256;

/**
 * Gives the messages of a replay the statuses that a lack of funds gave them: no replay of messages tells those,
 * and the state root does not depend on them. What they bring with them is compared like everything else.
 */
export function adoptFunds(stored: SqlConnection, computed: MessageStore, nowMicros: bigint): void {
  for (let after = 0n; ; ) {
    const found = stored.allBig<{
      id: bigint;
      hash: Uint8Array;
      status: bigint;
      removed_us: bigint | null;
      size: bigint | null;
    }>(
      `SELECT i.id, i.hash, i.status, r.removed_us, r.size FROM items i LEFT JOIN removed r ON r.id = i.id
       WHERE i.status IN (${STATUS_CODE.removing}, ${STATUS_CODE.removed}) AND i.id > ? ORDER BY i.id LIMIT ?`,
      after,
      BATCH,
    );
    const last = found.at(-1);
    if (last === undefined) return;
    after = last.id;
    const statuses = found.map(
      ({ hash, status, removed_us: removedMicros, size }): FundsStatus => ({
        hash: decodeItemHash(hash),
        status: Number(status) === STATUS_CODE.removed ? "removed" : "removing",
        removedMicros: removedMicros ?? 0n,
        sizeBytes: Number(size ?? 0n),
      }),
    );
    adoptBatch(computed, statuses, nowMicros);
  }
}

function adoptBatch(computed: MessageStore, statuses: readonly FundsStatus[], nowMicros: bigint): void {
  const world = new World();
  computed.begin();
  for (const status of statuses) {
    for (let round = 0; ; round += 1) {
      if (round >= MAX_ROUNDS) throw new Error(`The funds of ${status.hash} ask for facts without end`);
      const needs = adoptStatus(world, status);
      if (needs.length === 0) break;
      computed.fetch(world, needs, () => save(computed, world, nowMicros));
    }
  }
  save(computed, world, nowMicros);
  computed.finish();
  computed.commit();
}

function save(computed: MessageStore, world: World, nowMicros: bigint): void {
  computed.save(world, {
    nowMicros,
    originOf: () => ({ origin: "import", receptionMicros: nowMicros }),
    requeue: () => {
      throw new Error("A change of funds queued a copy");
    },
  });
}
