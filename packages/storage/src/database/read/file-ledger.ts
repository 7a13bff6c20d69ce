import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import { FILE_DAMAGES, type FileDamage, PIN_CODE, type PinKind } from "../codes.ts";
import type { SqlConnection } from "../sql/connection.ts";

/** An entry of the journal: bytes that are to go under these names. */
export interface PendingDeletion {
  readonly name: string;
  /** A further name that goes along: the fixed CID of a file that was registered under another. */
  readonly cid: string | null;
  readonly sizeBytes: number;
}

export interface RegisteredFile {
  readonly id: number;
  readonly name: string;
  readonly isPinned: boolean;
  readonly damage: FileDamage | null;
}

/** A file that this node should get from somebody. */
export interface WantedFile {
  readonly name: string;
  /** null: it was never here. */
  readonly damage: FileDamage | null;
}

export interface FileLedgerFigures {
  /** Entries of the journal. */
  readonly pendingDeletions: number;
  readonly damagedFiles: number;
  /** Whose bytes were given up because others keep them. */
  readonly filesElsewhere: number;
  /** When the next time of grace is over; null when none runs. */
  readonly nextGraceEndMicros: bigint | null;
}

/** A stored file with who has proven that he holds it. */
export interface KeptFileRecord {
  readonly id: number;
  readonly name: string;
  /** The DAG that proofs are made over: the file's own CID, or that of fixed parameters; null: not known. */
  readonly root: string | null;
  readonly sizeBytes: number;
  readonly damage: FileDamage | null;
  /** It is the content of a message as well, which every node keeps. */
  readonly isContent: boolean;
  readonly proofs: readonly Proven[];
  /** The fixed CID under which the bytes stand as well; null: not known. */
  readonly furtherName: string | null;
  /** null: no shards of it are known. */
  readonly coding: KeptCoding | null;
}

/** A node that has proven to this one that it holds something, and when it last did. */
export interface Proven {
  readonly peerId: string;
  readonly provenMicros: bigint;
}

/** A file in shards, as this node has computed them. */
export interface KeptCoding {
  readonly dataShards: number;
  readonly totalShards: number;
  /** Bytes of what was cut: the file, or the CAR of its blocks. */
  readonly codedBytes: number;
  /** By position. */
  readonly shards: readonly KeptShard[];
}

export interface KeptShard {
  readonly position: number;
  readonly sha256: string;
  readonly cid: string;
  /** Its bytes are here. */
  readonly isHeld: boolean;
  readonly proofs: readonly Proven[];
}

/** Something that a peer was caught at. */
export interface PeerFaultRecord {
  readonly peerId: string;
  readonly kind: string;
  /** The file that it was about; null: none. */
  readonly file: string | null;
  readonly atMicros: bigint;
  /** JSON. */
  readonly evidence: string;
}

const ELSEWHERE = FILE_DAMAGES.indexOf("elsewhere");

interface KeptRow {
  readonly id: number;
  readonly hash: Uint8Array;
  readonly cid: Uint8Array | null;
  readonly size: number;
  readonly reason: number | null;
  readonly content: number;
}

interface ShardRow {
  readonly position: number;
  readonly sha256: Uint8Array;
  readonly cid: Uint8Array;
  readonly is_held: number;
}

const SHA256_BYTES = 32;

interface DeletionRow {
  readonly hash: Uint8Array;
  readonly cid: Uint8Array | null;
  readonly size: number;
}

/** What the records say of the bytes on the disk, read anew at every call. Each call is a few indexed look-ups. */
export class FileLedger {
  readonly #connection: SqlConnection;

  /** @param connection one without an open transaction, so that every call sees the last commit */
  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  /** Deletions that are due, the oldest first. */
  dueDeletions(nowMicros: bigint, limit: number): PendingDeletion[] {
    return this.#connection
      .all<DeletionRow>(
        "SELECT hash, cid, size FROM file_deletions WHERE due_us <= ? ORDER BY due_us, hash LIMIT ?",
        nowMicros,
        limit,
      )
      .map(({ hash, cid, size }) => ({
        name: decodeItemHash(hash),
        cid: cid === null ? null : decodeItemHash(cid),
        sizeBytes: size,
      }));
  }

