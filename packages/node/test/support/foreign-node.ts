import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { denyListOf, loadPeerKey, startNetwork } from "@twentysix/network";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import { networkHash } from "@twentysix/protocol";
import { loadNetwork } from "../../src/network.ts";
import type { TestNode } from "./test-node.ts";

export interface ForeignNode extends AsyncDisposable {
  readonly apiUrl: string;
  /** Paths that its API was asked for. */
  readonly asked: readonly string[];
}

/** A node as others know it by gossip: it announces an API, and knows no protocol of ours beside. */
export async function foreignNode(node: TestNode, answer: RequestListener): Promise<ForeignNode> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = await mkdtemp(join(tmpdir(), "twentysix-foreign-"));
  const definition = loadNetwork("local");
  const network = await startNetwork({
    key: await loadPeerKey(folder, "ed25519"),
    listen: ["/ip4/127.0.0.1/tcp/0"],
    announce: [],
    topics: definition.topics,
    bootstrap: node.core.peerAddresses(),
    apiUrl,
    version: "0.10.2",
    networkHash: networkHash(definition),
    mayAnnounce: () => true,
    maxFrameBytes: 262_144,
    isPrivate: true,
    denied: denyListOf([]),
    book: { read: async () => [], write: async () => undefined },
    onMessage: async () => "ignore",
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    log: createMemoryLogger(),
  });
  return {
    apiUrl,
    asked,
    async [Symbol.asyncDispose]() {
      await network.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(folder, { recursive: true });
    },
  };
}
