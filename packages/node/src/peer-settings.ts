import { join } from "node:path";
import type { PeerSettings } from "@twentysix/core-node";
import { denyListOf } from "@twentysix/network/settings";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { NodeConfig } from "./config/index.ts";

/** How a node takes part in its network; null: it keeps to itself. */
export function peerSettingsOf(
  config: NodeConfig,
  { announce }: Pick<NetworkDefinition, "announce">,
): PeerSettings | null {
  if (config.p2pPort === null) return null;
  const isPublic = announce === "public";
  return {
    keyFolder: join(config.dataDir, "keys"),
    // The forms of the public network take names of RSA keys alone.
    keyKind: isPublic ? "rsa" : "ed25519",
    host: config.p2pHost ?? (isPublic ? "0.0.0.0" : "127.0.0.1"),
    port: config.p2pPort,
    announce: config.announce,
    bootstrap: config.peers,
    announcedApiUrl: config.announceApi,
    gateways: config.gateways,
    denied: denyListOf(config.deny),
  };
}
