import { hash } from "node:crypto";
import { ByteReader, ByteWriter, PeerFault, SALT_BYTES } from "@twentysix/network/reconcile";
import { type NetworkDefinition, stringifyCanonicalJson } from "@twentysix/protocol";
import { STATE_ROOT_ALGORITHM, type TreeState } from "@twentysix/storage";

/*
 * One stream is one visit: the visitor asks, one request after the other; frames as `frameOf` has them.
 *
 * request  = kind (1 byte) || what is asked
 * answer   = any number of (MORE || part), then LAST || part; or REFUSED || the reason as UTF-8
 *
 * A node answers from what it holds alone: no visit changes it, none depends on an earlier one.
 */

export const SYNC_PROTOCOL = "/twentysix/sync/1.0.0";

/** First byte of a request, and what follows. */
export const REQUEST = {
  /** See `writeHello`; answered by `writeWelcome`. Comes first, and once. */
  hello: 1,
  /** Prefixes; answered with nodes. */
  nodes: 2,
  /** Leaves of ranges by their shorts; answered with leaves. */
  leaves: 3,
  /** An event number and how many; see `writeLog`. */
  log: 4,
  /** Keys; answered with digests. */
  digests: 5,
  /** Keys; answered with lines of an exported file, in the last part how many of the keys they answer (4 bytes). */
  bodies: 6,
  /** Nothing; answered with what `checkpointJson` gives, or with nothing. Only of a peer whose welcome says that it signs. */
  checkpoint: 7,
} as const;

/** First byte of an answer. */
export const ANSWER = { last: 0, more: 1, refused: 2 } as const;

export const MAX_REQUEST_BYTES = 128 * 1024;
export const MAX_ANSWER_FRAME_BYTES = 512 * 1024;
/** Of what is no body: a full log, or as many leaves. */
export const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** Bodies begun in one answer, in characters; one message, or the targets of one FORGET, may go beyond it. */
export const BODIES_CHARACTERS = 1024 * 1024;
/** Of bodies: a content of the largest size in a JSON text, and what was begun before it. */
export const MAX_BODIES_BYTES = 64 * 1024 * 1024;
/** Messages of the log asked for at once. */
export const LOG_ENTRIES = 1_024;

/** Both sides must have the same: names of what they compare, and how. */
export interface SyncIdentity {
  /** SHA-256 of the network definition, without where to find it. */
  readonly network: string;
  readonly trees: string;
}

const BUCKETS = "nibbles, 32 a bucket";

/** Two nodes may find their network in different places and describe it as they like. */
export function syncIdentity(definition: NetworkDefinition): SyncIdentity {
  const { bootstrap: _places, description: _words, developmentAccounts: _keys, ...rules } = definition;
  return {
    network: hash("sha256", stringifyCanonicalJson(JSON.parse(JSON.stringify(rules)))),
    trees: `${STATE_ROOT_ALGORITHM}, ${BUCKETS}`,
  };
}

export interface Hello extends SyncIdentity {
  /** Shortens the digests of this visit. */
  readonly salt: Uint8Array;
}

/** What a node says of itself in answer to a hello. */
export interface Welcome extends SyncIdentity, TreeState {
  /** It is catching up itself: others have more. */
  readonly isSyncing: boolean;
  /** It was compared with others: who has what it has is as far as they are. */
  readonly isReady: boolean;
  /** It is not ready yet, was so before it was started, and knows of nothing that it lacks. */
  readonly isReturning: boolean;
  /** It answers with its checkpoint when it is asked. */
  readonly signs: boolean;
}

export function writeHello({ network, trees, salt }: Hello): Buffer {
  return new ByteWriter()
    .bytes(salt)
    .bytes(Buffer.from(JSON.stringify({ network, trees })))
    .finish();
}

/** @throws PeerFault */
export function readHello(bytes: Uint8Array): Hello {
  const reader = new ByteReader(bytes);
  const salt = Buffer.from(reader.hex(SALT_BYTES), "hex");
  const { network, trees } = readObject(reader.rest());
  if (typeof network !== "string" || typeof trees !== "string") throw new PeerFault("the peer sent no hello");
  return { network, trees, salt };
}

export function writeWelcome(welcome: Welcome): Buffer {
  return Buffer.from(JSON.stringify(welcome));
}

/** @throws PeerFault */
export function readWelcome(bytes: Uint8Array): Welcome {
  const { network, trees, count, root, treeSeq, lastSeq, isSyncing, isReady, isReturning, signs } =
    readObject(bytes);
  if (typeof network !== "string" || typeof trees !== "string" || typeof root !== "string")
    throw new PeerFault("the peer sent no welcome");
  if (!isCount(count) || !isCount(treeSeq) || !isCount(lastSeq) || typeof isSyncing !== "boolean")
    throw new PeerFault("the peer sent no figures in its welcome");
  const told = { isSyncing, isReady: isReady === true, isReturning: isReturning === true };
  return { network, trees, count, root, treeSeq, lastSeq, ...told, signs: signs === true };
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

function readObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new PeerFault("the peer sent what is no JSON object");
}

/** Which of two nodes do not fit together, and why; null when they do. */
export function mismatchOf(own: SyncIdentity, theirs: SyncIdentity): string | null {
  if (own.network !== theirs.network) return "they follow another network definition";
  if (own.trees !== theirs.trees) return "their state trees are laid out otherwise";
  return null;
}
