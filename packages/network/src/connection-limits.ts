import type { Connection } from "@libp2p/interface";
import { hostOf } from "./connection-gate.ts";

/** Several with one peer are normal, each of which costs memory. */
const MAX_OF_PEER = 8;
/** In a public network, from one address: names of peers cost nothing, addresses do. */
const MAX_OF_HOST = 32;

/** Why a connection that was just made is one too many; null when it is not. */
export function oneTooMany(
  connection: Connection,
  all: readonly Connection[],
  { isPrivate }: { readonly isPrivate: boolean },
): string | null {
  const peerId = connection.remotePeer.toString();
  const ofPeer = all.filter(({ remotePeer }) => remotePeer.toString() === peerId).length;
  if (ofPeer > MAX_OF_PEER) return `the peer has ${MAX_OF_PEER} connections already`;
  if (isPrivate || connection.direction === "outbound") return null;
  const host = hostOf(connection.remoteAddr);
  const ofHost = all.filter(({ remoteAddr }) => hostOf(remoteAddr) === host).length;
  return ofHost > MAX_OF_HOST ? `its address has ${MAX_OF_HOST} connections already` : null;
}
