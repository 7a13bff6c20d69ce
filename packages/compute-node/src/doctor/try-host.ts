import { HelperClient } from "../helper/helper-client.ts";
import { helperSocketOf } from "../helper/helper-folders.ts";
import type { HelperGreeting } from "../helper/helper-protocol.ts";
import type { HelperSettings } from "../helper/helper-settings.ts";
import { type HelperSurroundings, isAnswering, runHelper } from "../helper/run-helper.ts";
import type { HypervisorCapabilities } from "../hypervisor/hypervisor.ts";

/**
 * What this host can do, as the helper of the folder finds by booting a guest; where none runs, one does for as long as
 * that takes.
 *
 * @throws HypervisorError, NetworkingError
 */
export async function tryHost(
  settings: HelperSettings,
  surroundings: HelperSurroundings,
  signal: AbortSignal,
): Promise<HypervisorCapabilities> {
  const { dir } = settings;
  const isRunning = await isAnswering(helperSocketOf(dir));
  await using _helper = isRunning ? null : await runHelper(settings, surroundings, signal);
  const ignore = (): void => undefined;
  const { timers, log } = surroundings;
  using client = new HelperClient({ dir, command: null, timers, log, onExit: ignore, onConnected: ignore });
  return (await client.call<HelperGreeting>("hello", {}, signal)).capabilities;
}
