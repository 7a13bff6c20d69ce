import { NetworkError, type PeerStreams } from "@twentysix/network";
import { type Clock, type Logger, PlatformError, type Random, type Timers } from "@twentysix/platform";
import { assertPossession, BlobError, sizeOfRoot, wayToFault } from "@twentysix/storage";
import type { PeerScores } from "../peer-scores.ts";
import { type FalseClaim, isClaimOf } from "./holding-claim.ts";
import { askForProof, MalformedProof, type ProofAnswer } from "./proof-protocol.ts";

export interface AuditorOptions {
  readonly streams: PeerStreams;
  readonly scores: Pick<PeerScores, "fault">;
  /** A node that does not have what it should is still counted on for so long at least: it may be getting it. */
  readonly patienceMs: number;
  readonly auditMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What a peer is to hold. */
export interface Audited {
  readonly name: string;
  /** The DAG of the file, or of the shard. */
  readonly root: string;
  /** Of the file: a shard is made of as much. */
  readonly sizeBytes: number;
}

/** `unknown`: the peer could not be asked, which says nothing. */
export type AuditResult = "proven" | "unproven" | "unknown";

const PROOF_TIMEOUT_MS = 30_000;
const NONCE_BYTES = 32;
/** A node that claimed to hold a file and does not is not counted on for it during so many audits. */
const DISTRUSTED_AUDITS = 10;
/** A large file takes its time: a second for each MiB of it. */
const PATIENCE_BYTES_PER_MS = 1_024 * 1.024;
const MAX_DISTRUSTED = 20_000;
/** A peer that does not answer is not asked again for so long, twice as long each time. */
const SILENT_MS = 30_000;
const MAX_SILENT_MS = 600_000;
/** To index a large file for its first proof may take longer than one challenge, or two. */
const LOST_AFTER = 3;
const MAX_SILENT = 4_096;

/** A peer that is there and does not answer. */
interface Silence {
  readonly sinceMs: number;
  readonly times: number;
  readonly askAgainMs: number;
}

/** Challenges peers, and remembers who is not to be counted on for what. */
export class Auditor {
  readonly #options: AuditorOptions;
  readonly #figures = { proofs: 0, failedProofs: 0 };
  /** By file and node: from when until when it is not counted on. */
  readonly #distrusted = new Map<string, { readonly fromMs: number; readonly untilMs: number }>();
  readonly #silent = new Map<string, Silence>();

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  figures(): { readonly proofs: number; readonly failedProofs: number } {
    return { ...this.#figures };
  }

  /** Whether a node can be counted on to keep a file. */
  isTrusted(name: string, peerId: string): boolean {
    if (this.#isLost(peerId)) return false;
    const key = `${name} ${peerId}`;
    const distrusted = this.#distrusted.get(key);
    if (distrusted === undefined) return true;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs >= distrusted.untilMs) this.#distrusted.delete(key);
    return nowMs < distrusted.fromMs || nowMs >= distrusted.untilMs;
  }

  /** It has not answered for as long as an outage may last, and often enough: nobody knows what it holds. */
  #isLost(peerId: string): boolean {
    const silence = this.#silent.get(peerId);
    if (silence === undefined || silence.times < LOST_AFTER) return false;
    return this.#options.clock.monotonicMs() - silence.sinceMs >= this.#options.patienceMs;
  }

  #becameSilent(peerId: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    const { sinceMs = nowMs, times = 0 } = this.#silent.get(peerId) ?? {};
    const forMs = Math.min(MAX_SILENT_MS, SILENT_MS * 2 ** Math.min(times, 20));
    this.#silent.delete(peerId);
    this.#silent.set(peerId, { sinceMs, times: times + 1, askAgainMs: nowMs + forMs });
    for (const oldest of this.#silent.keys()) {
      if (this.#silent.size <= MAX_SILENT) break;
      this.#silent.delete(oldest);
    }
  }

