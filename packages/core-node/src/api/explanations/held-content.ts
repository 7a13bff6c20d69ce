import { decodeUtf8 } from "@twentysix/protocol";
import type { DownloadServices } from "../services.ts";

/** A content that is not inline is read up to this size. */
export const MAX_CONTENT_BYTES = 1024 * 1024;

export type HeldContent =
  | { readonly kind: "text"; readonly text: string }
  /** This node does not hold it, or it is no text. */
  | { readonly kind: "missing" }
  | { readonly kind: "tooLarge" };

/** Reads the content of a message that is a file of this node. */
export async function readHeldContent(
  itemHash: string,
  downloads: Pick<DownloadServices, "openFile">,
  signal: AbortSignal,
): Promise<HeldContent> {
  const file = await downloads.openFile(itemHash, { signal });
  if (file === null) return { kind: "missing" };
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of file) {
    bytes += piece.length;
    if (bytes > MAX_CONTENT_BYTES) return { kind: "tooLarge" };
    pieces.push(piece);
  }
  const text = decodeUtf8(Buffer.concat(pieces));
  return text === null ? { kind: "missing" } : { kind: "text", text };
}
