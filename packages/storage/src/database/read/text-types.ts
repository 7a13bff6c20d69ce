import type { JsonText } from "./types.ts";

/** A part of a text that is too long to be held. Plain data: it may pass between threads. */
export type LongPart =
  | {
      readonly kind: "stored";
      /** The content of a stored or of a queued copy, the message subscriptions of a program, or a name. */
      readonly of: "copy" | "candidate" | "triggers" | "addresses" | "channels" | "labels";
      readonly id: number;
      /** Of the stored object only the value of this member; null: the whole text. */
      readonly member: string | null;
      /** Of the whole text. */
      readonly sizeBytes: number;
    }
  | {
      readonly kind: "aggregate";
      readonly ownerId: number;
      readonly keyId: number;
      /** What it must still be when its last piece is read. */
      readonly version: string;
      readonly sizeBytes: number;
    };

/** JSON text of which some parts are read in pieces (`LongTexts`); joined in order they are the text. */
export interface LongText {
  readonly parts: readonly (JsonText | LongPart)[];
}
export type ItemText = JsonText | LongText;

/** Where the next piece of a long part begins. */
export interface PiecePosition {
  /** Of an aggregate: the field that was begun or ended last. */
  readonly field: string | null;
  /** Bytes of the text, or of the value of the field, that were read; -1: the field is complete. */
  readonly offset: number;
}

/** Bytes of a part in UTF-8; characters may be cut in the middle. `next` is null after the last piece. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly next: PiecePosition | null;
}