  /** It did not answer lately, and is not asked now. */
  isSilent(peerId: string): boolean {
    return this.#options.clock.monotonicMs() < (this.#silent.get(peerId)?.askAgainMs ?? 0);
  }

  /** Does a peer hold what is under a root? */
  async challenge(
    peerId: string,
    { name, root, sizeBytes }: Audited,
    signal: AbortSignal,
  ): Promise<AuditResult> {
    const { streams, random, timers, log, scores } = this.#options;
    if (this.isSilent(peerId)) return "unknown";
    const nonce = Buffer.from(random.randomBytes(NONCE_BYTES)).toString("hex");
    try {
      const answer = await timers.withTimeout(
        PROOF_TIMEOUT_MS,
        (stop) => askForProof(streams, peerId, { name, root, nonce }, stop),
        signal,
      );
      this.#silent.delete(peerId);
      const isProven = answer.state === "held" && (await this.#judge(peerId, answer));
      this.#figures[isProven ? "proofs" : "failedProofs"] += 1;
      if (isProven) this.#distrusted.delete(`${name} ${peerId}`);
      else this.#distrust({ name, sizeBytes }, peerId, answer.state);
      return isProven ? "proven" : "unproven";
    } catch (error) {
      if (error instanceof MalformedProof) {
        this.#silent.delete(peerId);
        this.#figures.failedProofs += 1;
        this.#distrust({ name, sizeBytes }, peerId, "held");
        scores.fault(peerId, "malformed-proof", name, { root, nonce });
        return "unproven";
      }
      const isSilent = error instanceof PlatformError && error.code === "TIMEOUT";
      if (isSilent) this.#becameSilent(peerId);
      if (!(error instanceof NetworkError) && !isSilent && !signal.aborted)
        log.debug("A peer could not be challenged", { peerId, name, error });
      return "unknown";
    }
  }

  /** A wrong answer that is signed is a proof of itself; one that is not, is none of anything. */
  async #judge(
    peerId: string,
    { claim, blocks }: Extract<ProofAnswer, { readonly state: "held" }>,
  ): Promise<boolean> {
    if (!(await isClaimOf(peerId, claim))) throw new MalformedProof();
    const { root, sizeBytes, digests, name } = claim;
    const nonce = Buffer.from(claim.nonce, "hex");
    try {
      assertPossession(root, nonce, blocks);
      if (sizeBytes === sizeOfRoot(root, blocks[0] ?? new Uint8Array())) return true;
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
    }
    const way = wayToFault({ root, nonce, digests, sizeBytes }, blocks);
    const evidence: FalseClaim = { claim, way: way.map((block) => Buffer.from(block).toString("base64")) };
    this.#options.scores.fault(peerId, "false-claim", name, { ...evidence });
    return false;
  }

  /**
   * Whoever has it not may soon, and is asked again after an audit; whoever gives it up may take it again; whoever
   * claims what is not so lies.
   */
  #distrust(
    { name, sizeBytes }: Pick<Audited, "name" | "sizeBytes">,
    peerId: string,
    state: ProofAnswer["state"],
  ): void {
    const { clock, patienceMs, auditMs } = this.#options;
    const isPatient = state === "absent";
    const distrustMs = state === "held" ? DISTRUSTED_AUDITS * auditMs : auditMs;
    const key = `${name} ${peerId}`;
    const nowMs = clock.monotonicMs();
    const known = this.#distrusted.get(key);
    if (isPatient && known !== undefined) return;
    for (const oldest of this.#distrusted.keys()) {
      if (this.#distrusted.size < MAX_DISTRUSTED) break;
      this.#distrusted.delete(oldest);
    }
    const fromMs = isPatient ? nowMs + patienceMs + sizeBytes / PATIENCE_BYTES_PER_MS : nowMs;
    this.#distrusted.set(key, { fromMs, untilMs: fromMs + distrustMs });
  }
}
