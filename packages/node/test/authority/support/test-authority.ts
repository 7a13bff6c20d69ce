import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMemoryLogger,
  createSeededRandom,
  createVirtualTime,
  type MemoryLogger,
} from "@twentysix/platform";
import { createClient, isSdkError, type LocalAccount } from "@twentysix/sdk";
import {
  type Authority,
  type AuthoritySettings,
  authorityAccounts,
  defaultAuthoritySettings,
  developmentAccount,
  startAuthority,
} from "@twentysix/services";
import { loadNetwork } from "../../../src/index.ts";

export const definition = loadNetwork("local");

/** A published account of the network `local`. */
export function account(role: string): LocalAccount {
  const found = definition.developmentAccounts.find((candidate) => candidate.role === role);
  if (found === undefined) throw new Error(`no account ${role}`);
  return developmentAccount(found);
}

export const HOUR_MS = 3_600_000;
/** A virtual step is shorter than the time that a call may take. */
const STEP_MS = 10_000;

export interface TestAuthority extends AsyncDisposable {
  readonly running: Authority;
  readonly log: MemoryLogger;
  nowMs(): number;
  /** Lets virtual time pass and everything happen that falls due. */
  pass(durationMs: number): Promise<void>;
  /** To just behind the end of an hour. */
  passToFullHour(): Promise<void>;
  /** Lets virtual time pass until something happens that may leave it hanging. */
  passUntil(event: Promise<void>): Promise<void>;
  /** Ends it in the middle of whatever it does, and starts another at the same moment. */
  restart(options?: { readonly losesDisk?: boolean }): Promise<void>;
}

/** An authority under virtual time over a real node. */
export async function startTestAuthority(
  apiUrl: string,
  options: { readonly startMs: number; readonly settings?: Partial<AuthoritySettings> },
): Promise<TestAuthority> {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-authority-"));
  const time = createVirtualTime(BigInt(options.startMs) * 1_000n);
  const log = createMemoryLogger();
  const start = () =>
    startAuthority({
      definition,
      apiUrl,
      accounts: authorityAccounts(definition, []),
      settings: {
        ...defaultAuthoritySettings(definition.developmentAccounts),
        // Virtual time passes by the hour here.
        registryPeriodSeconds: 3_600,
        ...options.settings,
      },
      dataDir: join(folder, "authority"),
      faucet: { host: "127.0.0.1", port: 0 },
      ...time,
      random: createSeededRandom(26),
      log,
    });
  let running = await start();
  const nowMs = (): number => Number(time.clock.nowMicros() / 1_000n);
  const pass = async (durationMs: number): Promise<void> => {
    for (let left = durationMs; left > 0; left -= STEP_MS) {
      await time.advance(Math.min(left, STEP_MS));
      await running.whenIdle();
    }
  };
  return {
    get running() {
      return running;
    },
    log,
    nowMs,
    pass,
    passToFullHour: () => pass(HOUR_MS - (nowMs() % HOUR_MS) + 10),
    async passUntil(event) {
      let hasHappened = false;
      const happened = event.then(() => {
        hasHappened = true;
      });
      while (!hasHappened) {
        await time.advance(STEP_MS);
        await Promise.race([running.whenIdle(), happened]);
      }
    },
    async restart({ losesDisk = false } = {}) {
      await running.close();
      if (losesDisk) rmSync(folder, { recursive: true, force: true });
      running = await start();
      await running.whenIdle();
    },
    async [Symbol.asyncDispose]() {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How many credits an account can spend: what the node answers when it is asked to send more than anyone has. */
export async function spendableCredits(apiUrl: string, sender: LocalAccount): Promise<bigint> {
  const client = createClient({ apiUrl });
  const { transferPostType: type, channels } = definition.authorities.credits;
  const content = { transfer: { credits: [{ address: "nobody", amount: 10n ** 15n }] } };
  try {
    await client.createPost({ account: sender, type, content, channel: channels[0] ?? null, sync: true });
  } catch (error) {
    const available = isSdkError(error, "SDK_REJECTED") ? /, (\d+) are available/.exec(error.message) : null;
    if (available === null) throw error;
    return BigInt(available[1] ?? 0);
  }
  throw new Error("the node lets an account send what it does not have");
}
