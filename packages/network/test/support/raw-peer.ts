import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { RPC } from "@libp2p/gossipsub/message";
import { identify } from "@libp2p/identify";
import type { Connection, PrivateKey, Stream } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";

export { drained } from "../../src/drained.ts";

export const GOSSIP_PROTOCOL = "/meshsub/1.1.0";
const SIGN_PREFIX = new TextEncoder().encode("libp2p-pubsub:");
/** So that no bound of its own is in its way. */
const MANY = 100_000;

/** A peer that says whatever it is told to, with none of the manners of a node. */
export interface RawPeer extends AsyncDisposable {
  readonly peerId: string;
  readonly connection: Connection;
  open(protocol: string): Promise<Stream>;
  /** One more connection with the same node. */
  connectAgain(): Promise<Connection>;
  handle(protocol: string, handler: (stream: Stream) => void): Promise<void>;
  /** A gossiped message with its libp2p signature. */
  signed(topic: string, data: Uint8Array): Promise<RPC.Message>;
}

/** @param answers protocols that it says it answers, with what it does */
export async function rawPeer(
  address: string,
  answers: Readonly<Record<string, (stream: Stream) => void>> = {},
): Promise<RawPeer> {
  const privateKey = await generateKeyPair("Ed25519");
  const host = await createLibp2p({
    privateKey,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxOutboundStreams: MANY, maxInboundStreams: MANY })],
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify({ protocolPrefix: "ipfs" }) },
  });
  const limits = { maxInboundStreams: MANY, maxOutboundStreams: MANY };
  for (const [protocol, handler] of Object.entries(answers)) await host.handle(protocol, handler, limits);
  const connection = await host.dial(multiaddr(address));
  let sequence = BigInt(Date.now()) * 1_000_000n;
  return {
    peerId: host.peerId.toString(),
    connection,
    open: (protocol) => connection.newStream(protocol, { maxOutboundStreams: MANY }),
    connectAgain: () => host.dial(multiaddr(address), { force: true }),
    handle: (protocol, handler) => host.handle(protocol, handler, limits),
    signed: async (topic, data) => {
      sequence += 1n;
      return await signedMessage(privateKey, topic, data, sequence);
    },
    async [Symbol.asyncDispose]() {
      await host.stop();
    },
  };
}

async function signedMessage(
  privateKey: PrivateKey,
  topic: string,
  data: Uint8Array,
  sequence: bigint,
): Promise<RPC.Message> {
  const seqno = Buffer.alloc(8);
  seqno.writeBigUInt64BE(sequence);
  const message = { from: peerIdFromPrivateKey(privateKey).toMultihash().bytes, data, seqno, topic };
  const signature = await privateKey.sign(Buffer.concat([SIGN_PREFIX, RPC.Message.encode(message)]));
  return { ...message, signature };
}

/** What is said on a gossip stream, as it travels. */
export function gossipFrame(rpc: Partial<RPC>): Uint8Array {
  return prefixed(RPC.encode({ subscriptions: [], messages: [], ...rpc }));
}

/** Bytes after their length, as gossip and identify have them. */
export function prefixed(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = bytes.byteLength; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return Buffer.concat([Uint8Array.from(length), bytes]);
  }
}
