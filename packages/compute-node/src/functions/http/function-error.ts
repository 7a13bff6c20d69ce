import type { ServerResponse } from "node:http";
import { ExecutionError, type ExecutionErrorCode } from "../../executions/errors.ts";
import { TransportError } from "../transport/errors.ts";

/** What a visitor of a program is told instead of an answer. Source: aleph-vm `orchestrator/run.py`. */
export class FunctionError extends Error {
  override readonly name = "FunctionError";
  readonly status: number;
  readonly form: "json" | "text" | "reason";
  readonly headers: Readonly<Record<string, string>>;
  /** Beside the text of the reference, in JSON: what went wrong as a word, and what its owner can change. */
  readonly details: { readonly code: string; readonly reason?: string } | null;

  /** `reason`: an empty body, the text stands in the status line. */
  constructor(
    status: number,
    message: string,
    options: ErrorOptions & {
      readonly form?: "json" | "text" | "reason";
      readonly headers?: Readonly<Record<string, string>>;
      readonly details?: { readonly code: string; readonly reason?: string };
    } = {},
  ) {
    super(message, options);
    this.status = status;
    this.form = options.form ?? "json";
    this.headers = options.headers ?? {};
    this.details = options.details ?? null;
  }
}

/** The guest ended, or broke off, before it answered. */
export function noResponse(cause?: unknown): FunctionError {
  return new FunctionError(502, "VM did not respond and was shut down", { form: "text", cause });
}

/** What the guest said is no answer. */
export function invalidResponse(cause?: unknown): FunctionError {
  return new FunctionError(502, "Invalid response from VM", { form: "reason", cause });
}

export function deadlinePassed(): FunctionError {
  return new FunctionError(504, "Program did not respond within `resource.seconds`");
}

/** The program raised an exception; `traceback` is told where this node shows them. */
export function programFailed(traceback: string | null): FunctionError {
  return new FunctionError(500, traceback ?? "Internal Server Error", { form: "text" });
}

const START_TEXTS: Partial<Record<ExecutionErrorCode, readonly [status: number, text: string]>> = {
  IMAGE_DOWNLOAD_FAILED: [400, "Code, runtime or data not available"],
  NO_CAPACITY: [503, "This CRN cannot host the requested workload at this time."],
  REQUIREMENTS_NOT_MET: [503, "This CRN cannot host the requested workload at this time."],
  GUEST_SETUP_FAILED: [500, "Error during vm initialisation"],
  GUEST_INIT_FAILED: [500, "Error during runtime initialisation"],
  NETWORK_FAILED: [500, "Host did not respond to ping"],
};
/** Their own text says to the owner what to change. */
const TOLD_CODES: ReadonlySet<ExecutionErrorCode> = new Set([
  "IMAGE_INVALID",
  "VOLUME_INVALID",
  "UNSUPPORTED",
]);
/** Of no list of executions, since nothing of such a program comes to be here. */
const NEVER_DEFINED: ReadonlySet<ExecutionErrorCode> = new Set(["NO_CAPACITY", "REQUIREMENTS_NOT_MET"]);

/** Why a program could not be started, as visitors are told it. */
export function startFailure(error: unknown): FunctionError {
  if (error instanceof FunctionError) return error;
  if (!(error instanceof ExecutionError)) {
    return new FunctionError(500, "Unhandled error during initialisation", { cause: error });
  }
  const { code, message } = error;
  if (code === "BUSY" || code === "HOST_IMAGES_MISSING") {
    const headers = { "retry-after": "2" };
    return new FunctionError(503, message, { headers, details: { code }, cause: error });
  }
  const [status, text] = START_TEXTS[code] ?? [500, null];
  const told = TOLD_CODES.has(code) ? message : null;
  const details = NEVER_DEFINED.has(code) ? { code, reason: message } : { code };
  return new FunctionError(status, text ?? told ?? "Unhandled error during initialisation", {
    details,
    cause: error,
  });
}

/** Why a running program gave no answer. */
export function requestFailure(error: unknown): FunctionError {
  if (error instanceof FunctionError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "GUEST_STREAMS_EXHAUSTED") {
    return new FunctionError(503, "Too many requests to this program are under way: try again", {
      cause: error,
    });
  }
  if (error instanceof TransportError || code === "ECONNRESET" || code === "EPIPE") return noResponse(error);
  return invalidResponse(error);
}

export function sendFunctionError(response: ServerResponse, error: FunctionError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const [type, body] = renderedBody(error);
  response.writeHead(error.status, error.form === "reason" ? error.message : undefined, {
    ...error.headers,
    ...(type === null ? {} : { "content-type": type }),
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function renderedBody({
  form,
  message,
  details,
}: FunctionError): readonly [type: string | null, body: string] {
  if (form === "reason") return [null, ""];
  if (form === "text") return ["text/plain; charset=utf-8", message];
  return ["application/json; charset=utf-8", JSON.stringify({ error: message, ...details })];
}
