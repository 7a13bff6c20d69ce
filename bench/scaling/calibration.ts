import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What one network of real nodes was measured to spend; bytes at the cables, means over its nodes. */
export interface Measured {
  readonly nodes: number;
  /** Of the whole network. */
  readonly messagesPerSecond: number;
  readonly messages: number;
  /** Of the envelopes' text. */
  readonly messageBytes: number;
  /** Of one node, beyond what it spends when nothing happens. */
  readonly perMessage: { readonly receivedBytes: number; readonly sentBytes: number; readonly cpuMs: number };
  readonly idlePerSecond: { readonly receivedBytes: number; readonly cpuMs: number };
  readonly bytesPerVisit: number;
  /** From the POST until a node serves it, all nodes. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly missing: number;
  readonly file: {
    /** Bytes at the cable of whoever gets a file, for each of its bytes. */
    readonly receivedPerByte: number;
    readonly seconds: number;
    readonly cpuSecondsPerGb: number;
  };
}

export interface Calibration {
  readonly takenAt: string;
  readonly measured: readonly Measured[];
}

export const CALIBRATION_FILE = fileURLToPath(
  new URL("../results/scaling-calibration.json", import.meta.url),
);

export function readCalibration(): Calibration {
  return JSON.parse(readFileSync(CALIBRATION_FILE, "utf8")) as Calibration;
}
