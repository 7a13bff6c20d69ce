import { Semaphore } from "@twentysix/platform";
import type { InstanceContent } from "@twentysix/protocol";
import type { Execution } from "../executions/execution.ts";
import type { CoreNodeClient, VmMessage } from "../messages/core-node-client.ts";
import { PaymentError } from "./errors.ts";
import {
  attoOf,
  attoOfCredits,
  isSpecial,
  type PaymentTerms,
  paymentTermsOf,
  perMonth,
  wholeText,
} from "./payment-terms.ts";
import { type CommunityShare, STREAM_BUFFER_ATTO, type StreamReader, streamDues } from "./streams.ts";

export interface PaymentGateOptions {
  readonly coreNodes: Pick<CoreNodeClient, "price" | "balance">;
  readonly streams: StreamReader;
  readonly community: (signal: AbortSignal) => Promise<CommunityShare | null>;
  /** To whom streams for this node flow; null: it takes none. */
  readonly receiverAddress: string | null;
  /** Machines of this node that run, and are paid already. */
  readonly executions: () => readonly Execution[];
  /** Put here by a scheduler, or by its own message. */
  readonly isAllocatedHere: (vmHash: string, content: InstanceContent) => boolean;
  readonly nowMs: () => number;
}

const HOUR_SECONDS = 3_600n;
/** What has been found paid counts for so long, until its start has made it one of the machines here. */
const CLAIM_MS = 60_000;
/** More that wait for one payer are somebody's loop. */
const MAX_WAITING = 32;

interface Claim {
  readonly terms: PaymentTerms;
  readonly endsAtMs: number;
}

/**
 * Whether an instance that somebody asks this node to start is paid: together with all that its payer has running here.
 * Source: aleph-vm `views/__init__.py` (notify), `payment.py`.
 */
export class PaymentGate {
  readonly #options: PaymentGateOptions;
  readonly #turns = new Map<string, Semaphore>();
  readonly #claims = new Map<string, Claim>();

  constructor(options: PaymentGateOptions) {
    this.#options = options;
  }

