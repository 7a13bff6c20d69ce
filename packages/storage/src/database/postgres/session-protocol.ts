import type { MessagePort } from "node:worker_threads";
import type { SqlValue } from "../sql/connection.ts";
import type { WireValue } from "./decode-value.ts";

/** What the thread of a session is started with. */
export interface SessionData {
  readonly url: string;
  /** Shown by the server in its list of sessions. */
  readonly applicationName: string;
  readonly readOnly: boolean;
  /** The session is never replaced by another one. */
  readonly isLasting: boolean;
  /** How long the server works on one statement. */
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly port: MessagePort;
  /** One int32: counts the answers, so that the calling thread can wait for the next. */
  readonly answers: SharedArrayBuffer;
}

export interface WireStatement {
  readonly text: string;
  /** null: a text of one or more statements without parameters, of which nothing is read. */
  readonly values: readonly SqlValue[] | null;
}

/** Statements that are sent together and answered together. */
export type SessionRequest =
  | {
      readonly kind: "run";
      readonly statements: readonly WireStatement[];
      /** They belong to a transaction that an earlier request opened: on a new connection they must not run. */
      readonly isContinued: boolean;
    }
  | { readonly kind: "close" };

export interface WireResult {
  readonly changes: number;
  readonly names: readonly string[];
  /** Object identifiers of the types. */
  readonly types: readonly number[];
  readonly rows: readonly (readonly WireValue[])[];
}

export type SessionAnswer =
  | { readonly kind: "results"; readonly results: readonly WireResult[] }
  /** The first failure; `isOpen` false: the connection is gone, and its transaction with it. */
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly sqlState: string | null;
      readonly isOpen: boolean;
    }
  | { readonly kind: "closed" };
