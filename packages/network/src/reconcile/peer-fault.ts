/** A peer broke the rules of a protocol, by what it sent or by what it did not: it costs the peer, and nobody else. */
export class PeerFault extends Error {
  readonly code = "NETWORK_PEER_FAULT";
}
