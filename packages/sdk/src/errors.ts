import type { JsonValue } from "@twentysix/protocol";

/** What each error carries beside its message, by code. */
export interface SdkErrorDetails {
  /** A parameter that no node could accept; nothing was sent. */
  readonly SDK_INVALID_INPUT: { readonly parameter: string };
  /** No answer came: name resolution, connection, TLS, or a body cut short. `attempts` were made. */
  readonly SDK_NETWORK_ERROR: { readonly url: string; readonly attempts: number };
  /** The node answered with a status that is not a success. `nodeCode` and `nodeMessage` are its own words. */
  readonly SDK_HTTP_ERROR: {
    readonly url: string;
    readonly status: number;
    readonly nodeCode: string | number | null;
    readonly nodeMessage: string | null;
    readonly nodeDetails: JsonValue;
  };
  /** The node answered with success, but not with what the protocol says. */
  readonly SDK_BAD_ANSWER: { readonly url: string; readonly reason: string };
  /** The answer is longer than the caller allows. */
  readonly SDK_ANSWER_TOO_LARGE: { readonly url: string; readonly maxBytes: number };
  readonly SDK_TIMEOUT: { readonly operation: string; readonly timeoutMs: number };
  /** The message is invalid for the network. `errorCode` is null when the node does not tell it. */
  readonly SDK_REJECTED: {
    readonly itemHash: string;
    readonly errorCode: number | null;
    readonly errorName: string | null;
    readonly details: JsonValue;
  };
  /** The message was forgotten or removed; the same bytes can never come back. */
  readonly SDK_GONE: { readonly itemHash: string; readonly status: "forgotten" | "removed" };
  /** The node could hand the message to no network. */
  readonly SDK_NOT_PUBLISHED: { readonly itemHash: string; readonly failed: readonly string[] };
  /** Bytes do not have the name under which they were sent or asked for. */
  readonly SDK_HASH_MISMATCH: { readonly expected: string; readonly actual: string };
  /** A transfer of credits that its sender cannot cover; nothing was sent. */
  readonly SDK_CREDITS_INSUFFICIENT: {
    readonly address: string;
    readonly required: bigint;
    readonly available: bigint;
    /** The difference. */
    readonly missing: bigint;
  };
  /** Another request was made under the same nonce. */
  readonly SDK_NONCE_REUSED: { readonly itemHash: string };
  /** The websocket failed, or was lost again at once, more often than the caller allows. */
  readonly SDK_CONNECTION_LOST: {
    readonly url: string;
    readonly attempts: number;
    readonly closeCode: number | null;
  };
  /** Messages arrived faster than they were taken. */
  readonly SDK_SLOW_CONSUMER: { readonly maxBuffered: number };
}

export type SdkErrorCode = keyof SdkErrorDetails;

/**
 * Every failure of this package. `code` names the rule, `details` carries the inputs, the message says what
 * failed and what to do. An abort by the caller's signal is not an error of this kind: the signal's own reason
 * is thrown.
 */
export class SdkError<Code extends SdkErrorCode = SdkErrorCode> extends Error {
  readonly code: Code;
  readonly details: SdkErrorDetails[Code];

  constructor(code: Code, message: string, details: SdkErrorDetails[Code], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SdkError";
    this.code = code;
    this.details = details;
  }
}

/**
 * True when `error` is an error of this package, of the given code if one is given.
 *
 * @example
 * try {
 *   await client.createPost({ account, type: "note", content: { body: "hi" } });
 * } catch (error) {
 *   if (!isSdkError(error, "SDK_REJECTED")) throw error;
 *   show(error.details.errorCode, error.details.details);
 * }
 */
export function isSdkError<Code extends SdkErrorCode>(error: unknown, code: Code): error is SdkError<Code>;
export function isSdkError(error: unknown): error is SdkError;
export function isSdkError(error: unknown, code?: SdkErrorCode): boolean {
  return error instanceof SdkError && (code === undefined || error.code === code);
}

/** The error of a parameter that cannot be sent. */
export function invalidInput(parameter: string, message: string): SdkError<"SDK_INVALID_INPUT"> {
  return new SdkError("SDK_INVALID_INPUT", message, { parameter });
}
