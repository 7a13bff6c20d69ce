import type { NodeParts } from "@twentysix/core-node/simulated";
import type { GeneratedFile, GeneratedFiles } from "../disk/generated-file.ts";
import type { Drafted } from "./message-source.ts";

/** What a node answered to a client. */
export type Acknowledged = "taken" | "refused";

const SYNC_TIMEOUT_MS = 10_000;
/** Of a file that came with its message. */
const GRACE_MICROS = 86_400_000_000n;
const PIECE_BYTES = 64 * 1024;
const never = new AbortController().signal;

/** Submits a message as the API would for its client, the file before it where it names one. */
export async function submitTo(
  node: NodeParts,
  message: Drafted,
  files: GeneratedFiles,
): Promise<Acknowledged> {
  if (message.file !== null) await upload(node, piecesOf(message.file, files));
  if (message.contentApart !== null) await upload(node, textPiece(message.contentApart));
  const outcome = await node.services.submit(message.text, {
    origin: message.file === null ? "http" : "upload",
    sync: false,
    timeoutMs: SYNC_TIMEOUT_MS,
    signal: never,
  });
  return outcome.refused || outcome.status === "rejected" ? "refused" : "taken";
}

async function upload(node: NodeParts, source: AsyncIterable<Uint8Array>): Promise<void> {
  const { uploads, clock } = node.services;
  await using staged = await uploads.stageFile(source, { engine: "storage", signal: never });
  const kept = await staged.keep();
  await uploads.registerFile({ ...kept, graceUntilMicros: clock.nowMicros() + GRACE_MICROS });
}

async function* piecesOf(
  file: GeneratedFile,
  files: GeneratedFiles,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < file.sizeBytes; at += PIECE_BYTES) yield* files.read(file, at, at + PIECE_BYTES);
}

async function* textPiece(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield new TextEncoder().encode(text);
}
