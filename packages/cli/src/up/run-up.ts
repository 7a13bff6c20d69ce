import { isAbortOf, listenForShutdown } from "@twentysix/platform";
import type { Testnet } from "@twentysix/testnet";
import { type CommandHost, codedMessage, exitCodeOf } from "../command-host.ts";
import { EXIT, exitCodeOfSignal } from "../exit-codes.ts";
import { isTerminal, showTable } from "./live-table.ts";
import { keepingOf, type UpSettings } from "./up-settings.ts";

/**
 * Runs a network until it is told to stop.
 *
 * @returns the exit code.
 */
export async function runUp(settings: UpSettings, host: CommandHost): Promise<number> {
  const controller = new AbortController();
  const { signal } = controller;
  const notices: string[] = [];
  const isDrawn = !settings.json && isTerminal(host);
  const stopListening = listenForShutdown(
    {
      onFirst: () => controller.abort(new Error("told to stop")),
      // The processes of the network see the channel to this one close, and end by themselves.
      onSecond: (name) => host.exit(exitCodeOfSignal(name)),
    },
    host.clock,
  );
  try {
    const { startTestnet } = await host.loadTestnet();
    const testnet = await startTestnet({
      ...host,
      coreNodes: settings.core,
      computeNodes: settings.compute,
      imagesDir: settings.imagesDir ?? null,
      dataDir: settings.dataDir,
      basePort: settings.basePort,
      keeping: keepingOf(settings.durability) ?? { copies: null },
      logLevel: settings.logLevel,
      command: host.ownCommand,
      signal,
      onEnded: ({ name, pid }, how) => {
        const notice = `twentysix up: ${name} (process ${pid}) is dead: ${how}; the others go on\n`;
        // Between two drawings of the table it would be lost.
        if (isDrawn) notices.push(notice);
        else host.stderr.write(notice);
      },
    });
    try {
      await serve(testnet, settings, host, notices, signal);
    } finally {
      await testnet.close();
    }
    return EXIT.ok;
  } catch (error) {
    if (isAbortOf(signal, error)) return EXIT.ok;
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix up: ${message}\n`);
    return exitCodeOf(error);
  } finally {
    stopListening();
  }
}

/** Tells of the network until the signal aborts. */
async function serve(
  testnet: Testnet,
  { json }: UpSettings,
  host: CommandHost,
  notices: string[],
  signal: AbortSignal,
): Promise<void> {
  if (!json) return await showTable(testnet, host, notices, signal);
  host.stdout.write(`${JSON.stringify({ ready: true, ...testnet.facts })}\n`);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
