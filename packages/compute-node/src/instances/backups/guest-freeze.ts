import { join } from "node:path";
import type { Logger, Random } from "@twentysix/platform";
import { askGuestAgent, GuestAgentError } from "../guest-agent.ts";

export interface FreezeServices {
  readonly random: Random;
  readonly log: Logger;
}

const FREEZE_MS = 30_000;
const THAW_MS = 10_000;
const THAW_ATTEMPTS = 3;

/**
 * Runs work while a guest holds back writing. A guest without an agent is left alone: its disks are copied as a power
 * cut would leave them. One that may be frozen is thawed, whatever happens.
 */
export async function whileFrozen<Result>(
  runDir: string,
  services: FreezeServices,
  work: () => Promise<Result>,
): Promise<Result> {
  const ask = (command: Command): Promise<boolean> => isDone(runDir, command, FREEZE_MS, services);
  if (!(await ask("guest-ping"))) return await work();
  const isFrozen = await ask("guest-fsfreeze-freeze");
  try {
    return await work();
  } finally {
    // A guest that was slow to answer may have been frozen since.
    await thawGuest(runDir, services, isFrozen ? THAW_ATTEMPTS : 1);
  }
}

/** Lets a guest write again; one that is not frozen does not mind. */
export async function thawGuest(
  runDir: string,
  services: FreezeServices,
  attempts = THAW_ATTEMPTS,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (await isDone(runDir, "guest-fsfreeze-thaw", THAW_MS, services)) return;
  }
  services.log.warn("a guest did not say that it writes again: reboot it if its disks hang", { runDir });
}

type Command = Parameters<typeof askGuestAgent>[1];

async function isDone(
  runDir: string,
  command: Command,
  timeoutMs: number,
  { random, log }: FreezeServices,
): Promise<boolean> {
  const socket = join(runDir, "qga.sock");
  try {
    await askGuestAgent(socket, command, random.uniform(2 ** 31), AbortSignal.timeout(timeoutMs));
    return true;
  } catch (error) {
    const isExpected = error instanceof GuestAgentError || (error as Error).name === "TimeoutError";
    if (!isExpected) throw error;
    log.info("the guest agent did not do what it was asked for", { command, error });
    return false;
  }
}
