import { loadPeerKey } from "@twentysix/network/peer-key";
import type { NetworkDefinition } from "@twentysix/protocol";
import { HOST } from "./ports.ts";

/**
 * Where the others find a node before it has ever run: its key is made here when it has none yet.
 *
 * @param keyFolder folder in which the node will look for it.
 */
export async function peerAddressOf(
  keyFolder: string,
  p2pPort: number,
  { announce }: Pick<NetworkDefinition, "announce">,
): Promise<string> {
  const { peerId } = await loadPeerKey(keyFolder, announce === "public" ? "rsa" : "ed25519");
  return `/ip4/${HOST}/tcp/${p2pPort}/p2p/${peerId}`;
}
