import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { Machines } from "../../namespaces.ts";
import { type StartedNode, startNodeProcess } from "../../processes.ts";

const P2P_PORT = 4025;
const START_MS = 90_000;
const LOOK_MS = 100;

/** Nodes, each a process on a machine of its own, that all know each other. */
export class Cluster implements AsyncDisposable {
  readonly machines: Machines;
  readonly #folder = mkdtempSync(join(tmpdir(), "twentysix-partition-"));
  readonly #nodes: StartedNode[] = [];

  private constructor(machines: Machines) {
    this.machines = machines;
  }

  static async start(count: number): Promise<Cluster> {
    const cluster = new Cluster(Machines.create(count));
    try {
      for (let index = 0; index < count; index += 1) cluster.#nodes.push(await cluster.#startNode(index));
      await cluster.meshed(START_MS);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get size(): number {
    return this.#nodes.length;
  }

  node(index: number): StartedNode {
    const node = this.#nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  client(index: number): Client {
    return createClient({
      apiUrl: this.node(index).apiUrl,
      createSha256: createNodeSha256,
      timeoutMs: 60_000,
    });
  }

  async kill(index: number): Promise<void> {
    await this.node(index).kill();
  }

  async restart(index: number): Promise<void> {
    this.#nodes[index] = await this.#startNode(index);
  }

  /** How long until every node is connected with every other. */
  async meshed(limitMs: number): Promise<number> {
    return await until(limitMs, async () => {
      const counts = await Promise.all(this.#nodes.map(connectedPeers));
      return counts.every((count) => count >= this.size - 1) ? null : `nodes have ${counts.join(", ")} peers`;
    });
  }

  /** How long until all nodes have one state root over so many messages at least. */
  async agreed(leastMessages: number, limitMs: number): Promise<number> {
    return await until(limitMs, async () => {
      const roots = await Promise.all(this.#nodes.map(stateRoot));
      const isEqual = new Set(roots.map(({ root }) => root)).size === 1;
      if (isEqual && roots.every(({ count }) => count >= leastMessages)) return null;
      return `nodes have ${roots.map(({ count }) => count).join(", ")} of ${leastMessages} messages`;
    });
  }

  /** How long until every node serves a file itself. */
  async keeps(fileHash: string, limitMs: number): Promise<number> {
    return await until(limitMs, async () => {
      const answers = await Promise.all(
        this.#nodes.map(({ apiUrl }) =>
          fetch(`${apiUrl}/api/v0/storage/raw/${fileHash}`, { method: "HEAD" }),
        ),
      );
      const count = answers.filter(({ status }) => status === 200).length;
      return count === this.size ? null : `${count} of ${this.size} nodes keep the file`;
    });
  }

  /** Reads figures of a node by the names of its metrics. */
  async metrics(index: number): Promise<(name: string) => number> {
    const lines = (await (await fetch(`${this.node(index).apiUrl}/metrics`)).text()).split("\n");
    return (name) =>
      Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? Number.NaN);
  }

  /** Told of each message that a node serves from now on. */
  async watch(index: number, onMessage: (itemHash: string) => void): Promise<WebSocket> {
    const url = `${this.node(index).apiUrl.replace("http", "ws")}/api/ws0/messages?history=0`;
    const socket = new WebSocket(url);
    socket.addEventListener("message", ({ data }) => {
      const { item_hash: itemHash } = JSON.parse(String(data)) as { readonly item_hash?: string };
      if (itemHash !== undefined) onMessage(itemHash);
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#nodes.map((node) => node.stop()));
    this.machines.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startNode(index: number): Promise<StartedNode> {
    const known = this.#nodes.flatMap(({ peerAddresses }, at) => (at === index ? [] : peerAddresses));
    const flags = [
      ...["--api-host", Machines.ourAddress(index)],
      ...["--p2p-host", Machines.peerAddress(index), "--p2p-port", String(P2P_PORT)],
      ...(known.length === 0 ? [] : ["--peers", known.join(",")]),
    ];
    return await startNodeProcess(join(this.#folder, String(index)), flags, this.machines.command(index));
  }
}

/** How long it took until nothing was lacking any more. */
async function until(limitMs: number, lack: () => Promise<string | null>): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const lacking = await lack();
    const spentMs = performance.now() - startedMs;
    if (lacking === null) return spentMs;
    if (spentMs > limitMs) throw new Error(`after ${Math.round(spentMs / 1_000)} s ${lacking}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function connectedPeers({ apiUrl }: StartedNode): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  return Number(/^twentysix_connected_peers (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

async function stateRoot({
  apiUrl,
}: StartedNode): Promise<{ readonly root: string; readonly count: number }> {
  const answer = await fetch(`${apiUrl}/api/v1/state-root`);
  return (await answer.json()) as { readonly root: string; readonly count: number };
}
