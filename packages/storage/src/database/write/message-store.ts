import type { Need, World } from "@twentysix/state";
import type { ChainChange } from "../chain-records.ts";
import type { Status } from "../codes.ts";
import { STATUS_CODE } from "../codes.ts";
import { TELL_COMMIT } from "../postgres/commit-notice.ts";
import { showLife } from "../postgres/writer-lease.ts";
import { dueCandidates, nextDueMicros } from "./candidate-turns.ts";
import {
  type Candidate,
  type CandidateState,
  countCandidates,
  deleteCandidate,
  eraseRetained,
  givenUpCode,
  type NewCandidate,
  putCandidate,
  type RivalCandidate,
  rivalCandidates,
  settleCandidate,
  touchQueued,
  wakeCandidates,
} from "./candidates.ts";
import { applyChainChange } from "./chain/apply-chain-change.ts";
import { collectExpired, nextGraceEndMicros } from "./collect-files.ts";
import type { Collected } from "./collected-files.ts";
import { completeCounters } from "./complete-counters.ts";
import {
  attachConfirmations,
  type Confirmation,
  firstConfirmation,
  hasConfirmations,
  putConfirmation,
} from "./confirmations.ts";
import { type CrowdedCandidate, crowdedCandidate, giveUpCandidate } from "./crowded-senders.ts";
import { dueAccounts, nextAccountEventMicros } from "./ledger/due-accounts.ts";
import type { NamedPriceList } from "./ledger/price-list-names.ts";
import {
  countPricedMessages,
  type MessagePlace,
  type PricedMessage,
  pricedMessage,
  pricedMessages,
} from "./ledger/priced-messages.ts";
import { loadFacts } from "./load-facts.ts";
import { type FileNote, noteFiles } from "./note-files.ts";
import { openForWriting, type WritableDatabase, type WritableOptions } from "./open-for-writing.ts";
import { dropRefusal, putRefusal, type Refusal } from "./refusals.ts";
import { type HeldFile, registerFile } from "./register-file.ts";
import { addGracePin } from "./save-files.ts";
import { appendEvent, trimAttempts } from "./save-relations.ts";
import { type AppendedEvent, type SaveContext, saveWorld } from "./save-world.ts";
import type { ReadElementFields } from "./stored-content.ts";
import { countUndecided, decideSignature, type SignatureDecision } from "./undecided-signatures.ts";
import { WriterSession } from "./writer-session.ts";

const INDEX_TABLES = new Set<Need["table"]>([
  "security",
  "amendsOf",
  "elementsOf",
  "forgottenElements",
  "tagPins",
  "pinsOf",
  "contentPins",
  "candidates",
  "vmUsers",
  "vmVersions",
  "forgottenChildren",
  "forgetTargets",
  "delegatedUses",
  "aggregateContents",
  "creditHistory",
  "ownedCosts",
]);

export interface MessageStoreOptions extends WritableOptions {
  /** Opened before; `path` is opened when it is not given. */
  readonly database?: WritableDatabase;
  readonly readElementFields: ReadElementFields;
}

/**
 * The one writer of the database. Everything it does happens between `begin` and `commit`, in one transaction
 * with one sync of the log.
 */
export class MessageStore {
  readonly #session: WriterSession;
  readonly #readElementFields: ReadElementFields;
  readonly #log: WritableDatabase["log"];
  #hasConfirmations: boolean;

  constructor(options: MessageStoreOptions) {
    const { connection, log } = options.database ?? openForWriting(options);
    completeCounters(connection);
    log?.begin();
    this.#session = new WriterSession(connection);
    this.#log = log;
    this.#readElementFields = options.readElementFields;
    this.#hasConfirmations = hasConfirmations(this.#session);
  }

  get session(): WriterSession {
    return this.#session;
  }

  begin(): void {
    this.#session.connection.begin();
  }

  /** Merges the counters: the last work of a batch, before its commit. */
  finish(): void {
    this.#session.counters.flush();
    this.#session.costTotals.flush();
  }

  /** Needs `finish` first. */
  commit(): void {
    const { connection } = this.#session;
    if (connection.dialect.name === "postgres") connection.run(TELL_COMMIT);
    connection.commit();
    this.#session.endBatch();
  }

  rollBack(): void {
    this.#session.connection.rollBack();
    this.#session.rollBack();
  }

