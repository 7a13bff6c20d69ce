import { frameOf, framesOf, NetworkError, type PeerStream, type PeerStreams } from "@twentysix/network";
import { type ContentStore, provePossession } from "@twentysix/storage";

/*
 * Challenges: does a peer hold a file? The auditor sends one frame, JSON: `{"name": …, "root": …, "nonce": hex}`. The
 * answer is one frame, `1` and then the number of blocks (1 byte), followed by a frame for each block from the root to
 * the leaf that the nonce leads to; or one frame, `0`: the file is not held.
 */

export const PROOF_PROTOCOL = "/twentysix/proof/1.0.0";

const MAX_QUESTION_BYTES = 1_024;
/** The largest block that a DAG may have here. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;
const MAX_BLOCKS = 64;
const NONCE = /^[0-9a-f]{64}$/;

export interface Challenge {
  /** The name that messages call the file by. */
  readonly name: string;
  /** The DAG that is proven. */
  readonly root: string;
  /** 32 bytes, hexadecimal. */
  readonly nonce: string;
}

/** Challenges a peer; null: it says that it does not hold the file. @throws NetworkError NETWORK_PEER_FAILED */
export async function askForProof(
  streams: PeerStreams,
  peerId: string,
  challenge: Challenge,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | null> {
  const stream = await streams.open(peerId, PROOF_PROTOCOL, signal);
  const giveUp = (): void => stream.abort(new Error("the proof comes too late"));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await stream.send(frameOf(new TextEncoder().encode(JSON.stringify(challenge))));
    await stream.end();
    const frames = framesOf(stream.source, MAX_BLOCK_BYTES);
    const [isHeld = 0, count = 0] = await nextOf(frames, peerId);
    if (isHeld === 0) return null;
    if (count === 0 || count > MAX_BLOCKS) throw malformed(peerId);
    const blocks: Uint8Array[] = [];
    while (blocks.length < count) blocks.push(await nextOf(frames, peerId));
    return blocks;
  } finally {
    signal.removeEventListener("abort", giveUp);
    giveUp();
  }
}

export interface AnswererOptions {
  readonly streams: PeerStreams;
  readonly contents: ContentStore;
  /** The record says that the bytes are here. */
  readonly isKept: (name: string) => Promise<boolean>;
  /** The bytes are not here although the record says so. */
  readonly onLoss: (name: string) => Promise<void>;
}

/** Answers challenges about what this node has a record of, until it is closed. */
export function answerChallenges({ streams, contents, isKept, onLoss }: AnswererOptions): () => void {
  return streams.handle(PROOF_PROTOCOL, async (stream) => {
    const challenge = await readChallenge(stream);
    const isMeant = await isKept(challenge.name);
    const proof = isMeant ? await proofOf(contents, challenge) : null;
    if (isMeant && proof === null && (await contents.stat(challenge.name)) === undefined)
      await onLoss(challenge.name);
    await stream.send(frameOf(Uint8Array.of(proof === null ? 0 : 1, proof?.length ?? 0)));
    for (const block of proof ?? []) await stream.send(frameOf(block));
    await stream.end();
  });
}

async function proofOf(
  contents: ContentStore,
  { name, root, nonce }: Challenge,
): Promise<readonly Uint8Array[] | null> {
  if ((await contents.stat(name)) === undefined) return null;
  // A file that came under its SHA-256 has no index of its blocks until somebody asks for one.
  if ((await contents.stat(root)) === undefined) await contents.addFile(contents.read(name), ["fixedCid"]);
  if ((await contents.stat(root)) === undefined) return null;
  return await provePossession(contents.blocks, root, Buffer.from(nonce, "hex"));
}

async function readChallenge(stream: PeerStream): Promise<Challenge> {
  const frame = await nextOf(framesOf(stream.source, MAX_QUESTION_BYTES), stream.peerId);
  const { name, root, nonce } = parse(frame, stream.peerId);
  const areTexts = typeof name === "string" && typeof root === "string" && typeof nonce === "string";
  if (!areTexts || !NONCE.test(nonce)) throw malformed(stream.peerId);
  return { name, root, nonce };
}

function parse(frame: Uint8Array, peerId: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(frame));
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw malformed(peerId);
}

async function nextOf(
  frames: AsyncGenerator<Uint8Array, void, undefined>,
  peerId: string,
): Promise<Uint8Array> {
  const next = await frames.next();
  if (next.done === true) throw malformed(peerId);
  return next.value;
}

const malformed = (peerId: string): NetworkError =>
  new NetworkError(
    "NETWORK_PEER_FAILED",
    `peer ${peerId} speaks ${PROOF_PROTOCOL} in a way that nobody understands`,
  );
