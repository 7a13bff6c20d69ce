import type { Socket } from "node:net";
import type { Logger } from "@twentysix/platform";
import { API_ERRORS, type ApiErrorCode, errorBody } from "../errors.ts";

const REFUSALS: Readonly<Record<string, { code: ApiErrorCode; message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    code: "API_HEADERS_TOO_LARGE",
    message: "The request line and headers are too large",
  },
  ERR_HTTP_REQUEST_TIMEOUT: { code: "API_BODY_TIMEOUT", message: "The headers did not arrive in time" },
};

/** Answers what is not HTTP, or too large or too slow to become a request, and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, log: Logger): void {
  // The client is gone already.
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  log.debug("not a request", { error });
  const { code, message } = REFUSALS[error.code ?? ""] ?? {
    code: "API_BAD_REQUEST",
    message: "This is not a valid HTTP/1.1 request",
  };
  const body = errorBody(code, message);
  socket.end(
    `HTTP/1.1 ${API_ERRORS[code]} Refused\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
