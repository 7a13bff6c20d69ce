import type { GossipSub } from "@libp2p/gossipsub";
import type { Libp2p } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { Random, Timers } from "@twentysix/platform";

export interface RelayOptions {
  readonly timers: Pick<Timers, "schedule">;
  readonly random: Pick<Random, "uniform">;
}

interface RawMessage {
  /** Its author. */
  readonly from?: Uint8Array;
}

/** Parts of `@libp2p/gossipsub` that it keeps to itself; a test of what is passed on to whom watches over them. */
interface GossipInternals {
  readonly mcache: { observeDuplicate(messageId: string, peerId: string): void };
  forwardMessage(
    messageId: string,
    message: RawMessage,
    source?: string,
    leftOut?: ReadonlySet<string>,
  ): void;
}

/** What comes from its author is passed on within this time. */
const MAX_PAUSE_MS = 100;
/** Messages that wait for the end of it at once. */
const MAX_PAUSING = 1_024;
/** Messages of which it is known who has sent them once more. */
const MAX_REPEATED = 2_048;

/**
 * Passes on a message to those alone that have not sent it meanwhile. Authors send to everyone that they are connected
 * with, who would all pass it on to each other at the same moment: what comes from its author waits, each time for
 * another while. That happens once on the way of a message. To be called before the host starts.
 */
export function relayOnce(
  host: Libp2p<{ readonly gossip: GossipSub }>,
  { timers, random }: RelayOptions,
): void {
  // The type says what is public; what is needed here is not.
  const gossip = host.services.gossip as unknown as GossipInternals;
  const repeated = new Map<string, Set<string>>();
  const observe = gossip.mcache.observeDuplicate.bind(gossip.mcache);
  gossip.mcache.observeDuplicate = (messageId, peerId) => {
    observe(messageId, peerId);
    const senders = repeated.get(messageId) ?? new Set();
    repeated.set(messageId, senders.add(peerId));
    for (const oldest of repeated.keys()) if (repeated.size > MAX_REPEATED) repeated.delete(oldest);
  };
  const forward = gossip.forwardMessage.bind(gossip);
  const passOn: GossipInternals["forwardMessage"] = (messageId, message, source, leftOut) => {
    if (host.status !== "started") return;
    forward(messageId, message, source, new Set([...(leftOut ?? []), ...(repeated.get(messageId) ?? [])]));
    repeated.delete(messageId);
  };
  let pausing = 0;
  gossip.forwardMessage = (messageId, message, source, leftOut) => {
    if (pausing >= MAX_PAUSING || !isAuthor(source, message)) {
      passOn(messageId, message, source, leftOut);
      return;
    }
    pausing += 1;
    timers.schedule(random.uniform(MAX_PAUSE_MS), () => {
      pausing -= 1;
      passOn(messageId, message, source, leftOut);
    });
  };
}

function isAuthor(peerId: string | undefined, { from }: RawMessage): boolean {
  if (peerId === undefined || from === undefined) return false;
  return Buffer.compare(peerIdFromString(peerId).toMultihash().bytes, from) === 0;
}
