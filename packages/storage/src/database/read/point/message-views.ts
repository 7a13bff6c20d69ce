import type { SqlConnection } from "../../sql/connection.ts";
import type { MessageRow, MessageRows } from "../message/message-rows.ts";
import { renderMessage } from "../message/render-message.ts";
import type { MessageView } from "../message-view.ts";
import type { SkeletonRows } from "../terminated/skeleton-rows.ts";
import { type ItemRow, itemOfHash } from "./item-rows.ts";
import { queuedCopies, rejectionOf } from "./queued-copies.ts";
import { removalReason } from "./removal-reason.ts";

/** How often a view is read again when its item changes status while it is read. */
const MAX_READS = 3;

/** Everything that is known of one hash, by its status. */
export class MessageViews {
  readonly #connection: SqlConnection;
  readonly #messages: MessageRows;
  readonly #skeletons: SkeletonRows;

  constructor(connection: SqlConnection, messages: MessageRows, skeletons: SkeletonRows) {
    this.#connection = connection;
    this.#messages = messages;
    this.#skeletons = skeletons;
  }

  /** null for a hash that is unknown, or no hash at all. */
  view(itemHash: string): MessageView | null {
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const row = this.#messages.byHash(itemHash);
      if (row !== null) return this.#ofLive(row);
      const item = itemOfHash(this.#connection, itemHash);
      if (item === null) return null;
      const view = this.#ofStatus(item);
      // Another thread may commit between two statements: then the status says what to look for now.
      if (view !== null) return view;
    }
    throw new RangeError(
      `item ${itemHash} has a status but no record of it: run the verification of the database`,
    );
  }

  /** The row of a live message. */
  live(itemHash: string): MessageRow | null {
    return this.#messages.byHash(itemHash);
  }

  #ofStatus({ id, status, itemHash, receptionMicros }: ItemRow): MessageView | null {
    const common = { itemHash, receptionMicros };
    switch (status) {
      case "pending":
        return { ...common, status, messagesJson: queuedCopies(this.#connection, id) };
      case "rejected":
        return { ...common, status, ...rejectionOf(this.#connection, id) };
      case "processed":
      case "removing":
        return null;
      case "forgotten": {
        const skeleton = this.#skeletons.byId("forgotten", id);
        if (skeleton === null) return null;
        const messageJson = skeleton.json({ status: false, forgottenBy: false });
        return { ...common, status, messageJson, forgottenBy: skeleton.forgottenBy };
      }
      case "removed": {
        const skeleton = this.#skeletons.byId("removed", id);
        return {
          ...common,
          status,
          messageJson: skeleton?.json({ status: false, forgottenBy: false }) ?? null,
          reason: removalReason(this.#connection, id, skeleton?.paymentType ?? null),
          removedMicros: skeleton?.endedMicros ?? null,
          sizeBytes: skeleton?.sizeBytes ?? null,
        };
      }
    }
  }

  #ofLive(row: MessageRow): MessageView {
    const { itemHash, receptionMicros, paymentType } = row;
    const messageJson = renderMessage(row);
    if (row.status !== "removing") return { status: "processed", itemHash, receptionMicros, messageJson };
    const reason = removalReason(this.#connection, row.id, paymentType);
    return { status: "removing", itemHash, receptionMicros, messageJson, reason };
  }
}
