import { isAbortOf } from "@twentysix/platform";
import type { NodeState, Testnet } from "@twentysix/testnet";
import type { CommandHost } from "../command-host.ts";
import { type CpuSample, tableOf } from "./table.ts";

const PERIOD_MS = 1_000;
const CLEAR_BELOW = "\u001b[J";
const upBy = (lines: number): string => `\u001b[${lines}F`;

export const isTerminal = ({ stdout }: Pick<CommandHost, "stdout">): boolean =>
  "isTTY" in stdout && stdout.isTTY === true;

/**
 * Shows the nodes until the signal aborts: in a terminal the table is drawn over itself, below the notices that have
 * come; elsewhere it is printed when a node comes or goes.
 */
export async function showTable(
  testnet: Testnet,
  host: CommandHost,
  notices: string[],
  signal: AbortSignal,
): Promise<void> {
  host.stdout.write(`${introduction(testnet.facts)}\n`);
  const isDrawn = isTerminal(host);
  let drawnLines = 0;
  let shownEndings: string | null = null;
  const samples = new Map<string, CpuSample>();
  const draw = async (): Promise<void> => {
    const states = await testnet.states(signal);
    const nowMs = host.clock.monotonicMs();
    const table = tableOf(states, samples, nowMs);
    for (const { name, figures } of states) {
      if (figures !== null) samples.set(name, { atMs: nowMs, cpuSeconds: figures.cpuSeconds });
    }
    const endings = endingsOf(states);
    if (!isDrawn && endings === shownEndings) return;
    shownEndings = endings;
    const over = isDrawn && drawnLines > 0 ? `${upBy(drawnLines)}${CLEAR_BELOW}` : "";
    host.stdout.write(`${over}${notices.splice(0).join("")}${table.join("\n")}\n`);
    drawnLines = table.length;
  };
  try {
    while (!signal.aborted) {
      await draw();
      await host.timers.sleep(PERIOD_MS, signal);
    }
  } catch (error) {
    if (!isAbortOf(signal, error)) throw error;
  }
}

function introduction({ evm, accounts }: Testnet["facts"]): string {
  const lines = accounts.map(
    ({ chain, address, privateKey, role }) => `  ${chain} ${address}  ${privateKey}  ${role}`,
  );
  return [
    `The network runs; Ctrl-C ends it. Its chain answers at ${evm.rpc}.`,
    "Accounts with funds, whose keys everybody knows:",
    ...lines,
    "",
  ].join("\n");
}

const endingsOf = (states: readonly NodeState[]): string =>
  states.map(({ name, ending }) => `${name} ${ending ?? "runs"}`).join();
