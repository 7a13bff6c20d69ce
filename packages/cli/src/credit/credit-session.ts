import { resolve } from "node:path";
import type { NodeConfig } from "@twentysix/node/config";
import { loadNetwork } from "@twentysix/node/network";
import { createMemoryLogger, createSystemRandom } from "@twentysix/platform";
import { encodeHex, type JsonValue, type NetworkDefinition, stringifyJson } from "@twentysix/protocol";
import { createConnection } from "@twentysix/sdk";
import { accountAddress, type CreditServices, memoryJournal, Publisher } from "@twentysix/services";
import type { CommandHost } from "../command-host.ts";
import type { CreditFlags } from "./credit-flags.ts";
import type { Expiry } from "./parse-credit-values.ts";

/** What was asked for, as it was written. */
export interface CreditRequest {
  readonly config: NodeConfig;
  readonly host: CommandHost;
  readonly signal: AbortSignal;
  readonly address: string;
  readonly amount: bigint;
}

/** A running node, and what its network says. */
export interface CreditSession {
  readonly definition: NetworkDefinition;
  readonly services: CreditServices;
}

/** Error: SettingError for a network that is not there, SDK_INVALID_INPUT for a URL that is none. */
export function openCreditSession(
  { config, host }: Pick<CreditRequest, "config" | "host">,
  flags: CreditFlags,
): CreditSession {
  const definition = loadNetwork(config.network);
  const connection = createConnection({ apiUrl: flags.node ?? urlOf(config) });
  const publisher = new Publisher({ connection, journal: memoryJournal(), log: createMemoryLogger() });
  const { credits } = definition.authorities;
  return { definition, services: { connection, publisher, clock: host.clock, credits } };
}

const urlOf = ({ apiHost, apiPort }: NodeConfig): string =>
  `http://${apiHost.includes(":") ? `[${apiHost}]` : apiHost}:${apiPort}`;

/** An address, or the role of a development account: `alice`. */
export function addressOf(definition: NetworkDefinition, text: string): string {
  const account = definition.developmentAccounts.find(({ role }) => role === text);
  return account?.address ?? accountAddress(text);
}

/** Unix milliseconds; null: never. Error: CREDIT_FLAG_INVALID for a moment that has passed. */
export function expirationMsOf(expiry: Expiry | undefined, host: CommandHost): number | null {
  if (expiry === undefined) return null;
  const nowMs = Number(host.clock.nowMicros() / 1_000n);
  const atMs = "atMs" in expiry ? expiry.atMs : nowMs + expiry.afterMs;
  if (atMs > nowMs) return atMs;
  throw badFlag("expires", "that moment has passed; name a later one");
}

/** A flag whose value cannot be right: the command ends with code 2. */
export function badFlag(flag: string, reason: string): Error {
  return Object.assign(new Error(`--${flag}: ${reason}`), { code: "CREDIT_FLAG_INVALID", setting: flag });
}

/** Told with the outcome: a command that is repeated with it does nothing a second time. */
export const freshNonce = (): string => encodeHex(createSystemRandom().randomBytes(16));

export const absolutePath = (path: string, host: CommandHost): string => resolve(host.workingDir, path);

export function printReport(host: CommandHost, report: { readonly [key: string]: JsonValue }): void {
  host.stdout.write(`${stringifyJson(report)}\n`);
}
