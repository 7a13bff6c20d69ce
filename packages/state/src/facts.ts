import type { Chain, ItemType, MessageType } from "@twentysix/protocol";

/** Where an item stands. `removing` and `removed` depend on balances and leave the state root alone. */
export type ItemStatus = "pending" | "processed" | "rejected" | "forgotten" | "removing" | "removed";

/** A point in the canonical order: content time, then item hash. */
export interface Version {
  readonly timeMicros: bigint;
  readonly hash: string;
}

/** What is kept of an applied message beside its texts. */
export interface LiveMessage {
  readonly type: MessageType;
  readonly chain: Chain;
  readonly sender: string;
  readonly owner: string;
  readonly channel: string | null;
  readonly label: string | null;
  readonly ref: string | null;
  /** File hash of a STORE. */
  readonly contentHash: string | null;
  readonly itemType: ItemType;
  readonly paymentType: string | null;
  readonly timeMicros: bigint;
  readonly contentTimeMicros: bigint;
  readonly size: number;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
}

/** What is kept of a forgotten message: nothing of its content but what later rules must know. */
export interface ForgottenMessage {
  readonly type: MessageType;
  readonly chain: Chain;
  readonly sender: string;
  readonly owner: string;
  readonly channel: string | null;
  readonly label: string | null;
  readonly itemType: ItemType;
  readonly paymentType: string;
  readonly signature: string | null;
  readonly timeMicros: bigint;
  readonly contentTimeMicros: bigint;
  /** File size for a STORE (0 when its file was never held), content size for the others. */
  readonly size: number;
  /** File hash of a STORE, so that what references it can be judged. */
  readonly contentHash: string | null;
  /** The original whose forgetting takes this message along (of an amend or of a VM update). */
  readonly parent: string | null;
  /** It revised something: an amend, a STORE with `ref`, a VM with `replaces`. */
  readonly revises: boolean;
  /**
   * Date of the FORGET that counts, the first in canonical order: its envelope time as in the reference, its
   * signed content time under canonical order. null for what only went with its parent.
   */
  readonly forgottenMicros: bigint | null;
}

/** A message that was removed because nobody paid for it. What it says stays part of the state. */
export interface RemovedMessage {
  readonly message: LiveMessage;
  readonly removedMicros: bigint;
  /** Bytes of the file of a STORE, else of the content. */
  readonly sizeBytes: number;
}

export interface ItemFact {
  readonly status: ItemStatus;
  readonly receptionMicros: bigint;
  readonly live: LiveMessage | null;
  readonly forgotten: ForgottenMessage | null;
  /** Given for what was removed. */
  readonly removed?: RemovedMessage;
}

/** One valid copy of an applied message. */
export interface CopyFact {
  readonly envelopeText: string;
  readonly contentText: string | null;
  readonly served: boolean;
}

export interface PostFact {
  readonly owner: string;
  readonly type: string;
  readonly channel: string | null;
  readonly ref: string | null;
  readonly createdMicros: bigint;
  /** The version shown. */
  readonly current: Version;
  /** The newest version that has tags, or the original. */
  readonly tagged: Version;
}

export interface AmendFact extends Version {
  readonly target: string;
  readonly hasTags: boolean;
}

export interface AggregateFact {
  readonly first: Version;
  readonly last: Version;
}

export interface FieldFact extends Version {
  readonly valueText: string;
}

export interface ElementFact extends Version {
  readonly fields: readonly (readonly [name: string, valueText: string])[];
}

/** One element of a `security` aggregate that sets `authorizations`. */
export interface SecurityElement extends Version {
  /** Raw JSON text of the `authorizations` value. */
  readonly authorizationsText: string;
}

export interface FileFact {
  readonly sizeBytes: number;
  readonly type: "file" | "dir";
}

export interface TagFact extends Version {
  readonly owner: string;
  readonly fileHash: string;
}

/** A pin made by a STORE message or by the content of a message that is not inline. */
export interface PinFact {
  readonly kind: "content" | "message";
  readonly fileHash: string;
  readonly owner: string;
  readonly ref: string | null;
  readonly tag: string | null;
  readonly createdMicros: bigint;
}

export interface VmFact {
  readonly type: MessageType;
  readonly owner: string;
  /** The deployment that this is a version of: itself unless it replaces another. */
  readonly original: string;
  readonly allowAmend: boolean;
  readonly createdMicros: bigint;
  readonly triggers: string | null;
  readonly references: readonly { readonly hash: string; readonly kind: string }[];
}

/** The exact texts of a copy; `contentText` is for a content that is not inline and known. */
export interface CopyTexts {
  readonly envelopeText: string;
  readonly contentText: string | null;
}

/** A copy that is queued, waiting or given up. */
export interface CandidateFact extends CopyTexts {
  /** Hidden behind a FORGET that may yet be taken back. */
  readonly retained: boolean;
}

/** What a scoring POST says of one node. */
export interface NodeMeasurement {
  readonly kind: "core" | "compute";
  readonly nodeId: string;
  readonly measuredMicros: bigint;
  /** JSON object of the columns that are served. */
  readonly metricsText: string;
}

/** Compares two points of the canonical order. */
export function compareVersions(a: Version, b: Version): number {
  if (a.timeMicros !== b.timeMicros) return a.timeMicros < b.timeMicros ? -1 : 1;
  if (a.hash === b.hash) return 0;
  return a.hash < b.hash ? -1 : 1;
}
