import { BlobError, ReadError } from "@twentysix/storage";
import type { FastifyReply, FastifyRequest } from "fastify";
import { PipelineError } from "../../pipeline/errors.ts";
import { ApiError, errorBody } from "../errors.ts";
import type { ApiServices } from "../services.ts";
import { clientClosed } from "./disconnect.ts";
import { JSON_TYPE } from "./json-reply.ts";
import { sendApiError, sendProblems } from "./send-error.ts";

/**
 * Answers what a route threw. Refusals are `ApiError`s and coded errors of the read side; anything else is a
 * defect of this node: counted, logged and answered with 500.
 */
export function handleError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  report: (error: unknown, request: FastifyRequest) => void,
): FastifyReply {
  if (error instanceof ApiError) return sendApiError(reply, error);
  if (error instanceof ReadError) {
    if (error.code === "CURSOR_INVALID") {
      const msg = error.message;
      return sendProblems(reply, [{ type: "cursor_invalid", loc: ["cursor"], msg, input: null }]);
    }
    return sendApiError(reply, refusalOfRead(error));
  }
  const busy = refusalOfNode(error);
  if (busy !== null) return sendApiError(reply, busy);
  const refused = refusalOfFramework(error);
  if (refused !== null) {
    return reply
      .code(refused.status)
      .header("content-type", JSON_TYPE)
      .send(errorBody(refused.status === 414 ? "API_URI_TOO_LONG" : "API_BAD_REQUEST", refused.message));
  }
  // The client went away and the work was stopped by that: nobody is left to answer.
  if (request.raw.socket.destroyed && error instanceof Error && error.name === "AbortError") {
    return sendApiError(reply, clientClosed());
  }
  report(error, request);
  return sendApiError(
    reply,
    new ApiError("API_INTERNAL", "Internal error of this node: it is logged there; try another node"),
  );
}

/** Counts and logs a defect. */
export function createErrorReport(
  services: Pick<ApiServices, "log">,
  count: () => void,
): (error: unknown, request: FastifyRequest) => void {
  return (error, request) => {
    count();
    services.log.error("a request failed unexpectedly", { error, method: request.method, url: request.url });
  };
}

/** A lost reader is replaced: its loss is logged and counted there, and the client may come back. */
function refusalOfRead(error: ReadError): ApiError {
  if (error.code === "ANSWER_TOO_LARGE")
    return new ApiError("API_ANSWER_TOO_LARGE", error.message, error.details);
  const code = error.code === "READ_TIMEOUT" ? "API_READ_TIMEOUT" : "API_OVERLOADED";
  return new ApiError(code, error.message, error.details, { "retry-after": "2" });
}

/** The node cannot take more for now: not the client's fault, and no defect. */
function refusalOfNode(error: unknown): ApiError | null {
  if (error instanceof PipelineError) {
    const isBusy = error.code === "PIPELINE_QUEUE_FULL" || error.code === "PIPELINE_CLOSED";
    return isBusy ? new ApiError("API_OVERLOADED", error.message, {}, { "retry-after": "2" }) : null;
  }
  if (error instanceof BlobError) {
    const isFull = error.code === "BLOB_DISK_BUDGET_EXCEEDED" || error.code === "BLOB_FREE_SPACE_LOW";
    return isFull ? new ApiError("API_STORAGE_FULL", error.message) : null;
  }
  return null;
}

/** Refusals that the HTTP framework itself raises for malformed requests. */
function refusalOfFramework(error: unknown): { status: number; message: string } | null {
  if (!(error instanceof Error) || !("statusCode" in error) || !("code" in error)) return null;
  const { statusCode, code, message } = error;
  if (typeof statusCode !== "number" || typeof code !== "string" || !code.startsWith("FST_")) return null;
  return statusCode >= 400 && statusCode < 500 ? { status: statusCode, message } : null;
}
