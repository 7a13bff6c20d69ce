import type { Logger, Timers } from "@twentysix/platform";
import { HypervisorError } from "../hypervisor/errors.ts";
import { HelperClient } from "./helper-client.ts";
import { helperSocketOf } from "./helper-folders.ts";
import type { HelperGreeting, MachineFacts } from "./helper-protocol.ts";
import type { Inventory } from "./inventory.ts";
import { isAnswering } from "./run-helper.ts";

const LOOK_MS = 50;

/**
 * Ends every machine of a folder, removes their networks, and ends the helper: for whoever takes a whole node away, whose
 * machines would outlive it otherwise. Their disks stay.
 *
 * @throws HypervisorError
 */
export async function endHost(
  dir: string,
  { timers, log }: { readonly timers: Timers; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  if (!(await isAnswering(helperSocketOf(dir)))) return;
  const ignore = (): void => undefined;
  using client = new HelperClient({ dir, command: null, timers, log, onExit: ignore, onConnected: ignore });
  const { pid } = await client.call<HelperGreeting>("hello", {}, signal);
  const machines = await client.call<readonly MachineFacts[]>("list", {}, signal);
  await Promise.all(machines.map(({ vmHash }) => client.call("kill", { vmHash }, signal).catch(unlessGone)));
  // The helper sees to it that they are gone, and their groups and networks with them.
  while ((await client.call<readonly MachineFacts[]>("list", {}, signal)).length > 0) {
    await timers.sleep(LOOK_MS, signal);
  }
  const { entries } = await client.call<Inventory>("inventory", {}, signal);
  const hasNetworks = entries.some(({ kind }) => kind === "tap" || kind === "rule");
  if (hasNetworks) await client.call("recreateNetworks", { networks: [] }, signal);
  process.kill(pid, "SIGTERM");
  while (await isAnswering(helperSocketOf(dir))) await timers.sleep(LOOK_MS, signal);
}

/** It may have ended by itself a moment ago. */
function unlessGone(error: unknown): void {
  if (!(error instanceof HypervisorError) || error.code !== "NOT_RUNNING") throw error;
}