  /** When the next deletion is due; null when the journal is empty. */
  nextDeletionMicros(): bigint | null {
    const row = this.#connection.getBig<{ at: bigint | null }>(
      "SELECT min(due_us) AS at FROM file_deletions",
    );
    return row?.at ?? null;
  }

  /** The journal still says so. */
  isDeletionPending(name: string): boolean {
    return this.#has("SELECT 1 FROM file_deletions WHERE hash = ?", name);
  }

  /** Files that messages wait for, and registered ones whose bytes are missing or corrupt; in no particular order. */
  wantedFiles(limit: number): WantedFile[] {
    const prefix = "file:";
    const waited = this.#connection
      .all<{ key: string }>(
        "SELECT DISTINCT key FROM waits WHERE key >= 'file:' AND key < 'file;' LIMIT ?",
        limit,
      )
      .map(({ key }) => ({ name: key.slice(prefix.length), damage: null }));
    const damaged = this.#connection
      .all<{ hash: Uint8Array; reason: number }>(
        `SELECT f.hash, d.reason FROM damaged_files d JOIN files f ON f.id = d.file_id WHERE d.reason <> ${ELSEWHERE} LIMIT ?`,
        limit,
      )
      .map(({ hash, reason }) => ({ name: decodeItemHash(hash), damage: FILE_DAMAGES[reason] ?? null }));
    return [...waited, ...damaged];
  }

  /** Bytes that a record needs: those of a file, or of a shard that is held here. */
  isRegistered(name: string): boolean {
    const bytes = encodeItemHash(name);
    const query = `SELECT 1 FROM files WHERE hash = ?
      UNION ALL SELECT 1 FROM file_shards WHERE is_held = 1 AND (cid = ? OR sha256 = ?) LIMIT 1`;
    return this.#connection.get(query, bytes, bytes, bytes) !== undefined;
  }

  /** A file is registered under a CID whose bytes have this SHA-256. */
  isRegisteredByCid(sha256: string): boolean {
    return this.#has("SELECT 1 FROM files WHERE sha256 = ? AND sha256 <> hash LIMIT 1", sha256);
  }

  /** A file that is registered under another CID has this one too. */
  isFurtherName(cid: string, sha256: string): boolean {
    return (
      this.#connection.get(
        "SELECT 1 FROM files WHERE sha256 = ? AND sha256 <> hash AND cid = ? LIMIT 1",
        encodeItemHash(sha256),
        encodeItemHash(cid),
      ) !== undefined
    );
  }

  /** Registered files in the order of their rows, after the one given. */
  registered(afterId: number, limit: number): RegisteredFile[] {
    return this.#connection
      .all<{ id: number; hash: Uint8Array; pinned: number; reason: number | null }>(
        `SELECT f.id, f.hash, EXISTS (SELECT 1 FROM pins p WHERE p.file_id = f.id) AS pinned, d.reason
         FROM files f LEFT JOIN damaged_files d ON d.file_id = f.id WHERE f.id > ? ORDER BY f.id LIMIT ?`,
        afterId,
        limit,
      )
      .map(({ id, hash, pinned, reason }) => ({
        id,
        name: decodeItemHash(hash),
        isPinned: pinned === 1,
        damage: reason === null ? null : (FILE_DAMAGES[reason] ?? null),
      }));
  }

  /** Files that messages store, in the order of their rows, after the one given. */
  keptFiles(afterId: number, limit: number): KeptFileRecord[] {
    return this.#kept("f.id > ?", afterId, limit);
  }

  /** One of them; null for a file that no message stores. */
  keptFile(name: string): KeptFileRecord | null {
    return this.#kept("f.hash = ?", encodeItemHash(name), 1)[0] ?? null;
  }

  #kept(condition: string, value: number | Uint8Array, limit: number): KeptFileRecord[] {
    const hasPin = (kind: PinKind): string =>
      `EXISTS (SELECT 1 FROM pins p WHERE p.file_id = f.id AND p.kind = ${PIN_CODE[kind]})`;
    return this.#connection
      .all<KeptRow>(
        `SELECT f.id, f.hash, f.cid, f.size, d.reason, ${hasPin("content")} AS content
         FROM files f LEFT JOIN damaged_files d ON d.file_id = f.id
         WHERE ${condition} AND ${hasPin("message")} ORDER BY f.id LIMIT ?`,
        value,
        limit,
      )
      .map(({ id, hash, cid, size, reason, content }) => {
        const name = decodeItemHash(hash);
        const isDag = hash.byteLength > SHA256_BYTES;
        return {
          id,
          name,
          root: isDag ? name : cid === null ? null : decodeItemHash(cid),
          sizeBytes: size,
          damage: reason === null ? null : (FILE_DAMAGES[reason] ?? null),
          isContent: content === 1,
          proofs: this.#proofsOf(id),
          furtherName: cid === null ? null : decodeItemHash(cid),
          coding: this.#codingOf(id),
        };
      });
  }

  #codingOf(fileId: number): KeptCoding | null {
    const coded = this.#connection.get<{ data_shards: number; total_shards: number; coded_bytes: number }>(
      "SELECT data_shards, total_shards, coded_bytes FROM coded_files WHERE file_id = ?",
      fileId,
    );
    if (coded === undefined) return null;
    const proofs = this.#connection.allBig<{ position: bigint; peer: string; proven_us: bigint }>(
      "SELECT position, peer, proven_us FROM shard_proofs WHERE file_id = ? ORDER BY position, peer",
      fileId,
    );
    const shards = this.#connection.all<ShardRow>(
      "SELECT position, sha256, cid, is_held FROM file_shards WHERE file_id = ? ORDER BY position",
      fileId,
    );
    return {
      dataShards: coded.data_shards,
      totalShards: coded.total_shards,
      codedBytes: coded.coded_bytes,
      shards: shards.map(({ position, sha256, cid, is_held: held }) => ({
        position,
        sha256: decodeItemHash(sha256),
        cid: decodeItemHash(cid),
        isHeld: held === 1,
        proofs: proofs
          .filter((proof) => Number(proof.position) === position)
          .map(({ peer, proven_us: provenMicros }) => ({ peerId: peer, provenMicros })),
      })),
    };
  }

  /** The newest faults of all peers, or those about one file. */
  peerFaults(fileName: string | null, limit: number): PeerFaultRecord[] {
    return this.#connection
      .allBig<{ peer: string; kind: string; file: Uint8Array | null; at_us: bigint; evidence: string }>(
        `SELECT peer, kind, file, at_us, evidence FROM peer_faults ${fileName === null ? "" : "WHERE file = ?"}
         ORDER BY id DESC LIMIT ?`,
        ...(fileName === null ? [] : [encodeItemHash(fileName)]),
        limit,
      )
      .map(({ peer, kind, file, at_us: atMicros, evidence }) => ({
        peerId: peer,
        kind,
        file: file === null ? null : decodeItemHash(file),
        atMicros,
        evidence,
      }));
  }

  #proofsOf(fileId: number): KeptFileRecord["proofs"] {
    return this.#connection
      .allBig<{ peer: string; proven_us: bigint }>(
        "SELECT peer, proven_us FROM file_proofs WHERE file_id = ? ORDER BY peer",
        fileId,
      )
      .map(({ peer, proven_us: provenMicros }) => ({ peerId: peer, provenMicros }));
  }

  figures(): FileLedgerFigures {
    const count = (table: string): number =>
      this.#connection.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0;
    const grace = this.#connection.getBig<{ at: bigint | null }>(
      "SELECT min(delete_by_us) AS at FROM pins WHERE delete_by_us IS NOT NULL",
    );
    return {
      pendingDeletions: count("file_deletions"),
      damagedFiles: count(`damaged_files WHERE reason <> ${ELSEWHERE}`),
      filesElsewhere: count(`damaged_files WHERE reason = ${ELSEWHERE}`),
      nextGraceEndMicros: grace?.at ?? null,
    };
  }

  #has(query: string, name: string): boolean {
    return this.#connection.get(query, encodeItemHash(name)) !== undefined;
  }
}
