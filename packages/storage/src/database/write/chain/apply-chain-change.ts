import { CHAIN_EVENT_STATES, type ChainChange, PACK_STATES } from "../../chain-records.ts";
import type { WriterSession } from "../writer-session.ts";
import { pinArchive, unpinArchive } from "./archive-pins.ts";
import { recordEvents } from "./record-events.ts";
import { rewindChain } from "./rewind-chain.ts";

/** Remembered blocks of a chain; older ones are final by any measure. */
const MAX_BLOCKS = 512;

/**
 * Writes one change down.
 *
 * @returns hashes of messages whose confirmations changed
 */
export function applyChainChange(session: WriterSession, change: ChainChange, nowMicros: bigint): string[] {
  switch (change.kind) {
    case "read":
      recordEvents(session, change, nowMicros);
      recordBlocks(session, change);
      setPosition(session, change);
      return [];
    case "rewound": {
      const touched = rewindChain(session, change);
      setPosition(session, change);
      return touched;
    }
    case "settled":
      session.connection.run(
        `UPDATE chain_events SET state = ?, attempts = attempts + 1, next_attempt_us = ?, messages = ?, error = ?
         WHERE id = ?`,
        CHAIN_EVENT_STATES.indexOf(change.state),
        change.nextAttemptMicros,
        change.messages,
        change.error,
        change.id,
      );
      return [];
    case "archived":
      pinArchive(session, change.archive, change.txHash, nowMicros);
      return [];
    case "packed":
      recordPack(session, change, nowMicros);
      return [];
    case "packChanged":
      changePack(session, change, nowMicros);
      return [];
  }
}

function setPosition(
  { connection }: WriterSession,
  change: Extract<ChainChange, { position: string }>,
): void {
  connection.run(
    `INSERT INTO chain_sources (chain, source, position) VALUES (?, ?, ?)
     ON CONFLICT (chain, source) DO UPDATE SET position = excluded.position`,
    change.chain,
    change.source,
    change.position,
  );
}

function recordBlocks({ connection }: WriterSession, change: Extract<ChainChange, { kind: "read" }>): void {
  for (const { height, hash } of change.blocks) {
    connection.run(
      `INSERT INTO chain_blocks (chain, height, hash) VALUES (?, ?, ?)
       ON CONFLICT (chain, height) DO UPDATE SET hash = excluded.hash`,
      change.chain,
      height,
      hash,
    );
  }
  if (change.blocks.length === 0) return;
  connection.run(
    `DELETE FROM chain_blocks WHERE chain = ? AND height <=
       (SELECT height FROM chain_blocks WHERE chain = ? ORDER BY height DESC LIMIT 1 OFFSET ${MAX_BLOCKS})`,
    change.chain,
    change.chain,
  );
}

function recordPack(
  session: WriterSession,
  { pack, itemIds }: Extract<ChainChange, { kind: "packed" }>,
  nowMicros: bigint,
): void {
  const { connection } = session;
  connection.run(
    `INSERT INTO packs (tx_hash, chain, address, nonce, archive, transactions, state, messages, created_us)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    pack.txHash,
    pack.chain,
    pack.address,
    pack.nonce,
    pack.archive,
    JSON.stringify(pack.transactions),
    PACK_STATES.indexOf(pack.state),
    pack.messages,
    pack.createdMicros,
  );
  for (const id of itemIds) {
    connection.run("INSERT INTO packed_items (id, tx_hash) VALUES (?, ?)", id, pack.txHash);
  }
  pinArchive(session, pack.archive, pack.txHash, nowMicros);
}

function changePack(
  session: WriterSession,
  change: Extract<ChainChange, { kind: "packChanged" }>,
  nowMicros: bigint,
): void {
  const { connection } = session;
  connection.run(
    "UPDATE packs SET state = ?, transactions = ? WHERE tx_hash = ?",
    PACK_STATES.indexOf(change.state),
    JSON.stringify(change.transactions),
    change.txHash,
  );
  if (change.state === "sent" || change.state === "mined") return;
  connection.run("DELETE FROM packed_items WHERE tx_hash = ?", change.txHash);
  if (change.state !== "abandoned") return;
  const pack = connection.get<{ archive: string }>(
    "SELECT archive FROM packs WHERE tx_hash = ?",
    change.txHash,
  );
  if (pack !== undefined) unpinArchive(session, pack.archive, change.txHash, nowMicros);
}
