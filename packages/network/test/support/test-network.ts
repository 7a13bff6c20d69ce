import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import {
  denyListOf,
  type GossipVerdict,
  type KnownPeer,
  type Network,
  type NetworkOptions,
  startNetwork,
} from "../../src/index.ts";

export const TOPICS = { messages: "TEST", alive: "TEST-ALIVE" };

export interface TestPeer extends AsyncDisposable {
  readonly network: Network;
  /** Texts that gossip brought, in their order. */
  readonly heard: string[];
  readonly address: string;
  /** What it says of what it hears. */
  verdict: GossipVerdict | Promise<GossipVerdict>;
  /** Resolves once it has heard a text. */
  hears(text: string): Promise<void>;
}

/** A peer on a free port of this machine. */
export async function testPeer(options: Partial<Omit<NetworkOptions, "onMessage">> = {}): Promise<TestPeer> {
  const privateKey = await generateKeyPair("Ed25519");
  const heard: string[] = [];
  const waiting = new Map<string, () => void>();
  let saved: readonly KnownPeer[] = [];
  const network = await startNetwork({
    key: { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString() },
    listen: ["/ip4/127.0.0.1/tcp/0"],
    announce: [],
    topics: TOPICS,
    bootstrap: [],
    apiUrl: null,
    version: "0.0.0",
    networkHash: "rules",
    mayAnnounce: () => true,
    maxFrameBytes: 262_144,
    isPrivate: true,
    denied: denyListOf([]),
    book: {
      read: async () => saved,
      write: async (peers) => {
        saved = peers;
      },
    },
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createMemoryLogger(),
    ...options,
    onMessage: async ([text = ""]) => {
      heard.push(text);
      waiting.get(text)?.();
      return peer.verdict;
    },
  });
  const peer: TestPeer = {
    network,
    heard,
    address: network.multiAddresses()[0] ?? "",
    verdict: "accept",
    hears: async (text) => {
      if (heard.includes(text)) return;
      await new Promise<void>((resolve) => waiting.set(text, resolve));
    },
    [Symbol.asyncDispose]: () => network.close(),
  };
  return peer;
}

/** Resolves once a peer is connected with as many others as that. */
export async function connected({ network }: TestPeer, count: number): Promise<void> {
  if (network.peers().length === count) return;
  await new Promise<void>((resolve) => {
    const stop = network.onPeers(() => {
      if (network.peers().length !== count) return;
      stop();
      resolve();
    });
  });
}
