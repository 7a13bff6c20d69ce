import type { JsonValue } from "../json/json-value.ts";

/**
 * One problem of a message that is not well-formed. `loc` is the path from the envelope (`["content","time"]`).
 *
 * Clients read `loc` and `msg`. Source: pyaleph `src/aleph/types/message_status.py`.
 */
export interface FormatProblem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  /** The offending value, left out when it is large. */
  readonly input?: JsonValue;
}

export interface VolumeTooSmall {
  /** `rootfs` for the root file system, the text `None` for a volume without a name. */
  readonly volume_name: string;
  readonly parent_ref: string;
  readonly parent_file: string;
  /** Bytes. */
  readonly parent_size: number;
  /** Bytes. */
  readonly volume_size: number;
}

export type ForgetTarget = { readonly message: string } | { readonly aggregate: string };

/** What helps to find out what was signed by mistake. Beside the texts that the network gives; clients may miss it. */
export interface SignatureWhy {
  readonly reason: string;
  readonly recovered_address?: string;
  readonly expected_address?: string;
  /** The exact text that must be signed. */
  readonly buffer?: string;
}

type Errors<Element> = { readonly errors: readonly Element[] };

/** The `details` of a rejected message, by the name of its error. */
export interface ErrorDetails {
  readonly INTERNAL_ERROR: Errors<string> | null;
  /** Of this program alone, and never final. */
  readonly SIGNATURE_UNDECIDED: Errors<string>;
  readonly INVALID_FORMAT: Errors<FormatProblem | string>;
  readonly INVALID_SIGNATURE: Errors<string> & { readonly why?: SignatureWhy };
  readonly PERMISSION_DENIED: Errors<string>;
  readonly CONTENT_UNAVAILABLE: Errors<string>;
  readonly FILE_UNAVAILABLE: Errors<string>;
  /** Decimal texts. */
  readonly BALANCE_INSUFFICIENT: Errors<{
    readonly required_balance: string;
    readonly account_balance: string;
  }>;
  /** Decimal texts. */
  readonly CREDIT_INSUFFICIENT: Errors<{
    readonly required_credits: string;
    readonly account_credits: string;
    readonly min_runtime_days: number;
  }>;
  readonly POST_AMEND_NO_TARGET: null;
  readonly POST_AMEND_TARGET_NOT_FOUND: null;
  readonly POST_AMEND_AMEND: null;
  readonly STORE_REF_NOT_FOUND: Errors<string>;
  readonly STORE_UPDATE_UPDATE: null;
  readonly INVALID_PAYMENT_METHOD: null;
  readonly VM_REF_NOT_FOUND: Errors<string>;
  /** The refs that are missing, without order. */
  readonly VM_VOLUME_NOT_FOUND: Errors<string>;
  readonly VM_AMEND_NOT_ALLOWED: null;
  readonly VM_UPDATE_UPDATE: null;
  readonly VM_VOLUME_TOO_SMALL: Errors<VolumeTooSmall>;
  readonly FORGET_NO_TARGET: null;
  readonly FORGET_TARGET_NOT_FOUND: Errors<ForgetTarget>;
  readonly FORGET_FORGET: Errors<{ readonly message: string }>;
  readonly FORGET_NOT_ALLOWED: Errors<string>;
  readonly FORGOTTEN_DUPLICATE: null;
}

export type ErrorName = keyof ErrorDetails;

export interface ErrorDefinition {
  /** The number that APIs give as `error_code`. */
  readonly code: number;
  /** The message is tried again until its attempts are used up. */
  readonly retryable: boolean;
  readonly text: string;
}

function define(code: number, retryable: boolean, text: string): ErrorDefinition {
  return { code, retryable, text };
}

/** Every way a message can fail. Source: pyaleph `src/aleph/types/message_status.py`. */
export const ERROR_TABLE: Readonly<Record<ErrorName, ErrorDefinition>> = {
  INTERNAL_ERROR: define(-1, true, "Internal error"),
  SIGNATURE_UNDECIDED: define(
    -2,
    true,
    "The chain of the sender has not said yet whether its contract accepts the signature",
  ),
  INVALID_FORMAT: define(0, false, "Invalid message format"),
  INVALID_SIGNATURE: define(1, false, "Invalid signature"),
  PERMISSION_DENIED: define(2, false, "Permission denied"),
  CONTENT_UNAVAILABLE: define(3, true, "Message content unavailable"),
  FILE_UNAVAILABLE: define(4, true, "File unavailable"),
  BALANCE_INSUFFICIENT: define(5, false, "Insufficient balance"),
  CREDIT_INSUFFICIENT: define(6, false, "Insufficient credit"),
  POST_AMEND_NO_TARGET: define(100, false, "Amend post ref field is empty"),
  POST_AMEND_TARGET_NOT_FOUND: define(101, true, "Cannot find original ref of amend post"),
  POST_AMEND_AMEND: define(102, false, "Amend post cannot amend another amend"),
  STORE_REF_NOT_FOUND: define(200, true, "Store reference not found"),
  STORE_UPDATE_UPDATE: define(201, false, "Store update not targeting the original version of the file"),
  INVALID_PAYMENT_METHOD: define(202, false, "Messages with non-credit payment types are no longer allowed"),
  VM_REF_NOT_FOUND: define(300, true, "Program reference not found"),
  VM_VOLUME_NOT_FOUND: define(301, true, "Program volume reference(s) not found"),
  VM_AMEND_NOT_ALLOWED: define(302, false, "Program update not allowed"),
  VM_UPDATE_UPDATE: define(303, false, "Program update not targeting the original version of the program"),
  VM_VOLUME_TOO_SMALL: define(304, false, "VM volume parent is larger than the child volume"),
  FORGET_NO_TARGET: define(500, false, "No FORGET target specified"),
  FORGET_TARGET_NOT_FOUND: define(501, true, "FORGET target not found"),
  FORGET_FORGET: define(502, false, "Cannot forget a FORGET message"),
  FORGET_NOT_ALLOWED: define(503, false, "Cannot forget a used message"),
  FORGOTTEN_DUPLICATE: define(504, false, "Cannot process a forgotten message"),
};
