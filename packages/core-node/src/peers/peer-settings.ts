import type { DenyList, PeerKeyKind } from "@twentysix/network";

/** How a node takes part in its network. */
export interface PeerSettings {
  /** Folder of the key by which other peers know this one. */
  readonly keyFolder: string;
  /** What kind of key is made at the first start. */
  readonly keyKind: PeerKeyKind;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Multiaddresses that others are told in place of what this node sees of itself; empty: that. */
  readonly announce: readonly string[];
  /** Multiaddresses with names of peers, beside those of the network's definition. */
  readonly bootstrap: readonly string[];
  /** Where others reach the API; null: where it listens. */
  readonly announcedApiUrl: string | null;
  /** Trustless gateways of IPFS that are asked for what a CID names, beside the peers. */
  readonly gateways: readonly string[];
  readonly denied: DenyList;
}
