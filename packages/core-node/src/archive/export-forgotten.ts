import type { SqlConnection } from "@twentysix/storage";
import { writeExchangeLine } from "./exchange-line.ts";
import type { FileExport } from "./export-files.ts";
import type { LineSink } from "./line-sink.ts";
import { writeSkeleton } from "./skeleton-line.ts";
import type { ProcessedMessage } from "./stored-messages.ts";
import {
  allHoldersOf,
  type HiddenMessage,
  hiddenMessage,
  holdersOf,
  targetsOf,
  withChildren,
} from "./stored-skeletons.ts";

export interface ForgottenExportOptions {
  readonly connection: SqlConnection;
  readonly sink: LineSink;
  /** null leaves files out. */
  readonly files: FileExport | null;
  /** FORGETs up to this place of the event log are there already. */
  readonly afterSeq: number;
}

/**
 * Writes what is left of forgotten messages right before the first FORGET that hides them: their texts where those
 * are retained, else their skeletons.
 */
export class ForgottenExport {
  readonly #options: ForgottenExportOptions;
  sent = 0;

  constructor(options: ForgottenExportOptions) {
    this.#options = options;
  }

  /** Everything that goes ahead of a FORGET. */
  async sendTargets(forget: Pick<ProcessedMessage, "id" | "seq">): Promise<void> {
    const { connection, afterSeq } = this.#options;
    for (const hidden of targetsOf(connection, forget.id)) {
      const first = holdersOf(connection, hidden.id).find(({ seq }) => seq > afterSeq);
      if (first?.id === forget.id) await this.#sendWithChildren(hidden);
    }
  }

  /**
   * Messages that became known, and were forgotten at once, after all their FORGETs had been exported. `writeForget`
   * writes the one that they are hidden by once more, since that is what lets an importer take them.
   */
  async sendLate(writeForget: (forgetId: number) => Promise<void>): Promise<void> {
    let current: number | null = null;
    for (const { hidden, holder } of this.#late()) {
      if (current !== null && current !== holder) await writeForget(current);
      await this.#send(hidden);
      current = holder;
    }
    if (current !== null) await writeForget(current);
  }

  *#late(): Generator<{ readonly hidden: HiddenMessage; readonly holder: number }, void, undefined> {
    const { connection, afterSeq } = this.#options;
    if (afterSeq === 0) return;
    for (const id of changedSince(connection, afterSeq)) {
      const hidden = hiddenMessage(connection, id);
      if (hidden === null) continue;
      const holders = allHoldersOf(connection, hidden);
      const [first] = holders;
      if (first !== undefined && holders.every(({ seq }) => seq <= afterSeq))
        yield { hidden, holder: first.id };
    }
  }

  async #sendWithChildren(hidden: HiddenMessage): Promise<void> {
    for (const one of withChildren(this.#options.connection, hidden)) await this.#send(one);
  }

  async #send(hidden: HiddenMessage): Promise<void> {
    const { sink, files } = this.#options;
    const { textBytes, message } = hidden;
    if (message.type === "STORE" && message.contentHash !== null)
      await files?.sendKept(message.contentHash, textBytes > 0);
    if (textBytes === 0) await sink.write(writeSkeleton(hidden));
    else
      for (const { envelope, content } of hidden.texts)
        await sink.write(writeExchangeLine(envelope, content));
    this.sent += 1;
  }
}

/** Events looked at in one go. */
const CHUNK = 512;

/** Ids of the items that were forgotten after a place of the event log. */
function* changedSince(connection: SqlConnection, afterSeq: number): Generator<number, void, undefined> {
  for (let after = afterSeq; ; ) {
    const events = connection.all<{ seq: number; item_id: number }>(
      "SELECT seq, item_id FROM events WHERE seq > ? AND kind = 6 ORDER BY seq LIMIT ?",
      after,
      CHUNK,
    );
    for (const event of events) yield event.item_id;
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}
