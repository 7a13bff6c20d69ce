import { createSeededRandom, type Random } from "@twentysix/platform";
import type { Calibration, Measured } from "./calibration.ts";
import { modelNetwork, spread } from "./spread.ts";

/** Messages that a point is the mean of. */
const SAMPLES = 20;
const SEED = 26;
/** One way over the internet: between 5 and 120 ms, most of them short. */
const internetMs = (random: Random): number => 5 + (random.uniform(1_000) / 1_000) ** 2 * 115;
const cableMs = (): number => 0.1;
/** Announcements of each node: its peer address and its API. Source: packages/network/src/alive.ts. */
const ANNOUNCEMENTS_PER_SECOND = 2 / 120;
const ANNOUNCEMENT_BYTES = 320;

/** What is known of one node of a network of so many. */
export interface Point {
  readonly nodes: number;
  readonly copies: number;
  readonly bytesPerMessage: number;
  readonly cpuMsPerMessage: number;
  /** When nothing is published: links, announcements, visits. */
  readonly idleBytesPerSecond: number;
  readonly idleCpuMsPerSecond: number;
  readonly spreadMs: { readonly half: number; readonly most: number; readonly all: number };
}

export interface Model {
  point(nodes: number): Point;
  /** Constants of the fit, to be told. */
  readonly fit: Readonly<Record<string, number>>;
}

/** Fits straight lines through what was measured; what a network does between is played, message by message. */
export function fitModel({ measured }: Calibration): Model {
  const copiesOf = new Map(measured.map(({ nodes }) => [nodes, played(nodes, cableMs, 1).copies]));
  const copies = ({ nodes }: Measured): number => copiesOf.get(nodes) ?? Number.NaN;
  const bytes = line(measured.map((one) => [copies(one), one.perMessage.receivedBytes]));
  const cpu = line(measured.map((one) => [copies(one), one.perMessage.cpuMs]));
  const idleBytes = line(measured.map((one) => [one.nodes - 1, one.idlePerSecond.receivedBytes]));
  const idleCpu = line(measured.map((one) => [one.nodes - 1, one.idlePerSecond.cpuMs]));
  const smallest = measured.toSorted((a, b) => a.nodes - b.nodes)[0];
  const lookMs = (smallest?.latencyMs.p50 ?? 0) / 2;
  const messageBytes = mean(measured.map((one) => one.messageBytes));
  return {
    fit: {
      bytesPerCopy: bytes.slope,
      bytesBeside: bytes.start,
      cpuMsPerCopy: cpu.slope,
      cpuMsBeside: cpu.start,
      idleBytesPerSecondOfALink: idleBytes.slope,
      idleBytesPerSecondBeside: idleBytes.start,
      idleCpuMsPerSecondOfALink: idleCpu.slope,
      idleCpuMsPerSecondBeside: idleCpu.start,
      lookMs,
    },
    point: (nodes) => {
      const network = played(nodes, internetMs, lookMs);
      const links = Math.min(nodes - 1, 300);
      const perMessage = bytes.start + bytes.slope * network.copies;
      const cpuPerMessage = cpu.start + cpu.slope * network.copies;
      const announcements = nodes * ANNOUNCEMENTS_PER_SECOND;
      // An announcement is passed on as a message is, and neither judged nor stored.
      const cpuOfAnnouncement = cpu.slope * network.copies;
      return {
        nodes,
        copies: network.copies,
        bytesPerMessage: perMessage,
        cpuMsPerMessage: cpuPerMessage,
        idleBytesPerSecond:
          idleBytes.start +
          idleBytes.slope * links +
          announcements * perMessage * (ANNOUNCEMENT_BYTES / messageBytes),
        idleCpuMsPerSecond: idleCpu.start + idleCpu.slope * links + announcements * cpuOfAnnouncement,
        spreadMs: network.spreadMs,
      };
    },
  };
}

function played(
  nodes: number,
  linkMs: (random: Random) => number,
  lookMs: number,
): { readonly copies: number; readonly spreadMs: Point["spreadMs"] } {
  const random = createSeededRandom(SEED + nodes);
  const network = modelNetwork(nodes, random);
  const runs = Array.from({ length: SAMPLES }, () => spread({ network, random, linkMs, lookMs }));
  return {
    copies: mean(runs.map(({ copies }) => copies)),
    spreadMs: {
      half: mean(runs.map(({ reachedMs }) => reachedMs(0.5))),
      most: mean(runs.map(({ reachedMs }) => reachedMs(0.99))),
      all: mean(runs.map(({ reachedMs }) => reachedMs(1))),
    },
  };
}

export interface RepairOptions {
  readonly nodes: number;
  /** Of all files together, each counted once. */
  readonly storedBytes: number;
  /** null: every node has one. */
  readonly copies: number | null;
  /** Share of the nodes that leave for good in a day, as many new ones taking their places. */
  readonly churnPerDay: number;
}

/** Bytes that one node receives in a day since others left: what they held, and what newcomers are places of. */
export function repairBytesPerDay({ nodes, storedBytes, copies, churnPerDay }: RepairOptions): number {
  const held = storedBytes * Math.min(copies ?? nodes, nodes);
  const gone = held * churnPerDay;
  // Where everybody keeps everything nobody gets anything but the newcomers, each of them all of it.
  if (copies === null) return gone / nodes;
  // Once onto those that stay, and once more onto the newcomers, which become places of a share of all files.
  return (gone * 2) / nodes;
}

const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;

/** Least squares. */
function line(points: readonly (readonly [number, number])[]): {
  readonly start: number;
  readonly slope: number;
} {
  const [x, y] = [mean(points.map((one) => one[0])), mean(points.map((one) => one[1]))];
  const above = points.reduce((sum, one) => sum + (one[0] - x) * (one[1] - y), 0);
  const slope = above / points.reduce((sum, one) => sum + (one[0] - x) ** 2, 0);
  return { start: y - slope * x, slope };
}
