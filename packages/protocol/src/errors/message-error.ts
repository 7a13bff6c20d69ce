import {
  ERROR_TABLE,
  type ErrorDefinition,
  type ErrorDetails,
  type ErrorName,
  type FormatProblem,
} from "./error-table.ts";

/**
 * Why a message was refused: a plain value, never thrown. `code` and `details` are what APIs serve as
 * `error_code` and `details`.
 */
export type MessageError = { readonly [Name in ErrorName]: NamedError<Name> }[ErrorName];

interface NamedError<Name extends ErrorName> {
  readonly name: Name;
  readonly code: number;
  readonly details: ErrorDetails[Name];
}

export function messageError<Name extends ErrorName>(
  name: Name,
  details: ErrorDetails[Name],
): NamedError<Name> {
  return { name, code: ERROR_TABLE[name].code, details };
}

/** An INVALID_FORMAT error with its problems. */
export function invalidFormat(
  ...problems: readonly (FormatProblem | string)[]
): NamedError<"INVALID_FORMAT"> {
  return messageError("INVALID_FORMAT", { errors: problems });
}

export function isRetryable(error: MessageError): boolean {
  return ERROR_TABLE[error.name].retryable;
}

const NAME_BY_CODE = new Map(
  Object.entries(ERROR_TABLE).map(([name, definition]) => [definition.code, name as ErrorName]),
);

/** The entry of an error code that was stored or served, undefined for an unknown one. */
export function errorOfCode(code: number): (ErrorDefinition & { readonly name: ErrorName }) | undefined {
  const name = NAME_BY_CODE.get(code);
  return name === undefined ? undefined : { name, ...ERROR_TABLE[name] };
}
