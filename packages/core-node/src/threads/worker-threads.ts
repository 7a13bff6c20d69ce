import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { VerifierData } from "../pipeline/verifier-protocol.ts";
import type { WriterData } from "../pipeline/writer-protocol.ts";
import type { ReaderData } from "../reader/reader-protocol.ts";
import type { Threads } from "./threads.ts";

const fileOf = (path: string): URL => new URL(path, import.meta.url);
/** Channels of these threads are made here. */
const asMessagePort = (port: unknown): MessagePort => port as MessagePort;

/** The threads of the machine. */
export const workerThreads: Threads = {
  verifiedChannel() {
    const { port1: verifier, port2: writer } = new MessageChannel();
    return { verifier, writer };
  },
  startWriter: (data: WriterData) =>
    new Worker(fileOf("../pipeline/writer-worker.ts"), {
      name: "writer",
      workerData: data,
      transferList: data.verified.map(asMessagePort),
    }),
  startVerifier: (data: VerifierData) =>
    new Worker(fileOf("../pipeline/verifier-worker.ts"), {
      name: "verifier",
      workerData: data,
      transferList: [asMessagePort(data.writer)],
    }),
  startReader: (data: ReaderData, maxHeapMib) =>
    new Worker(fileOf("../reader/reader-worker.ts"), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMib },
    }),
};
