import { type Logger, PlatformError, type PlatformErrorCode } from "@twentysix/platform";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ExecutionError, type ExecutionErrorCode } from "../../executions/errors.ts";
import { CoreNodesError } from "../../messages/errors.ts";
import { PaymentError } from "../../payments/errors.ts";
import { ControlError } from "../errors.ts";
import { InstanceServiceError, type InstanceServiceErrorCode } from "../instance-services.ts";

const EXECUTION_STATUS: Readonly<Record<ExecutionErrorCode, number>> = {
  NO_CAPACITY: 503,
  BUSY: 409,
  NOT_FOUND: 404,
  REQUIREMENTS_NOT_MET: 400,
  IMAGE_DOWNLOAD_FAILED: 502,
  IMAGE_INVALID: 400,
  HOST_IMAGES_MISSING: 503,
  VOLUME_INVALID: 400,
  NETWORK_FAILED: 500,
  HYPERVISOR_FAILED: 500,
  GUEST_INIT_FAILED: 500,
  GUEST_SETUP_FAILED: 500,
  INVALID_STATE: 409,
  UNSUPPORTED: 400,
};

const SERVICE_STATUS: Readonly<Record<InstanceServiceErrorCode, number>> = {
  NOT_RUNNING: 400,
  NOT_SUPPORTED: 400,
  NO_DISK: 400,
  IMAGE_INVALID: 400,
  TOO_LARGE: 413,
  NO_ROOM: 507,
  BUSY: 409,
  TOKEN_INVALID: 401,
  NOT_FOUND: 404,
  NOT_EXPORTED: 409,
  DOWNLOAD_RUNNING: 409,
  REQUEST_INVALID: 400,
};

/** The node has too much to do, or what it asked was too slow: the same request may succeed later. */
const PLATFORM_STATUS: Readonly<Record<PlatformErrorCode, number>> = {
  TIMEOUT: 504,
  QUEUE_CLOSED: 503,
  QUEUE_WAITERS_EXCEEDED: 503,
  SEMAPHORE_WAITERS_EXCEEDED: 503,
};
const RETRY_SECONDS = "5";

/** Answers what a route threw: `{"error": text}` with its status; defects are logged and answered with 500. */
export function handleError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  if (error instanceof ControlError) return sendControlError(reply, error);
  if (error instanceof ExecutionError) return sendError(reply, EXECUTION_STATUS[error.code], error.message);
  if (error instanceof InstanceServiceError) {
    return sendError(reply, SERVICE_STATUS[error.code], error.message);
  }
  if (error instanceof CoreNodesError) {
    return sendError(reply, error.code === "NOT_FOUND" ? 404 : 503, error.message);
  }
  if (error instanceof PaymentError) {
    return sendError(reply, error.code === "PAYMENT_MISSING" ? 402 : 400, error.message);
  }
  if (error instanceof PlatformError) {
    return sendError(reply.header("retry-after", RETRY_SECONDS), PLATFORM_STATUS[error.code], error.message);
  }
  const framework = frameworkStatus(error);
  if (framework !== null) return sendError(reply, framework.status, framework.message);
  log.error("a request failed unexpectedly", { error, method: request.method, url: request.url });
  const text = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : typeof error;
  return reply.code(500).send({ error: text, error_type: `<class '${name}'>` });
}

function sendControlError(reply: FastifyReply, { status, message, body }: ControlError): FastifyReply {
  if (typeof body === "string") return reply.code(status).type("application/octet-stream").send(body);
  if (body === null) return sendError(reply, status, message);
  return reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(body));
}

export function sendError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify({ error: message }));
}

function frameworkStatus(error: unknown): { readonly status: number; readonly message: string } | null {
  if (!(error instanceof Error) || !("statusCode" in error)) return null;
  const { statusCode, message } = error;
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) return null;
  return { status: statusCode, message };
}
