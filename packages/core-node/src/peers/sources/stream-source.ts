import type { PeerStreams } from "@twentysix/network";
import { askForContent } from "../content-protocol.ts";
import type { ContentSource } from "./content-source.ts";

/** A node of our own kind, over a stream. */
export function streamSource(streams: PeerStreams, peerId: string): ContentSource {
  return {
    name: peerId,
    async ask(hash, signal) {
      const { head, bytes, end } = await askForContent(streams, peerId, { hash, offset: 0 }, signal);
      if (head.state === "found") return { form: head.form, sizeBytes: null, bytes, end };
      end();
      return null;
    },
  };
}
