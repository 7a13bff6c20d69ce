import type { PeerStreams } from "@twentysix/network";
import { askForContent } from "../content-protocol.ts";
import type { ContentSource } from "./content-source.ts";

/** Files up to this size come whole from one peer, larger ones in pieces from several. */
export const PIECES_FROM_BYTES = 8 * 1024 * 1024;

/** A node of our own kind, over a stream. */
export function streamSource(streams: PeerStreams, peerId: string): ContentSource {
  return {
    name: peerId,
    async ask(hash, signal) {
      const request = { hash, offset: 0, length: PIECES_FROM_BYTES, part: "content" } as const;
      const { head, bytes, end } = await askForContent(streams, peerId, request, signal);
      if (head.state === "found" && (head.form === "bytes" || head.form === "car"))
        return { form: head.form, isWhole: (head.size ?? 0) <= PIECES_FROM_BYTES, bytes, end };
      end();
      return null;
    },
  };
}
