import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { decodeLowerHex, type NetworkDefinition } from "@twentysix/protocol";
import { startSchedulerApi } from "./api/server.ts";
import type { ApiSources } from "./api/sources.ts";
import { statsOf } from "./api/stats.ts";
import { schedulerKey } from "./http/signature.ts";
import { type PaymentGate, PaymentVerdicts } from "./payment-gate.ts";
import { repeatInput, runScheduler } from "./scheduler-loops.ts";
import { createSchedulerParts, type SchedulerParts } from "./scheduler-parts.ts";
import { defaultSchedulerSettings, type SchedulerSettings } from "./settings.ts";
import { Wakeup } from "./wakeup.ts";

export interface SchedulerOptions {
  readonly definition: Pick<NetworkDefinition, "authorities" | "switches" | "announce">;
  /** A core node: `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  /** Further core nodes, for when that one falls. */
  readonly otherApiUrls?: readonly string[];
  /** 64 lower-case hexadecimal digits; null: nothing is sent to nodes that want a signature. */
  readonly signingKey: string | null;
  /** `X-Auth-Signature` for nodes that know no signatures yet. */
  readonly legacyToken?: string | null;
  /** Publisher of the registry, where it is not the network's. */
  readonly registryAddress?: string | null;
  readonly settings?: Partial<SchedulerSettings>;
  /** Folder of its database; schedulers of one folder take turns. */
  readonly dataDir: string;
  readonly api: { readonly host: string; readonly port: number };
  /** null: machines that are paid by stream are not placed. */
  readonly paymentGate?: PaymentGate | null;
  readonly version?: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** A scheduler that runs. */
export interface Scheduler {
  /** Where its API listens, without a slash at the end. */
  readonly apiUrl: string;
  /** By what nodes know it; null: it signs nothing. */
  readonly signerAddress: string | null;
  close(): Promise<void>;
}

const SAMPLE_PERIOD_MS = 60_000;
const PAYMENT_PERIOD_MS = 60_000;

/** Places machines on nodes, and serves what it knows. Waits for its core node by itself. */
export async function startScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const { definition, timers, log } = options;
  const settings = settingsOf(options);
  const key = options.signingKey === null ? null : schedulerKey(decodeLowerHex(options.signingKey));
  const registry = {
    address: options.registryAddress ?? definition.authorities.registry.address,
    key: definition.authorities.registry.key,
  };
  const { switches } = definition;
  const legacyToken = options.legacyToken ?? null;
  const parts = createSchedulerParts({ ...options, settings, key, legacyToken, registry, switches });
  const sources: ApiSources = {
    ...parts,
    settings,
    lastPlanAtMs: () => parts.planTime.get(),
    version: options.version ?? "0",
  };
  const closing = new AbortController();
  try {
    const api = await startSchedulerApi({ ...options.api, sources, timers, log });
    const more = extraLoops(options, parts, sources);
    const ended = runScheduler({ parts, settings, timers, log, more }, closing.signal);
    log.info("the scheduler answers", { url: api.url, signer: key?.address ?? null });
    const close = async (): Promise<void> => {
      closing.abort();
      await ended;
      await api.close();
      parts.lease.release();
      parts.database[Symbol.dispose]();
    };
    let closed: Promise<void> | null = null;
    return {
      apiUrl: api.url,
      signerAddress: key?.address ?? null,
      close() {
        closed ??= close();
        return closed;
      },
    };
  } catch (error) {
    parts.database[Symbol.dispose]();
    throw error;
  }
}

/** A network that is announced to private addresses alone has its nodes there, and no public IPv6. */
function settingsOf({ definition, settings }: SchedulerOptions): SchedulerSettings {
  const isPrivate = definition.announce === "private";
  return {
    ...defaultSchedulerSettings,
    allowsPrivateAddresses: isPrivate,
    requiresPublicIpv6: !isPrivate,
    ...settings,
  };
}

function extraLoops(
  { paymentGate, timers, log }: SchedulerOptions,
  parts: SchedulerParts,
  sources: ApiSources,
): ((signal: AbortSignal) => Promise<void>)[] {
  const sample = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await timers.sleep(SAMPLE_PERIOD_MS, signal).catch(() => undefined);
      if (!signal.aborted) parts.samples.add(parts.nowMs(), () => statsOf(sources));
    }
  };
  if (paymentGate == null) return [sample];
  const verdicts = new PaymentVerdicts();
  const pay = (signal: AbortSignal): Promise<void> =>
    repeatInput({ log }, PAYMENT_PERIOD_MS, new Wakeup(timers), signal, (inner) =>
      checkPayments(paymentGate, verdicts, parts, inner),
    );
  return [sample, pay];
}

async function checkPayments(
  gate: PaymentGate,
  verdicts: PaymentVerdicts,
  { store, vmIntake, planning }: SchedulerParts,
  signal: AbortSignal,
): Promise<void> {
  const machines = [...store.vms.values()]
    .filter(({ isLive, facts }) => isLive && facts.payment.type === "superfluid")
    .map(({ facts }) => facts);
  const checked = await gate.check(machines, signal);
  const settled = verdicts.settle(checked, (vmHash) => store.vms.get(vmHash)?.paymentStatus ?? null);
  if (store.change((changes) => vmIntake.setPayments(changes, settled))) planning.request();
}
