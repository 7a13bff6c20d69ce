import { decodeItemHash } from "@twentysix/protocol";
import { type ChainChange, PACK_STATES } from "../../chain-records.ts";
import { redateMessage } from "../confirmations.ts";
import type { WriterSession } from "../writer-session.ts";

/**
 * Undoes what blocks told that are no more: their events, the confirmations by them, and that packs were mined.
 *
 * @returns hashes of the messages that lost a confirmation
 */
export function rewindChain(
  session: WriterSession,
  { chain, source, height }: Extract<ChainChange, { kind: "rewound" }>,
): string[] {
  const { connection } = session;
  const orphaned = "SELECT tx_hash FROM chain_events WHERE chain = ? AND height > ? AND source = ?";
  const chainId = session.labels.intern(chain);
  const lost = connection
    .all<{ hash: Uint8Array }>(
      `SELECT DISTINCT hash FROM confirmations WHERE chain_id = ? AND height > ? AND tx_hash IN (${orphaned})`,
      ...[chainId, height, chain, height, source],
    )
    .map((row) => decodeItemHash(row.hash));
  connection.run(
    `DELETE FROM confirmations WHERE chain_id = ? AND height > ? AND tx_hash IN (${orphaned})`,
    ...[chainId, height, chain, height, source],
  );
  for (const hash of lost) redateMessage(session, hash);
  connection.run(
    "DELETE FROM chain_events WHERE chain = ? AND height > ? AND source = ?",
    ...[chain, height, source],
  );
  connection.run("DELETE FROM chain_blocks WHERE chain = ? AND height > ?", chain, height);
  connection.run(
    "UPDATE packs SET state = ? WHERE chain = ? AND state = ?",
    PACK_STATES.indexOf("sent"),
    chain,
    PACK_STATES.indexOf("mined"),
  );
  return lost;
}
