import { isIP } from "node:net";
import type { ConnectionGater, MultiaddrConnection, PeerId } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { isPublicAddress } from "@twentysix/platform";
import type { DenyList } from "./deny-list.ts";
import type { PeerOpinions } from "./network.ts";

export interface ConnectionGateOptions {
  readonly denied: DenyList;
  readonly opinions?: Pick<PeerOpinions, "isBarred">;
  /** Its peers may be in private networks. */
  readonly isPrivate: boolean;
  /** Peers that the operator, or the definition of the network, names. */
  readonly bootstrap: readonly string[];
}

/**
 * Keeps denied peers and addresses away, and peers that are barred for what they did, whoever calls whom. In a public network nobody is called at an address of a
 * private one either, whatever name led to it, unless it is one of the bootstrap addresses.
 */
export function connectionGate({
  denied,
  opinions,
  isPrivate,
  bootstrap,
}: ConnectionGateOptions): ConnectionGater {
  const named = new Set(bootstrap.map((address) => hostOf(multiaddr(address))));
  const mayBeCalled = (host: string): boolean =>
    isPrivate || isIP(host) === 0 || isPublicAddress(host) || named.has(host);
  const isDenied = ({ remoteAddr }: MultiaddrConnection): boolean =>
    denied.isDeniedAddress(hostOf(remoteAddr) ?? "");
  const isUnwanted = (peerId: PeerId): boolean =>
    denied.peerIds.has(peerId.toString()) || opinions?.isBarred(peerId.toString()) === true;
  return {
    denyDialPeer: isUnwanted,
    denyDialMultiaddr: (address) => {
      const host = hostOf(address) ?? "";
      return denied.isDeniedAddress(host) || !mayBeCalled(host);
    },
    denyInboundConnection: isDenied,
    denyInboundEncryptedConnection: isUnwanted,
    denyOutboundEncryptedConnection: isUnwanted,
  };
}

/** The host of an address; null where it has none. */
export function hostOf(address: Multiaddr): string | null {
  const host = address
    .getComponents()
    .find(({ name }) => name === "ip4" || name === "ip6" || name.startsWith("dns"));
  return host?.value ?? null;
}
