import { hash } from "node:crypto";
import {
  frameOf,
  framesOf,
  NetworkError,
  type PeerSignature,
  type PeerStream,
  type PeerStreams,
} from "@twentysix/network";
import { type Clock, Semaphore, type Timers } from "@twentysix/platform";
import { BlobError, type ContentStore, provePossession, sizeOfRoot } from "@twentysix/storage";
import { TokenBuckets } from "../../api/http/token-buckets.ts";
import type { FileHolds } from "../../content/file-holds.ts";
import { claimBytes, type HoldingClaim, type SignedClaim } from "./holding-claim.ts";

/*
 * Challenges: does a peer hold a file, or one of its shards? The auditor sends one frame, JSON: `{"name": …, "root": …,
 * "nonce": hex}`, where `root` is the DAG of the file or of the shard. The answer begins with a frame, JSON:
 * `{"state": "absent"}`, `{"state": "leaving"}` from whoever is about to give it up, or `{"state": "held", "sizeBytes":
 * …, "digests": […], "key": hex, "signature": hex}`; then comes a frame for each block from the root to the leaf that
 * the nonce leads to.
 */

export const PROOF_PROTOCOL = "/twentysix/proof/2.0.0";

const MAX_QUESTION_BYTES = 1_024;
const MAX_HEAD_BYTES = 16 * 1024;
/** The largest block that a DAG may have here. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;
const MAX_BLOCKS = 64;
const NONCE = /^[0-9a-f]{64}$/;
const HEX = /^(?:[0-9a-f]{2}){1,2048}$/;

export interface Challenge {
  /** The name that messages call the file by. */
  readonly name: string;
  /** The DAG that is proven. */
  readonly root: string;
  /** 32 bytes, hexadecimal. */
  readonly nonce: string;
}

export type ProofAnswer =
  | { readonly state: "absent" | "leaving" }
  /** Not judged. */
  | { readonly state: "held"; readonly claim: SignedClaim; readonly blocks: readonly Uint8Array[] };

/** Every challenge ends with it, whatever became of it: to make an error with its stack each time costs as much as the rest. */
const GIVEN_UP = new Error("the proof is not waited for any more");

/** Challenges a peer. @throws NetworkError NETWORK_PEER_FAILED; MalformedProof for an answer against the protocol */
export async function askForProof(
  streams: PeerStreams,
  peerId: string,
  challenge: Challenge,
  signal: AbortSignal,
): Promise<ProofAnswer> {
  const stream = await streams.open(peerId, PROOF_PROTOCOL, signal);
  const giveUp = (): void => stream.abort(GIVEN_UP);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await stream.send(frameOf(new TextEncoder().encode(JSON.stringify(challenge))));
    await stream.end();
    const frames = framesOf(stream.source, MAX_BLOCK_BYTES);
    const head = await nextOf(frames, peerId);
    if (head.byteLength > MAX_HEAD_BYTES) throw new MalformedProof();
    const { state, ...said } = parse(head) ?? {};
    if (state === "absent" || state === "leaving") return { state };
    const claim = state === "held" ? readClaim(challenge, said) : null;
    if (claim === null) throw new MalformedProof();
    const blocks: Uint8Array[] = [];
    while (blocks.length < claim.digests.length) blocks.push(await nextOf(frames, peerId));
    if (blocks.some((block, index) => hash("sha256", block) !== claim.digests[index]))
      throw new MalformedProof();
    return { state: "held", claim, blocks };
  } finally {
    signal.removeEventListener("abort", giveUp);
    giveUp();
  }
}

/** An answer that is none: its sender is at fault, which nobody else can check. */
export class MalformedProof extends Error {}

/** Where the bytes of a challenge stand. */
export type HoldingOf = (
  challenge: Challenge,
) => Promise<
  { readonly state: "held"; readonly contentName: string } | { readonly state: "absent" | "leaving" }
>;

export interface AnswererOptions {
  readonly streams: PeerStreams;
  readonly contents: ContentStore;
  readonly holdingOf: HoldingOf;
  /** Keep what is being proven from being given up meanwhile. */
  readonly holds: Pick<FileHolds, "hold">;
  /** The bytes are not here, or not what they were, although the record says so. */
  readonly onLoss: (contentName: string, damage: "missing" | "corrupt") => Promise<void>;
  readonly sign: (bytes: Uint8Array) => Promise<PeerSignature>;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "sleep">;
}

/** Challenges a second that are answered, of one peer and of all; a node asks 16 a second at most, and not one alone. */
const OF_PEER = { perSecond: 16, burst: 64, maxKeys: 1_024 };
const OF_ALL = { perSecond: 64, burst: 256, maxKeys: 1 };
/** Those of a peer that asks for less do not wait for those of others. */
const MODEST = { perSecond: 2, burst: 64, maxKeys: 1_024 };
/** Files that are indexed for their first proof at once, and challenges that wait for it. */
const INDEXING = { permits: 1, maxWaiters: 256 };

