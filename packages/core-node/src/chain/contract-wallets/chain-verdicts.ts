import { encodeSignatureCheck, readSignatureCheck } from "@twentysix/contracts";
import type { ContractQuestion } from "@twentysix/protocol";
import { ChainError } from "../errors.ts";
import type { EvmReads } from "../evm/evm-reads.ts";
import { BlockTimes } from "./block-times.ts";

/** What a chain says of a signature; null: it cannot say yet. */
export type ChainVerdict = { readonly refusal: string | null } | null;

export interface ChainVerdictsOptions {
  readonly chain: string;
  readonly reads: EvmReads;
  readonly finalityDepth: number;
}

/** The same on every node: what a wallet may use up is part of the rule. */
const GAS = 10_000_000;
const MAX_REMEMBERED = 4_096;

/**
 * Asks one chain whether contracts accept signatures, each as the chain was at the time of its message: what it says of a
 * final block is the same for whoever asks, whenever.
 */
export class ChainVerdicts {
  readonly #options: ChainVerdictsOptions;
  readonly #times: BlockTimes;
  readonly #known = new Map<string, ChainVerdict>();

  constructor(options: ChainVerdictsOptions) {
    this.#options = options;
    this.#times = new BlockTimes(options);
  }

  /** Looks where the chain is now. @throws ChainError, RpcRefusal */
  refresh(): Promise<void> {
    return this.#times.refresh();
  }

  /** @throws ChainError, RpcRefusal: the chain cannot be asked now */
  async verdict(question: ContractQuestion, timeMicros: bigint): Promise<ChainVerdict> {
    const found = await this.#times.blockOf(timeMicros);
    if (found.kind === "notYet") return null;
    if (found.kind === "before")
      return { refusal: `${this.#options.chain} had no block at the time of the message` };
    const key = `${found.height} ${question.digest} ${question.account} ${question.signature}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const verdict = await this.#ask(question, found.height);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, verdict);
    return verdict;
  }

  async #ask(question: ContractQuestion, height: number): Promise<ChainVerdict> {
    const { reads, chain } = this.#options;
    const answer = await reads.call({ data: encodeSignatureCheck(question), gas: GAS, height });
    const isAccepted = readSignatureCheck(answer);
    // The contract that is asked answers whatever happens: it is the server that has not run it.
    if (isAccepted === null)
      throw new ChainError("CHAIN_RPC_UNAVAILABLE", "An RPC gave no answer to a question about a signature");
    if (isAccepted) return { refusal: null };
    const where = `as of block ${height} of ${chain}, the newest at the time of the message`;
    return { refusal: `neither the sender's key nor a contract at its address has signed this, ${where}` };
  }
}
