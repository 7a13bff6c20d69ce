import type { NodeState } from "@twentysix/testnet";

/** Processor time that a node had used at a moment. */
export interface CpuSample {
  readonly atMs: number;
  readonly cpuSeconds: number;
}

const HEADINGS = ["node", "api", "process", "state", "peers", "messages", "memory", "cpu"] as const;
/** Columns of numbers stand to the right. */
const RIGHT: ReadonlySet<string> = new Set(["process", "peers", "messages", "memory", "cpu"]);

/** The lines of the table. The share of a processor is that since the sample before. */
export function tableOf(
  states: readonly NodeState[],
  samples: ReadonlyMap<string, CpuSample>,
  nowMs: number,
): readonly string[] {
  const rows = [HEADINGS, ...states.map((state) => rowOf(state, samples.get(state.name), nowMs))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT.has(HEADINGS[column] ?? "") ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

function rowOf(state: NodeState, before: CpuSample | undefined, nowMs: number): readonly string[] {
  const { name, apiUrl, pid, ending, figures } = state;
  const known = [name, apiUrl, String(pid)];
  if (ending !== null) return [...known, `dead (${ending})`, "-", "-", "-", "-"];
  if (figures === null) return [...known, "silent", "-", "-", "-", "-"];
  const { connectedPeers, messages, memoryBytes, cpuSeconds } = figures;
  return [
    ...known,
    "runs",
    String(connectedPeers),
    String(messages),
    `${Math.round(memoryBytes / 2 ** 20)} MiB`,
    before === undefined || nowMs <= before.atMs
      ? "-"
      : `${Math.round(((cpuSeconds - before.cpuSeconds) / (nowMs - before.atMs)) * 100_000)} %`,
  ];
}