  /** @throws PaymentError; CoreNodesError when prices or balances cannot be read */
  async assertPaid(message: VmMessage & { readonly type: "INSTANCE" }, signal: AbortSignal): Promise<void> {
    const terms = paymentTermsOf(message.content);
    if (terms.type === "hold") return this.#assertHeld(message, terms, signal);
    await this.#inTurn(terms.payer, signal, async () => {
      const cost = (await this.#options.coreNodes.price(message.itemHash, signal)).cost;
      if (terms.type === "credit") await this.#assertCredits(message.itemHash, cost, terms, signal);
      else await this.#assertStream(message.itemHash, cost, terms, signal);
      this.#claims.set(message.itemHash, { terms, endsAtMs: this.#options.nowMs() + CLAIM_MS });
    });
  }

  /** Machines of one payer that are looked at at once would each see none of the others. */
  async #inTurn(payer: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const turn = this.#turns.get(payer) ?? new Semaphore({ permits: 1, maxWaiters: MAX_WAITING });
    this.#turns.set(payer, turn);
    try {
      await turn.run(work, signal);
    } finally {
      if (turn.available === 1 && turn.waiting === 0) this.#turns.delete(payer);
    }
  }

  async #assertHeld(
    { itemHash, content }: VmMessage & { readonly type: "INSTANCE" },
    { payer }: PaymentTerms,
    signal: AbortSignal,
  ): Promise<void> {
    if (!isSpecial(content)) {
      if (this.#options.isAllocatedHere(itemHash, content)) return;
      throw new PaymentError("PAYMENT_INVALID", "Invalid payment method");
    }
    const { coreNodes } = this.#options;
    const required = attoOf((await coreNodes.price(itemHash, signal)).cost);
    const available = attoOf((await coreNodes.balance(payer, signal)).tokens);
    if (available >= required) return;
    const figures = `Required: ${wholeText(required)}, available: ${wholeText(available)}`;
    throw new PaymentError("PAYMENT_MISSING", `Insufficient balance for this instance. ${figures}`);
  }

  async #assertCredits(
    vmHash: string,
    cost: string,
    { payer }: PaymentTerms,
    signal: AbortSignal,
  ): Promise<void> {
    const { coreNodes } = this.#options;
    const others = await this.#costsOf(vmHash, payer, "credit", signal);
    const perSecond = others.reduce((sum, other) => sum + attoOf(other.cost), attoOf(cost));
    const required = perSecond * HOUR_SECONDS;
    const available = attoOfCredits((await coreNodes.balance(payer, signal)).credits);
    if (available >= required) return;
    const figures = `Required: ${wholeText(required)} for an hour of ${others.length + 1} machines, available: ${wholeText(available)}`;
    throw new PaymentError("PAYMENT_MISSING", `Insufficient credits for this instance. ${figures}`);
  }

  async #assertStream(
    vmHash: string,
    cost: string,
    { payer, receiver, chain }: PaymentTerms,
    signal: AbortSignal,
  ): Promise<void> {
    const { streams, receiverAddress, nowMs } = this.#options;
    if (receiverAddress === null || receiver?.toLowerCase() !== receiverAddress.toLowerCase()) {
      throw new PaymentError("PAYMENT_INVALID", "Message is not for this instance");
    }
    if (!streams.chains.includes(chain)) {
      const known = streams.chains.length === 0 ? "no chain" : streams.chains.join(", ");
      throw new PaymentError(
        "PAYMENT_INVALID",
        `Invalid chain ${chain}: this node takes streams on ${known}`,
      );
    }
    const community = await this.#options.community(signal);
    const others = await this.#costsOf(vmHash, payer, "superfluid", signal);
    const dues = streamDues([...others, { cost, startedAtMs: null }], community, nowMs());
    const flow = await streams.flow(chain, payer, receiverAddress, signal);
    if (flow === 0n) throw new PaymentError("PAYMENT_MISSING", "Empty payment stream for this instance");
    assertFlow("Insufficient payment stream for this instance", dues.nodeAtto, flow);
    if (community === null || dues.communityAtto === 0n) return;
    const shared = await streams.flow(chain, payer, community.wallet, signal);
    assertFlow("Insufficient payment stream for community", dues.communityAtto, shared);
  }

  /** What the payer's other machines here cost: one balance or stream is not shown for several of them. */
  async #costsOf(
    vmHash: string,
    payer: string,
    type: PaymentTerms["type"],
    signal: AbortSignal,
  ): Promise<{ readonly cost: string; readonly startedAtMs: number | null }[]> {
    const isOther = (other: string, terms: PaymentTerms): boolean =>
      other !== vmHash && terms.payer === payer && terms.type === type;
    const running = this.#options
      .executions()
      .filter(({ vmHash: other, content }) => isOther(other, paymentTermsOf(content)))
      .filter(({ desired, isPersistent }) => desired === "running" && isPersistent)
      .map(({ vmHash: other, times }) => ({ hash: other, startedAtMs: times.startedAtMs }));
    const claimed = this.#liveClaims()
      .filter(([other, { terms }]) => isOther(other, terms))
      .map(([hash]) => ({ hash, startedAtMs: null }));
    return Promise.all(
      [...running, ...claimed].map(async ({ hash, startedAtMs }) => {
        const { cost } = await this.#options.coreNodes.price(hash, signal);
        return { cost, startedAtMs };
      }),
    );
  }

  /** Without those that have become a machine here: it speaks for itself. */
  #liveClaims(): [string, Claim][] {
    const nowMs = this.#options.nowMs();
    const wanted = new Set(
      this.#options.executions().flatMap(({ vmHash, desired }) => (desired === "running" ? [vmHash] : [])),
    );
    for (const [hash, { endsAtMs }] of this.#claims) {
      if (endsAtMs <= nowMs || wanted.has(hash)) this.#claims.delete(hash);
    }
    return [...this.#claims];
  }
}

function assertFlow(what: string, required: bigint, flow: bigint): void {
  if (flow + STREAM_BUFFER_ATTO >= required) return;
  const figures = `Required: ${perMonth(required)} a month, present: ${perMonth(flow)}`;
  throw new PaymentError("PAYMENT_MISSING", `${what}. ${figures}`);
}
