import { hash } from "node:crypto";
import { type Clock, type Logger, Semaphore } from "@twentysix/platform";
import {
  type ContractQuestion,
  contentTimeMicros,
  contractQuestionOf,
  type NetworkDefinition,
  parseEnvelope,
} from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import type { ChainRecordReads, SignatureDecision, UndecidedCopy } from "@twentysix/storage";
import type { ChainVerdict, ChainVerdicts } from "./chain-verdicts.ts";

export interface ContractWalletsOptions {
  readonly definition: Pick<NetworkDefinition, "switches" | "limits">;
  readonly records: Pick<ChainRecordReads, "undecided">;
  /** Of every chain that this node can ask. */
  readonly chains: ReadonlyMap<string, Pick<ChainVerdicts, "refresh" | "verdict">>;
  readonly decide: (decision: SignatureDecision) => Promise<void>;
  readonly clock: Pick<Clock, "nowMicros">;
  readonly log: Logger;
}

const PAGE = 64;
/** Questions of one round: what strangers send decides how much is asked. */
const MAX_ASKED = 128;
const MAX_AT_ONCE = 4;

/** Clocks differ. */
const MAX_EARLY_MICROS = 600_000_000n;

interface Asked {
  readonly question: ContractQuestion;
  readonly timeMicros: bigint;
}

interface Round {
  /** Chains that have failed in it are asked no more. */
  readonly failed: Map<string, unknown>;
  readonly fresh: Set<string>;
  asked: number;
}

/**
 * Has chains decide about the signatures of queued copies that the key of their sender has not made. A chain that cannot
 * be asked decides nothing: its copies wait.
 */
export class ContractWallets {
  readonly #options: ContractWalletsOptions;
  readonly #crypto = createNodeCrypto();
  #afterId = 0;

  constructor(options: ContractWalletsOptions) {
    this.#options = options;
  }

  /** Goes on where the last round has ended; true when there is more. @throws what a chain that cannot be asked gives */
  async round(signal: AbortSignal): Promise<boolean> {
    const round: Round = { failed: new Map(), fresh: new Set(), asked: 0 };
    const turns = new Semaphore({ permits: MAX_AT_ONCE, maxWaiters: PAGE });
    while (round.asked < MAX_ASKED) {
      const copies = await this.#options.records.undecided(this.#afterId, PAGE);
      this.#afterId = copies.length < PAGE ? 0 : (copies.at(-1)?.candidateId ?? 0);
      await Promise.all(
        copies.map(async (copy) => {
          using _turn = await turns.acquire(signal);
          await this.#look(copy, round, signal);
        }),
      );
      if (this.#afterId === 0) break;
    }
    for (const error of round.failed.values()) throw error;
    return this.#afterId !== 0;
  }

  async #look(
    { candidateId, envelopeText }: UndecidedCopy,
    round: Round,
    signal: AbortSignal,
  ): Promise<void> {
    const asked = this.#questionOf(envelopeText);
    const refusal = this.#hopeless(asked);
    if (asked === null || refusal !== null) {
      await this.#options.decide({ candidateId, refusal });
      return;
    }
    const { chain } = asked.question;
    const verdicts = this.#options.chains.get(chain);
    if (verdicts === undefined || round.failed.has(chain)) return;
    round.asked += 1;
    let verdict: ChainVerdict;
    try {
      if (!round.fresh.has(chain)) {
        round.fresh.add(chain);
        await verdicts.refresh();
      }
      verdict = await verdicts.verdict(asked.question, asked.timeMicros);
    } catch (error) {
      signal.throwIfAborted();
      round.failed.set(chain, error);
      return;
    }
    if (verdict === null) return;
    this.#options.log.debug("A chain has decided about a signature", { candidateId, ...verdict });
    await this.#options.decide({ candidateId, ...verdict });
  }

  /** What would only take a place. A message that is early may be sent again at its time. */
  #hopeless(asked: Asked | null): string | null {
    if (asked === null) return "no contract can have signed this";
    const isEarly = asked.timeMicros > this.#options.clock.nowMicros() + MAX_EARLY_MICROS;
    return isEarly ? "its time has not come: its chain cannot be asked about it" : null;
  }

  /** With the time that the message itself names, which is signed; that of the envelope where its content is elsewhere. */
  #questionOf(envelopeText: string): Asked | null {
    const { switches, limits } = this.#options.definition;
    const read = parseEnvelope(envelopeText, {
      trusted: true,
      sha256: (bytes) => hash("sha256", bytes, "buffer"),
      switches,
      maxItemContentCharacters: limits.itemContentCharacters,
    });
    if (!read.ok) return null;
    const question = contractQuestionOf(read.envelope, this.#crypto);
    if (question === null) return null;
    const ownTime = read.content === null ? undefined : contentTimeMicros(read.content);
    return { question, timeMicros: ownTime ?? read.envelope.timeMicros };
  }
}
