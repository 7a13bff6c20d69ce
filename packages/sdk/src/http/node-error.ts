import { decodeUtf8, isJsonObject, type JsonValue, memberOf, parseJson } from "@twentysix/protocol";
import { SdkError } from "../errors.ts";

/** What an unsuccessful answer says of itself. */
export interface NodeError {
  readonly code: string | number | null;
  readonly message: string | null;
  readonly details: JsonValue;
  /** The decoded body; null when it is not JSON. */
  readonly body: JsonValue;
}

const MAX_MESSAGE_CHARACTERS = 1000;

/**
 * Reads the three forms of an error body: `{"error":{"code","message","details"}}`, the array of a failed
 * validation, and plain text.
 */
export function readNodeError(bytes: Uint8Array): NodeError {
  const text = decodeUtf8(bytes) ?? "";
  const parsed = parseJson(text);
  if (!parsed.ok) return { code: null, message: shorten(text), details: null, body: null };
  const body = parsed.value;
  if (Array.isArray(body)) return { code: null, message: describeProblems(body), details: body, body };
  if (!isJsonObject(body)) return { code: null, message: shorten(text), details: null, body };
  const error = memberOf(body, "error");
  if (!isJsonObject(error)) return { code: null, message: shorten(text), details: body, body };
  const code = memberOf(error, "code");
  const message = memberOf(error, "message");
  return {
    code: typeof code === "string" || typeof code === "number" ? code : null,
    message: typeof message === "string" ? shorten(message) : null,
    details: memberOf(body, "details") ?? memberOf(error, "details") ?? null,
    body,
  };
}

export function httpError(url: string, status: number, nodeError: NodeError): SdkError<"SDK_HTTP_ERROR"> {
  const said = nodeError.message === null ? "" : `: ${nodeError.message}`;
  return new SdkError("SDK_HTTP_ERROR", `${url} answers ${status}${said}; ${adviceFor(status)}`, {
    url,
    status,
    nodeCode: nodeError.code,
    nodeMessage: nodeError.message,
    nodeDetails: nodeError.details,
  });
}

function adviceFor(status: number): string {
  if (status === 402) return "top up the balance of the account that pays";
  if (status === 403) return "check the signature, or ask a node that offers this";
  if (status === 404 || status === 405) return "check the address, or ask another node";
  if (status === 410) return "it is gone for good";
  if (status === 413) return "send less";
  if (status === 422 || status === 400) return "correct the request";
  if (status === 429) return "slow down";
  return "try again later or ask another node";
}

function describeProblems(problems: readonly JsonValue[]): string | null {
  const texts = problems.map((problem) => {
    if (!isJsonObject(problem)) return String(problem);
    const loc = memberOf(problem, "loc");
    const where = Array.isArray(loc) ? `${loc.join(".")}: ` : "";
    return `${where}${String(memberOf(problem, "msg") ?? "invalid")}`;
  });
  return shorten(texts.join("; "));
}

function shorten(text: string): string | null {
  return text === "" ? null : text.slice(0, MAX_MESSAGE_CHARACTERS);
}
