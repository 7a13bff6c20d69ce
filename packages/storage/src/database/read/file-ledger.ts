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

/** Where a look at what is wanted has come to: ids of rows, of which 0 is before the first. */
export interface WantedTurn {
  readonly waiting: number;
  readonly damaged: number;
}

/** What is next in one turn, with the row at which each stands. */
export interface WantedPage {
  readonly files: readonly (WantedFile & { readonly at: number })[];
  /** Where the turn goes on after them. */
  readonly next: number;
}

/** Files that this node should get. Nobody can keep others from having their turn, however many names he makes up. */
export interface WantedFiles {
  /** What messages wait for that came last, the latest first. */
  readonly latest: readonly WantedFile[];
  /** What messages wait for, the oldest first. */
  readonly waiting: WantedPage;
  /** Registered files whose bytes are missing or corrupt. */
  readonly damaged: WantedPage;
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
  readonly coded: number;
}

interface ShardRow {
  readonly position: number;
  readonly sha256: Uint8Array;
  readonly cid: Uint8Array;
  readonly is_held: number;
}

const SHA256_BYTES = 32;
/** In front of the name of a file that a candidate waits for. */
const FILE_WAIT = "file:";

interface WaitingRow {
  /** Of the candidate. */
  readonly at: number;
  /** null: it waits for no file. */
  readonly key: string | null;
}

const namesOf = (rows: readonly WaitingRow[]): WantedPage["files"] =>
  rows.flatMap(({ at, key }) =>
    key === null ? [] : [{ at, name: key.slice(FILE_WAIT.length), damage: null }],
  );

interface DeletionRow {
  readonly hash: Uint8Array;
  readonly cid: Uint8Array | null;
  readonly size: number;
}

/** A file has a pin of this kind. */
const hasPin = (kind: PinKind): string =>
  `EXISTS (SELECT 1 FROM pins p WHERE p.file_id = f.id AND p.kind = ${PIN_CODE[kind]})`;

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

  /**
   * Files that messages wait for, and registered ones whose bytes are missing or corrupt.
   *
   * @param limit messages that are looked at, and damaged files
   */
  wantedFiles(turn: WantedTurn, limit: number): WantedFiles {
    const waiting = this.#waitedFor("ASC", turn.waiting, limit);
    const seen = new Set(waiting.map(({ at }) => at));
    const areAll = turn.waiting === 0 && seen.size < limit;
    const latest = areAll ? waiting.toReversed() : this.#waitedFor("DESC", 0, limit);
    const damaged = this.#connection
      .all<{ id: number; hash: Uint8Array; reason: number }>(
        `SELECT f.id, f.hash, d.reason FROM damaged_files d JOIN files f ON f.id = d.file_id
         WHERE d.reason <> ${ELSEWHERE} AND d.file_id > ? ORDER BY d.file_id LIMIT ?`,
        turn.damaged,
        limit,
      )
      .map(({ id, hash, reason }) => ({
        at: id,
        name: decodeItemHash(hash),
        damage: FILE_DAMAGES[reason] ?? null,
      }));
    const nextAfter = (rows: readonly { readonly at: number }[], looked: number): number =>
      looked < limit ? 0 : (rows.at(-1)?.at ?? 0);
    return {
      latest: namesOf(latest),
      waiting: { files: namesOf(waiting), next: nextAfter(waiting, seen.size) },
      damaged: { files: damaged, next: nextAfter(damaged, damaged.length) },
    };
  }

  /** Some candidates, each with the files that it waits for. */
  #waitedFor(order: "ASC" | "DESC", afterId: number, limit: number): WaitingRow[] {
    return this.#connection.all(
      `SELECT c.id AS at, w.key FROM (SELECT id FROM candidates WHERE id > ? ORDER BY id ${order} LIMIT ?) c
       LEFT JOIN waits w ON w.candidate_id = c.id AND w.key >= '${FILE_WAIT}' AND w.key < 'file;'
       ORDER BY c.id ${order}`,
      afterId,
      limit,
    );
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

  /**
   * The name under which the bytes of a file, or of the shard of it that is this DAG, stand here; null for those of which
   * no message stores the file, and which were given up or lost.
   */
  heldAs(name: string, root: string): string | null {
    const row = this.#connection.get<{ is_whole: number; is_shard: number }>(
      `SELECT NOT EXISTS (SELECT 1 FROM damaged_files d WHERE d.file_id = f.id) AS is_whole,
         EXISTS (SELECT 1 FROM file_shards s WHERE s.file_id = f.id AND s.cid = ? AND s.is_held = 1) AS is_shard
       FROM files f WHERE f.hash = ? AND ${hasPin("message")}`,
      encodeItemHash(root),
      encodeItemHash(name),
    );
    if (row === undefined) return null;
    if (Number(row.is_shard) === 1) return root;
    return Number(row.is_whole) === 1 ? name : null;
  }

  #kept(condition: string, value: number | Uint8Array, limit: number): KeptFileRecord[] {
    const rows = this.#connection.all<KeptRow>(
      `SELECT f.id, f.hash, f.cid, f.size, d.reason, ${hasPin("content")} AS content,
         EXISTS (SELECT 1 FROM coded_files c WHERE c.file_id = f.id) AS coded
       FROM files f LEFT JOIN damaged_files d ON d.file_id = f.id
       WHERE ${condition} AND ${hasPin("message")} ORDER BY f.id LIMIT ?`,
      value,
      limit,
    );
    const proofs = this.#proofsOf(rows.map(({ id }) => id));
    return rows.map(({ id, hash, cid, size, reason, content, coded }) => {
      const name = decodeItemHash(hash);
      const isDag = hash.byteLength > SHA256_BYTES;
      const furtherName = cid === null ? null : decodeItemHash(cid);
      return {
        id,
        name,
        root: isDag ? name : furtherName,
        sizeBytes: size,
        damage: reason === null ? null : (FILE_DAMAGES[reason] ?? null),
        isContent: content === 1,
        proofs: proofs.get(id) ?? [],
        furtherName,
        coding: coded === 1 ? this.#codingOf(id) : null,
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

  /** By file. */
  #proofsOf(fileIds: readonly number[]): ReadonlyMap<number, readonly Proven[]> {
    if (fileIds.length === 0) return new Map();
    const rows = this.#connection.allBig<{ file_id: bigint; peer: string; proven_us: bigint }>(
      `SELECT p.file_id, p.peer, p.proven_us FROM ${this.#connection.dialect.jsonIntegers("?")} AS ids
       CROSS JOIN file_proofs p WHERE p.file_id = ids.value ORDER BY p.file_id, p.peer`,
      JSON.stringify(fileIds),
    );
    return new Map(
      [...Map.groupBy(rows, (row) => Number(row.file_id))].map(([fileId, ofFile]) => [
        fileId,
        ofFile.map(({ peer, proven_us: provenMicros }) => ({ peerId: peer, provenMicros })),
      ]),
    );
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
