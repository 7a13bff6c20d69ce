import { frameOf, framesOf, NetworkError, type PeerStream, type PeerStreams } from "@twentysix/network";

/*
 * Content by its hash, between two of our nodes, over a stream of its own. The asking side sends one frame, JSON:
 * `{"hash": …, "offset": …}`, with `"length"` where it wants no more than that, and `"part": "leaves"` where it wants the
 * list of leaves, "shards" for that of its shards, or "shard" with a "position" for one of them. The answer begins with
 * one, JSON: `{"state": "found", "form": "bytes" | "car" | "leaves" | "shards", "size": …}`, `{"state": "absent"}` or
 * `{"state": "busy"}`; frames of bytes follow, and an empty frame says that nothing is missing.
 *
 * Files named by a SHA-256 travel as their bytes, from the offset; `size` is that of the whole file. What a CID names
 * travels as a CAR of its blocks. The leaves of a file are the SHA-256 of each of its chunks of 256 KiB, 32 bytes each,
 * which are the leaves of its fixed CID.
 */

export const CONTENT_PROTOCOL = "/twentysix/content/1.0.0";

export const MAX_CONTENT_FRAME_BYTES = 256 * 1024;
const MAX_HEAD_BYTES = 1_024;
const MAX_HASH_LENGTH = 128;

export interface ContentRequest {
  readonly hash: string;
  readonly offset: number;
  /** Bytes that are wanted; null: all that are left. */
  readonly length: number | null;
  readonly part: "content" | "leaves" | "shards" | "shard";
  /** Of the shard that is wanted. */
  readonly position?: number;
}

export type ContentHead =
  | {
      readonly state: "found";
      readonly form: "bytes" | "car" | "leaves" | "shards";
      /** Bytes of the whole file; null: the peer does not say. */
      readonly size: number | null;
    }
  | { readonly state: "absent" | "busy" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const END = frameOf(new Uint8Array());

/** Every request ends with it: to make an error with its stack each time costs much. */
const GIVEN_UP = new Error("the content is not wanted any more");

/** Asks a peer. @throws NetworkError NETWORK_PEER_FAILED */
export async function askForContent(
  streams: PeerStreams,
  peerId: string,
  request: ContentRequest,
  signal: AbortSignal,
): Promise<{ readonly head: ContentHead; readonly bytes: AsyncIterable<Uint8Array>; end(): void }> {
  const stream = await streams.open(peerId, CONTENT_PROTOCOL, signal);
  const giveUp = (): void => stream.abort(GIVEN_UP);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await stream.send(frameOf(encoder.encode(JSON.stringify(written(request)))));
    await stream.end();
    const frames = framesOf(stream.source, MAX_CONTENT_FRAME_BYTES);
    const head = readHead(await nextFrame(frames, peerId), peerId);
    return {
      head,
      bytes: piecesOf(frames, peerId),
      end: () => {
        signal.removeEventListener("abort", giveUp);
        giveUp();
      },
    };
  } catch (error) {
    giveUp();
    throw error;
  }
}

/** What says nothing new is left out. */
const written = ({
  hash,
  offset,
  length,
  part,
  position,
}: ContentRequest): Readonly<Record<string, unknown>> => ({
  hash,
  offset,
  ...(length === null ? {} : { length }),
  ...(part === "content" ? {} : { part }),
  ...(position === undefined ? {} : { position }),
});

/** What a peer asks for. @throws NetworkError NETWORK_PEER_FAILED */
export async function readRequest(stream: PeerStream): Promise<ContentRequest> {
  const frame = await nextFrame(framesOf(stream.source, MAX_HEAD_BYTES), stream.peerId);
  const { hash, offset, length = null, part = "content", position } = readObject(frame, stream.peerId);
  const isHash = typeof hash === "string" && hash.length > 0 && hash.length <= MAX_HASH_LENGTH;
  const isPart = part === "content" || part === "leaves" || part === "shards" || part === "shard";
  const isPosition = part === "shard" ? isCount(position) : position === undefined;
  if (!isHash || !isCount(offset) || !(length === null || isCount(length)) || !isPart || !isPosition)
    throw malformed(stream.peerId);
  return { hash, offset, length, part, ...(isCount(position) ? { position } : {}) };
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

export async function sendHead(stream: PeerStream, head: ContentHead): Promise<void> {
  await stream.send(frameOf(encoder.encode(JSON.stringify(head))));
}

export async function sendBytes(
  stream: PeerStream,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  for await (const piece of bytes) {
    for (let at = 0; at < piece.byteLength; at += MAX_CONTENT_FRAME_BYTES)
      await stream.send(frameOf(piece.subarray(at, at + MAX_CONTENT_FRAME_BYTES)));
  }
  await stream.send(END);
}

type Frames = AsyncGenerator<Uint8Array, void, undefined>;

async function nextFrame(frames: Frames, peerId: string): Promise<Uint8Array> {
  const next = await frames.next();
  if (next.done === true) throw malformed(peerId);
  return next.value;
}

async function* piecesOf(frames: Frames, peerId: string): Frames {
  for await (const frame of frames) {
    if (frame.byteLength === 0) return;
    yield frame;
  }
  throw new NetworkError("NETWORK_PEER_FAILED", `peer ${peerId} broke off before the end of the content`);
}

function readHead(frame: Uint8Array, peerId: string): ContentHead {
  const { state, form, size = null } = readObject(frame, peerId);
  if (state === "absent" || state === "busy") return { state };
  const isForm = form === "bytes" || form === "car" || form === "leaves" || form === "shards";
  if (state === "found" && isForm && (size === null || isCount(size))) return { state, form, size };
  throw malformed(peerId);
}

function readObject(frame: Uint8Array, peerId: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(decoder.decode(frame));
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw malformed(peerId);
}

const malformed = (peerId: string): NetworkError =>
  new NetworkError(
    "NETWORK_PEER_FAILED",
    `peer ${peerId} speaks ${CONTENT_PROTOCOL} in a way that nobody understands`,
  );
