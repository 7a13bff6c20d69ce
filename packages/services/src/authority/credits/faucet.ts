import { Semaphore } from "@twentysix/platform";
import { type Account, sha256OfText } from "@twentysix/protocol";
import { listPosts } from "@twentysix/sdk";
import type { AuthorityContext } from "../context.ts";
import { accountAddress } from "./account-address.ts";
import type { CreditOutcome } from "./credit-post.ts";
import { CreditError } from "./errors.ts";
import { findGrant, issueCredits } from "./grant-credits.ts";

export interface FaucetGrant extends CreditOutcome {
  readonly address: string;
  readonly credits: bigint;
}

const DAY_MS = 86_400_000;
const MAX_WAITING = 64;

/**
 * Gives small amounts of credits to whoever asks, a few times a day for each address. How often is counted on the
 * network itself, so that a restart forgets nothing.
 */
export class Faucet {
  readonly #context: AuthorityContext;
  readonly #account: Account;
  /** One at a time: two requests of one address must not both find room for one. */
  readonly #turn = new Semaphore({ permits: 1, maxWaiters: MAX_WAITING });

  constructor(context: AuthorityContext, account: Account) {
    this.#context = context;
    this.#account = account;
  }

  /**
   * The same nonce gives the same grant and counts once.
   *
   * Errors: CreditError CREDIT_ADDRESS_INVALID, FAUCET_LIMIT_REACHED and NONCE_REUSED, PlatformError SEMAPHORE_WAITERS_EXCEEDED, those of
   * `grantCredits`.
   */
  async give(address: string, nonce: string, signal: AbortSignal): Promise<FaucetGrant> {
    const owner = accountAddress(address);
    return await this.#turn.run(() => this.#give(owner, nonce, signal), signal);
  }

  async #give(address: string, nonce: string, signal: AbortSignal): Promise<FaucetGrant> {
    const { settings, definition, clock, log } = this.#context;
    const { credits, grantsPerDay, expiryDays } = settings.faucet;
    const nowMs = Number(clock.nowMicros() / 1_000n);
    const dayTag = `faucet:${sha256OfText(`${address} ${Math.floor(nowMs / DAY_MS)}`)}`;
    const request = {
      account: this.#account,
      entries: [{ address, amount: credits }],
      expirationMs: expiryDays === null ? null : expiryMsOf(nowMs, expiryDays),
      nonce: `faucet ${address} ${nonce}`,
      origin: "faucet",
      tags: ["faucet", dayTag],
    };
    const services = { ...this.#context, credits: definition.authorities.credits };
    const known = await findGrant(services, request, signal);
    if (known !== null) return { itemHash: known, isNew: false, address, credits };
    if ((await this.#countGrants(dayTag, signal)) >= grantsPerDay) {
      throw new CreditError(
        "FAUCET_LIMIT_REACHED",
        `${address} has had its ${grantsPerDay} grants of today: come back after midnight UTC`,
        { address, perDay: grantsPerDay },
      );
    }
    const itemHash = await issueCredits(services, request, signal);
    log.info("granted credits from the faucet", { address, credits: String(credits), itemHash });
    return { itemHash, isNew: true, address, credits };
  }

  async #countGrants(dayTag: string, signal: AbortSignal): Promise<number> {
    const { connection, definition } = this.#context;
    const { total } = await listPosts(connection, {
      owners: [this.#account.address],
      types: [definition.authorities.credits.distributionPostType],
      tags: [dayTag],
      pageSize: 1,
      signal,
    });
    return total;
  }
}

/** On the hour, so that a request that is repeated within it makes the same message. */
const HOUR_MS = 3_600_000;
const expiryMsOf = (nowMs: number, days: number): number => nowMs - (nowMs % HOUR_MS) + days * DAY_MS;
