import { hash, randomBytes } from "node:crypto";
import { denyListOf, frameOf, framesOf, loadPeerKey, startNetwork } from "@twentysix/network";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { networkHash, stringifyCanonicalJson } from "@twentysix/protocol";
import { loadNetwork } from "../../src/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A peer of a network that answers every challenge, signed, with bytes of its own making. */
export async function startLiar(network: string, bootstrap: readonly string[]) {
  const keys = temporaryFolder("liar");
  let asked = 0;
  const key = await loadPeerKey(keys.path, "ed25519");
  const definition = loadNetwork(network);
  const { topics, limits } = definition;
  const liar = await startNetwork({
    key,
    listen: ["/ip4/127.0.0.1/tcp/0"],
    announce: [],
    topics,
    bootstrap,
    apiUrl: null,
    version: "0.0.0",
    networkHash: networkHash(definition),
    mayAnnounce: () => true,
    maxFrameBytes: limits.gossipFrameBytes,
    isPrivate: true,
    denied: denyListOf([]),
    book: { read: async () => [], write: async () => undefined },
    onMessage: async () => "accept",
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createMemoryLogger(),
  });
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  liar.streams.handle("/twentysix/proof/2.0.0", async (stream) => {
    asked += 1;
    const { value } = await framesOf(stream.source, 1_024).next();
    const { name, root, nonce } = JSON.parse(Buffer.from(value ?? []).toString("utf8"));
    const block = randomBytes(1_000);
    const claim = { digests: [hash("sha256", block)], sizeBytes: 300_000 };
    const text = `twentysix-holding-claim\n${stringifyCanonicalJson({ name, root, nonce, ...claim })}`;
    const signed = await liar.signatures.sign(Buffer.from(text));
    const head = { state: "held", ...claim, key: hex(signed.publicKey), signature: hex(signed.signature) };
    await stream.send(frameOf(Buffer.from(JSON.stringify(head))));
    await stream.send(frameOf(block));
    await stream.end();
  });
  return {
    peerId: liar.peerId,
    address: liar.multiAddresses()[0] ?? "",
    asked: () => asked,
    peers: () => liar.peers(),
    async [Symbol.asyncDispose]() {
      await liar.close();
      keys[Symbol.dispose]();
    },
  };
}