  /**
   * Loads facts. Look-ups are answered by the database, so the changes of the batch so far are written first
   * by `flush`.
   */
  fetch(world: World, needs: readonly Need[], flush: () => void): void {
    if (world.isDirty && needs.some((need) => INDEX_TABLES.has(need.table))) flush();
    loadFacts(this.#session, world, needs, this.#readElementFields);
  }

  /** Writes the changes of the world and dates what became live by its confirmations. */
  save(world: World, context: SaveContext): AppendedEvent[] {
    const events = saveWorld(this.#session, world, context);
    if (this.#hasConfirmations) {
      for (const event of events)
        if (event.kind === "processed") attachConfirmations(this.#session, event.hash);
    }
    return events;
  }

  putCandidate(candidate: NewCandidate, state: CandidateState): number {
    return putCandidate(this.#session, candidate, state);
  }

  /** Another reception of a copy that is queued, which keeps its turn; false when it is not queued. */
  touchQueued(candidate: NewCandidate): boolean {
    return touchQueued(this.#session, candidate);
  }

  /** The code for which a copy was given up; undefined when it is queued or not known. */
  givenUpCode(identity: Uint8Array): number | null | undefined {
    return givenUpCode(this.#session, identity);
  }

  deleteCandidate(id: number): void {
    deleteCandidate(this.#session, id);
  }

  /**
   * Takes the same copy out of the queue, if it is there. One that is written more tersely is made due instead, so
   * that its text is the one that is kept.
   */
  settleCandidate(identity: Uint8Array, envelopeText: string, nowMicros: bigint): void {
    settleCandidate(this.#session, identity, envelopeText, nowMicros);
  }

  /** Accounts whose messages have to be looked at, the longest due first. */
  dueAccounts(nowMicros: bigint, limit: number): string[] {
    return dueAccounts(this.#session, nowMicros, limit);
  }

  nextAccountEventMicros(): bigint | null {
    return nextAccountEventMicros(this.#session);
  }

  /** The price list by which costs are computed from now on. */
  announcePriceList(list: NamedPriceList, sinceMicros: bigint): void {
    this.#session.priceLists.announce(list, sinceMicros);
  }

  /** Live messages that use resources, the oldest first. */
  pricedMessages(after: MessagePlace | null, limit: number): PricedMessage[] {
    return pricedMessages(this.#session, after, limit);
  }

  countPricedMessages(): number {
    return countPricedMessages(this.#session);
  }

  /** One of them; null when it is not live or uses nothing. */
  pricedMessage(hash: string): PricedMessage | null {
    return pricedMessage(this.#session, hash);
  }

  countCandidates(hash: string): { total: number; queued: number } {
    return countCandidates(this.#session, hash);
  }

  /** Copies whose signatures chains are to be asked about. */
  countUndecided(): number {
    return countUndecided(this.#session);
  }

  decideSignature(decision: SignatureDecision, nowMicros: bigint): void {
    decideSignature(this.#session, decision, nowMicros);
  }

  wake(keys: Iterable<string>, nowMicros: bigint): number {
    return wakeCandidates(this.#session, keys, nowMicros);
  }

  /** Makes the other copies of an item due, after one of them was applied. */
  wakeCopies(hash: string, nowMicros: bigint): void {
    this.#session.connection.run(
      "UPDATE candidates SET next_attempt_us = ? WHERE item_id = ? AND next_attempt_us IS NOT NULL",
      nowMicros,
      this.#session.itemId(hash),
    );
  }

  due(nowMicros: bigint, limit: number, maxBytes?: number): Candidate[] {
    return dueCandidates(this.#session, nowMicros, limit, maxBytes);
  }

  nextDueMicros(): bigint | null {
    return nextDueMicros(this.#session);
  }

  /** The copy that a sender with more than `max` in the queue is to give up; null while there is room. */
  crowdedCandidate(sender: string, max: number): CrowdedCandidate | null {
    return crowdedCandidate(this.#session, sender, max);
  }

  /** Tries a copy no more until it is woken or sent again. */
  giveUpCandidate(id: number): void {
    giveUpCandidate(this.#session, id);
  }

  /** Copies of one item among which a place must be found. */
  rivalCandidates(hash: string): RivalCandidate[] {
    return rivalCandidates(this.#session, hash);
  }

  /** Erases texts retained behind FORGETs that have become final; outside of `begin` and `commit`. */
  eraseRetained(beforeMicros: bigint, limit: number): number {
    return eraseRetained(this.#session, beforeMicros, limit);
  }

  /** Records a refused copy; true when it is news. */
  putRefusal(refusal: Refusal): boolean {
    return putRefusal(this.#session, refusal);
  }

  dropRefusal(hash: string, identity: Uint8Array): void {
    dropRefusal(this.#session, hash, identity);
  }

  putConfirmation(confirmation: Confirmation): boolean {
    this.#hasConfirmations = true;
    const isNew = putConfirmation(this.#session, confirmation);
    const itemId = this.#session.findItem(confirmation.hash);
    if (isNew && itemId !== null) {
      const cause = { chain: confirmation.chain, tx: confirmation.txHash, height: confirmation.height };
      appendEvent(this.#session, itemId, "confirmed", confirmation.timeMicros, cause);
    }
    return isNew;
  }

  /** Writes down what a chain told, or what is sent to it. Returns the messages whose confirmations changed. */
  applyChain(change: ChainChange, nowMicros: bigint): string[] {
    return applyChainChange(this.#session, change, nowMicros);
  }

  /** When a message was first confirmed on a chain; null while it is not. */
  confirmedMicros(hash: string): bigint | null {
    if (!this.#hasConfirmations) return null;
    return firstConfirmation(this.#session, hash)?.time_us ?? null;
  }

  /** Records a held file; with `graceUntilMicros` it is kept at least that long. */
  registerFile(file: HeldFile, nowMicros: bigint, graceUntilMicros: bigint | null): void {
    registerFile(this.#session, file);
    if (graceUntilMicros !== null) addGracePin(this.#session, file.hash, nowMicros, graceUntilMicros);
  }

  /**
   * Ends times of grace that are over and takes what nothing pins any more out of the records, in a transaction of
   * its own; the journal says which bytes are to go. Returns how many graces it ended, `limit` when there may be more.
   */
  collectFiles(nowMicros: bigint, limit: number): number {
    const endMicros = this.nextGraceEndMicros();
    if (endMicros === null || endMicros > nowMicros) return 0;
    this.begin();
    try {
      const ended = collectExpired(this.#session, nowMicros, limit);
      this.finish();
      this.commit();
      return ended;
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }

  /** When the next time of grace is over; null when none runs. */
  nextGraceEndMicros(): bigint | null {
    return nextGraceEndMicros(this.#session);
  }

  /** What committed transactions took out of the records since this was last asked. */
  takeCollected(): Collected {
    return this.#session.collected.take();
  }

  /** Records what became of bytes, or was found out about them. Between `begin` and `commit`. */
  noteFiles(note: FileNote, nowMicros: bigint): void {
    noteFiles(this.#session, note, nowMicros);
  }

  appendEvent(
    hash: string,
    kind: "received" | "retry" | "rejected",
    atMicros: bigint,
    cause: Readonly<Record<string, unknown>> | null,
  ): number {
    const itemId = this.#session.itemId(hash);
    const seq = appendEvent(this.#session, itemId, kind, atMicros, cause);
    if (kind !== "received") trimAttempts(this.#session, itemId);
    return seq;
  }

  /** The status of an item in the database, or null when this node never met it. */
  statusCode(hash: string): number | null {
    const id = this.#session.findItem(hash);
    if (id === null) return null;
    return (
      this.#session.connection.get<{ status: number }>("SELECT status FROM items WHERE id = ?", id)?.status ??
      null
    );
  }

  isStatus(hash: string, status: Status): boolean {
    return this.statusCode(hash) === STATUS_CODE[status];
  }

  /** Moves committed pages from the log into the database; `truncate` also empties the log. */
  checkpoint(mode: "passive" | "truncate"): void {
    this.#log?.checkpoint(mode);
  }

  /** Keeps the log within its bound; after every batch. */
  checkpointIfLarge(): void {
    this.#log?.checkpointIfLarge();
  }

  /** Ends the checkpoint thread, so that this connection is the last one that writes. */
  endCheckpoints(): void {
    this.#log?.endCheckpoints();
  }

  /** Tells a server that its writer is alive. A database in this process needs no sign. */
  showLife(): void {
    showLife(this.#session.connection);
  }

  close(): void {
    this.#log?.close();
    this.#session.connection.close();
  }
}
