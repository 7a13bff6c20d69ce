import type { ConnectionGater, MultiaddrConnection } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { DenyList } from "./deny-list.ts";

/** Keeps denied peers and addresses away, whoever calls whom. */
export function connectionGate(denied: DenyList): ConnectionGater {
  const isDenied = ({ remoteAddr }: MultiaddrConnection): boolean =>
    denied.isDeniedAddress(hostOf(remoteAddr) ?? "");
  return {
    denyDialPeer: (peerId) => denied.peerIds.has(peerId.toString()),
    denyDialMultiaddr: (address) => denied.isDeniedAddress(hostOf(address) ?? ""),
    denyInboundConnection: isDenied,
    denyInboundEncryptedConnection: (peerId) => denied.peerIds.has(peerId.toString()),
    denyOutboundEncryptedConnection: (peerId) => denied.peerIds.has(peerId.toString()),
  };
}

/** The host of an address; null where it has none. */
export function hostOf(address: Multiaddr): string | null {
  const host = address
    .getComponents()
    .find(({ name }) => name === "ip4" || name === "ip6" || name.startsWith("dns"));
  return host?.value ?? null;
}
