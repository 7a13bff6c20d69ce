import { join } from "node:path";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { Account, NetworkDefinition } from "@twentysix/protocol";
import { createConnection, nodeInfo } from "@twentysix/sdk";
import type { AuthorityAccounts } from "../keys/authority-accounts.ts";
import { fileJournal } from "../publishing/message-journal.ts";
import { Publisher } from "../publishing/publisher.ts";
import { publishBalances } from "./balances/publish-balances.ts";
import { Billing } from "./billing/billing.ts";
import type { AuthorityContext } from "./context.ts";
import { Faucet } from "./credits/faucet.ts";
import { startFaucetServer } from "./credits/faucet-server.ts";
import { grantInitialCredits } from "./credits/initial-grants.ts";
import { type Job, JobLoop } from "./job-loop.ts";
import { publishPrices } from "./prices/publish-prices.ts";
import { RegistryKeeper } from "./registry/registry-keeper.ts";
import type { AuthoritySettings } from "./settings.ts";

export interface AuthorityOptions {
  readonly definition: NetworkDefinition;
  /** A node of the network: `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  readonly accounts: AuthorityAccounts;
  readonly settings: AuthoritySettings;
  /** Folder of what must outlive a crash. */
  readonly dataDir: string;
  /** Where the faucet listens; null: there is none. */
  readonly faucet: { readonly host: string; readonly port: number } | null;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** An authority that runs. */
export interface Authority {
  /** null when there is no faucet, or its port is taken. */
  readonly faucetUrl: string | null;
  /** Resolves when everything that is due is done. */
  whenIdle(): Promise<void>;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/**
 * Publishes what the authorities of a network say, as far as their keys are here: prices, balances, first credits,
 * what used credits, and the registry of nodes. Waits for the node by itself and never fails because of it.
 */
export async function startAuthority(options: AuthorityOptions): Promise<Authority> {
  const { accounts, log } = options;
  await using stack = new AsyncDisposableStack();
  const context = contextOf(options);
  const closing = new AbortController();
  const loop = new JobLoop({
    ...options,
    ready: async (signal) => {
      await nodeInfo(context.connection, { signal });
    },
    jobs: jobsOf(context, accounts),
  });
  stack.defer(() => loop.close());
  const missing = Object.entries(accounts).flatMap(([task, account]) => (account === null ? [task] : []));
  if (missing.length > 0)
    log.warn("keys of some authorities are not here; others must publish for them", { missing });
  const faucet = await startFaucet(options, context, closing.signal);
  stack.defer(async () => {
    closing.abort();
    await faucet?.close();
  });
  const running = stack.move();
  return {
    faucetUrl: faucet?.url ?? null,
    whenIdle: () => loop.whenIdle(),
    close: () => running.disposeAsync(),
  };
}

function contextOf(options: AuthorityOptions): AuthorityContext {
  const { definition, settings, apiUrl, clock, timers, random, log, dataDir } = options;
  const connection = createConnection({
    apiUrl,
    runtime: {
      nowMicros: () => clock.nowMicros(),
      random: () => random.uniform(2 ** 32) / 2 ** 32,
      schedule: timers.schedule,
    },
  });
  const journal = fileJournal(join(dataDir, "unsettled.json"));
  const publisher = new Publisher({ connection, journal, log });
  return { definition, settings, connection, publisher, clock, log };
}

/** Prices come first: what is granted and billed afterwards depends on them. */
function jobsOf(
  context: AuthorityContext,
  { prices, balances, credits, registry }: AuthorityAccounts,
): readonly Job[] {
  const every = (name: string, run: Job["run"]): Job => ({ name, run, nextDelayMs: () => HOUR_MS });
  const jobs: Job[] = [];
  const add = (account: Account | null, jobFor: (account: Account) => Job): void => {
    if (account !== null) jobs.push(jobFor(account));
  };
  add(prices, (account) => every("prices", (signal) => publishPrices(context, account, signal)));
  add(balances, (account) => every("balances", (signal) => publishBalances(context, account, signal)));
  add(credits, (account) => every("grants", (signal) => grantInitialCredits(context, account, signal)));
  add(credits, (account) => billingJob(new Billing(context, account)));
  add(registry, (account) => registryJob(context, new RegistryKeeper(context, account)));
  return jobs;
}

const billingJob = (billing: Billing): Job => ({
  name: "billing",
  run: (signal) => billing.run(signal),
  nextDelayMs: () => billing.nextDelayMs(),
});

const registryJob = ({ settings }: AuthorityContext, keeper: RegistryKeeper): Job => ({
  name: "registry",
  run: (signal) => keeper.run(signal),
  nextDelayMs: () => settings.registryPeriodSeconds * 1_000,
});

/** Two nodes on one machine both have the default port: the second goes without a faucet. */
async function startFaucet(
  { faucet, accounts: { credits }, log }: AuthorityOptions,
  context: AuthorityContext,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof startFaucetServer>> | null> {
  if (faucet === null || credits === null) return null;
  try {
    const server = await startFaucetServer({ ...faucet, faucet: new Faucet(context, credits), log, signal });
    log.info("the faucet answers", { url: server.url });
    return server;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    log.warn("the port of the faucet is taken; there is no faucet", { port: faucet.port });
    return null;
  }
}