/** Answers challenges about what this node has a record of, until it is closed. What comes too quickly waits. */
export function answerChallenges(options: AnswererOptions): () => void {
  const { streams, contents, holdingOf, holds, onLoss, sign, clock, timers } = options;
  const nowMs = (): number => clock.monotonicMs();
  const [ofPeer, ofAll] = [new TokenBuckets(OF_PEER, nowMs), new TokenBuckets(OF_ALL, nowMs)];
  const modest = new TokenBuckets(MODEST, nowMs);
  const indexing = new Semaphore(INDEXING);
  const waitFor = async (take: () => number): Promise<void> => {
    for (let seconds = take(); seconds > 0; seconds = take()) await timers.sleep(seconds * 1_000);
  };
  const turnOf = async (peerId: string): Promise<void> => {
    await waitFor(() => ofPeer.take(peerId, 1));
    if (modest.take(peerId, 1) > 0) await waitFor(() => ofAll.take("all", 1));
  };
  return streams.handle(PROOF_PROTOCOL, async (stream) => {
    const challenge = await readChallenge(stream);
    await turnOf(stream.peerId);
    const known = await holdingOf(challenge);
    // To index a file for its first proof is to write it once more: bytes that were given up would be back.
    using _hold = known.state === "held" ? await holds.hold(known.contentName) : null;
    const holding = known.state === "held" ? await holdingOf(challenge) : known;
    const found =
      holding.state === "held" ? await proofOf(contents, challenge, holding.contentName, indexing) : null;
    if (holding.state === "held" && (found === "missing" || found === "corrupt"))
      await onLoss(holding.contentName, found);
    const proof = typeof found === "string" ? null : found;
    if (proof === null) {
      const state = holding.state === "leaving" ? "leaving" : "absent";
      await stream.send(headFrame({ state }));
    } else {
      const [top = new Uint8Array()] = proof;
      const digests = proof.map((block) => hash("sha256", block));
      const claim: HoldingClaim = { ...challenge, sizeBytes: sizeOfRoot(challenge.root, top), digests };
      const { publicKey, signature } = await sign(claimBytes(claim));
      const { sizeBytes } = claim;
      const signed = { key: hexOf(publicKey), signature: hexOf(signature) };
      await stream.send(headFrame({ state: "held", sizeBytes, digests, ...signed }));
      for (const block of proof) await stream.send(frameOf(block));
    }
    await stream.end();
  });
}

const headFrame = (head: unknown): Uint8Array => frameOf(new TextEncoder().encode(JSON.stringify(head)));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

async function proofOf(
  contents: ContentStore,
  { root, nonce }: Challenge,
  contentName: string,
  indexing: Semaphore,
): Promise<readonly Uint8Array[] | "missing" | "corrupt" | null> {
  try {
    if ((await contents.stat(contentName)) === undefined) return "missing";
    // A file that came under its SHA-256 has no index of its blocks until somebody asks for one.
    if ((await contents.stat(root)) === undefined) {
      using _turn = await indexing.acquire();
      if ((await contents.stat(root)) === undefined)
        await contents.addFile(contents.read(contentName), ["fixedCid"]);
    }
    if ((await contents.stat(root)) === undefined) return null;
    return await provePossession(contents.blocks, root, Buffer.from(nonce, "hex"));
  } catch (error) {
    // The index names blocks whose bytes are gone, or have changed.
    if (error instanceof BlobError && error.code === "BLOB_CORRUPT") return "corrupt";
    throw error;
  }
}

async function readChallenge(stream: PeerStream): Promise<Challenge> {
  const frame = await nextOf(framesOf(stream.source, MAX_QUESTION_BYTES), stream.peerId);
  const { name, root, nonce } = parse(frame) ?? {};
  const areTexts = typeof name === "string" && typeof root === "string" && typeof nonce === "string";
  if (!areTexts || !NONCE.test(nonce)) throw malformed(stream.peerId);
  return { name, root, nonce };
}

function readClaim(challenge: Challenge, said: Readonly<Record<string, unknown>>): SignedClaim | null {
  const { sizeBytes, digests, key, signature } = said;
  const isSize =
    sizeBytes === null ||
    (typeof sizeBytes === "number" && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0);
  if (!isSize || !isHex(key) || !isHex(signature)) return null;
  if (!Array.isArray(digests) || digests.length === 0 || digests.length > MAX_BLOCKS) return null;
  if (!digests.every((one): one is string => typeof one === "string" && NONCE.test(one))) return null;
  return { ...challenge, sizeBytes, digests, key, signature };
}

const isHex = (value: unknown): value is string => typeof value === "string" && HEX.test(value);

/** null: it is no JSON object. */
function parse(frame: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(frame));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
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
