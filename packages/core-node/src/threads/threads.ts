import type { VerifierData, VerifierRequest, VerifierResponse } from "../pipeline/verifier-protocol.ts";
import type { WriterData, WriterRequest, WriterResponse } from "../pipeline/writer-protocol.ts";
import type { ReaderData, ReaderRequest, ReaderResponse } from "../reader/reader-protocol.ts";

/** One end of a channel between threads: what is sent comes out at the other end as a copy, in its order. */
export interface ThreadPort<Sent, Received> {
  /** @param transfer what the other side has from then on: memory, or an end of a channel that is in the message */
  postMessage(message: Sent, transfer?: readonly object[]): void;
  on(event: "message", listener: (message: Received) => void): unknown;
  close(): void;
}

/** A thread that was started. */
export interface Thread<Sent, Received> {
  postMessage(message: Sent): void;
  on(event: "message", listener: (message: Received) => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  removeAllListeners(): unknown;
  terminate(): Promise<number>;
}

/** The two ends of a channel over which a verifier passes copies on to the writer. */
export interface VerifiedChannel {
  readonly verifier: VerifierData["writer"];
  readonly writer: WriterData["verified"][number];
}

/** Starts what does not run on the main thread of a node. */
export interface Threads {
  verifiedChannel(): VerifiedChannel;
  startWriter(data: WriterData): Thread<WriterRequest, WriterResponse>;
  startVerifier(data: VerifierData): Thread<VerifierRequest, VerifierResponse>;
  /** @param maxHeapMib of its old generation */
  startReader(data: ReaderData, maxHeapMib: number): Thread<ReaderRequest, ReaderResponse>;
}
