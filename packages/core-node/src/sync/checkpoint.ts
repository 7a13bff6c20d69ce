import { PeerFault, type PeerSignature, type PeerSignatures } from "@twentysix/network/reconcile";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  stringifyCanonicalJson,
} from "@twentysix/protocol";
import { mismatchOf, type SyncIdentity } from "./sync-protocol.ts";

/** The state of a node at one place of its log, as it says itself. */
export interface CheckpointStatement extends SyncIdentity {
  readonly peerId: string;
  /** The state root that `GET /api/v1/state-root` gives. */
  readonly root: string;
  /** Digest of the messages tree alone. */
  readonly messagesRoot: string;
  /** Messages accepted or forgotten. */
  readonly count: number;
  /** The last event of its log that the root shows. */
  readonly position: number;
  readonly timeSeconds: number;
}

/** A statement under the signature of its node: whoever has it can show it to others. */
export interface Checkpoint {
  readonly statement: CheckpointStatement;
  readonly signature: PeerSignature;
}

/** In front of what else the key of a peer signs this cannot stand: those begin otherwise. */
const KIND = "twentysix checkpoint 1";
const MAX_BYTES = 8 * 1024;

/** As it travels, is kept and is shown; `readCheckpoint` reads it. */
export function checkpointJson({ statement, signature }: Checkpoint): JsonObject {
  return {
    statement: statementJson(statement),
    public_key: base64(signature.publicKey),
    signature: base64(signature.signature),
  };
}

export async function signCheckpoint(
  statement: CheckpointStatement,
  signatures: Pick<PeerSignatures, "sign">,
): Promise<Checkpoint> {
  return { statement, signature: await signatures.sign(signedBytes(statement)) };
}

/**
 * Reads what a peer sent and verifies it: its form, whose it is, and that it is about this network.
 *
 * @throws PeerFault
 */
export async function verifiedCheckpoint(
  bytes: Uint8Array,
  peerId: string,
  identity: SyncIdentity,
  signatures: Pick<PeerSignatures, "isSignedBy">,
): Promise<Checkpoint> {
  const parsed = bytes.length > MAX_BYTES ? null : parseJson(Buffer.from(bytes).toString("utf8"));
  const checkpoint = parsed?.ok === true ? readCheckpoint(parsed.value) : null;
  if (checkpoint === null) throw new PeerFault("the peer sent no checkpoint");
  const { statement, signature } = checkpoint;
  if (statement.peerId !== peerId) throw new PeerFault("the peer sent a checkpoint of another one");
  if (mismatchOf(identity, statement) !== null)
    throw new PeerFault("the peer sent a checkpoint of another network");
  if (!(await signatures.isSignedBy(peerId, signedBytes(statement), signature)))
    throw new PeerFault("the peer sent a checkpoint that it did not sign");
  return checkpoint;
}

/** null for what is no checkpoint; nothing is said of its signature. */
export function readCheckpoint(value: JsonValue | undefined): Checkpoint | null {
  if (!isJsonObject(value)) return null;
  const { statement: told, public_key: publicKey, signature } = value;
  if (typeof publicKey !== "string" || typeof signature !== "string") return null;
  const statement = readStatement(told);
  if (statement === null) return null;
  return {
    statement,
    signature: {
      publicKey: Buffer.from(publicKey, "base64"),
      signature: Buffer.from(signature, "base64"),
    },
  };
}

const signedBytes = (statement: CheckpointStatement): Buffer =>
  Buffer.from(stringifyCanonicalJson(statementJson(statement)));

function statementJson(statement: CheckpointStatement): JsonObject {
  const { network, trees, peerId, root, messagesRoot, count, position, timeSeconds } = statement;
  return {
    ...{ kind: KIND, network, trees, peer_id: peerId, root, messages_root: messagesRoot },
    ...{ count, position, time: timeSeconds },
  };
}

function readStatement(value: JsonValue | undefined): CheckpointStatement | null {
  if (!isJsonObject(value) || value.kind !== KIND) return null;
  const { network, trees, peer_id: peerId, root, messages_root: messagesRoot } = value;
  const { count, position, time: timeSeconds } = value;
  if (!isText(network) || !isText(trees) || !isText(peerId)) return null;
  if (!isDigest(root) || !isDigest(messagesRoot)) return null;
  if (!isCount(count) || !isCount(position) || !isCount(timeSeconds)) return null;
  return { network, trees, peerId, root, messagesRoot, count, position, timeSeconds };
}

const isText = (value: unknown): value is string => typeof value === "string";
const isDigest = (value: unknown): value is string => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
