/** How deep a chain of causes is followed: a cause can point back at its effect. */
const MAX_CAUSES = 5;

/**
 * An error as a log record shows it: name, message, code, details, stack, and the causes likewise.
 * Anything else that was thrown is shown as its text.
 */
export function serialiseError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "object" ? error : { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code, details } = error as { code?: unknown; details?: unknown };
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(details === undefined ? {} : { details }),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: serialiseError(cause, depth + 1) }),
  };
}
