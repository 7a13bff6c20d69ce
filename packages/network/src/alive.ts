import { multiaddr } from "@multiformats/multiaddr";
import { isRecord } from "./is-record.ts";

/** What a node tells of itself. Source: pyaleph `src/aleph/services/peers/publish.py`. */
export interface Announcement {
  readonly kind: "P2P" | "HTTP";
  readonly address: string;
}

/** How often nodes announce themselves, and how soon after they start. */
export const ALIVE_PERIOD_MS = 120_000;
export const FIRST_ALIVE_MS = 2_000;

const MAX_ADDRESS_LENGTH = 512;

export interface AliveTextOptions {
  readonly version: string;
  readonly nonce: string;
  /** What its network's rules hash to. */
  readonly networkHash: string;
}

/** An announcement as it travels. Nodes of the existing network ignore keys that they do not know. */
export function aliveText({ kind, address }: Announcement, options: AliveTextOptions): string {
  const { version, nonce, networkHash } = options;
  return JSON.stringify({ address, interests: null, peer_type: kind, version, nonce, network: networkHash });
}

/**
 * Reads an announcement of a peer. null: it means nothing here, or speaks for somebody else; `foreign`: its author goes
 * by the rules of another network.
 */
export function readAlive(
  text: string,
  authorId: string,
  networkHash: string,
): Announcement | "foreign" | null {
  const parsed = parse(text);
  if (!isRecord(parsed)) return null;
  const { address, peer_type: kind, network = networkHash } = parsed;
  if (network !== networkHash) return "foreign";
  if (typeof address !== "string" || address.length > MAX_ADDRESS_LENGTH) return null;
  if (kind === "P2P") return isAddressOf(address, authorId) ? { kind, address } : null;
  if (kind === "HTTP") return isHttpUrl(address) ? { kind, address } : null;
  return null;
}

/** The address of a libp2p host without the name at its end. @throws when it is none */
export function withoutPeerId(address: string): { readonly address: string; readonly peerId: string | null } {
  const components = multiaddr(address).getComponents();
  const named = components.find(({ name }) => name === "p2p");
  return {
    address: components
      .filter(({ name }) => name !== "p2p")
      .map(({ name, value }) => (value === undefined ? `/${name}` : `/${name}/${value}`))
      .join(""),
    peerId: named?.value ?? null,
  };
}

function isAddressOf(address: string, authorId: string): boolean {
  try {
    return withoutPeerId(address).peerId === authorId;
  } catch {
    // Whoever announces what is no address announces nothing.
    return false;
  }
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.username === "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
