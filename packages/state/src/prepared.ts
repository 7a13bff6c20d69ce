import type { Envelope } from "@twentysix/protocol";

/** A reference from a VM to the STORE message of a file. */
export interface VmReference {
  /** Item hash of the STORE message. */
  readonly hash: string;
  readonly kind: string;
  /** The file that the tag points to now, instead of the file of that very message. */
  readonly useLatest: boolean;
}

/** A volume that must be at least as large as its parent file. */
export interface SizedVolume {
  readonly name: string | null;
  readonly parent: VmReference;
  readonly sizeBytes: bigint;
}

export interface PostDetail {
  readonly kind: "POST";
  /** Item hash of the original when this is an amend, else null. */
  readonly amends: string | null;
}

export interface AggregateDetail {
  readonly kind: "AGGREGATE";
  readonly key: string;
  /** Top-level fields and the raw JSON text of their values, last duplicate only. */
  readonly fields: readonly (readonly [name: string, valueText: string])[];
}

export interface StoreDetail {
  readonly kind: "STORE";
  readonly fileHash: string;
  readonly engine: "storage" | "ipfs";
}

export interface VmDetail {
  readonly kind: "PROGRAM" | "INSTANCE" | "V-PROGRAM";
  readonly allowAmend: boolean;
  readonly replaces: string | null;
  readonly references: readonly VmReference[];
  readonly sizedVolumes: readonly SizedVolume[];
  /** JSON text of `on.message`, when the program subscribes to messages. */
  readonly triggers: string | null;
}

export interface ForgetDetail {
  readonly kind: "FORGET";
  readonly hashes: readonly string[];
  readonly aggregates: readonly string[];
}

export type ContentDetail = PostDetail | AggregateDetail | StoreDetail | VmDetail | ForgetDetail;

/** What the rules need to know of a content, extracted once, before the writer's transaction. */
export interface PreparedContent {
  /** `content.address`, exact case. */
  readonly owner: string;
  readonly timeMicros: bigint;
  /** POST type, aggregate key or program type. */
  readonly label: string | null;
  readonly ref: string | null;
  readonly paymentType: string | null;
  readonly tags: readonly string[];
  /** Characters of an inline content, bytes of another. */
  readonly size: number;
  readonly sizeBytes: number;
  readonly detail: ContentDetail;
}

/** A well-formed, correctly signed message whose content is known. */
export interface PreparedMessage {
  readonly envelope: Envelope;
  /** Exact text as received. */
  readonly envelopeText: string;
  /** Content text when it is not inline. */
  readonly contentText: string | null;
  readonly content: PreparedContent;
  /** Canonical text of the signature: equal for two encodings of the same one. */
  readonly signatureId: string;
}
