import type { FastifyReply } from "fastify";
import { API_ERRORS, type ApiError, type ApiErrorCode, errorBody } from "../errors.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import { JSON_TYPE } from "./json-reply.ts";

/** Answers a refusal without the cost of an exception: for the routes that are asked most. */
export function sendRefusal(reply: FastifyReply, code: ApiErrorCode, message: string): FastifyReply {
  return reply.code(API_ERRORS[code]).header("content-type", JSON_TYPE).send(errorBody(code, message));
}

const DESCRIPTIVE_HEADERS = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-range",
  "etag",
];

export function sendApiError(reply: FastifyReply, error: ApiError): FastifyReply {
  // A route that found out late had begun to describe what it does not send now.
  for (const name of DESCRIPTIVE_HEADERS) reply.removeHeader(name);
  return reply
    .code(error.status)
    .headers(error.headers)
    .header("content-type", JSON_TYPE)
    .send(errorBody(error.code, error.message, error.details));
}

/** Answers 422 with the array of problems that clients expect. */
export function sendProblems(reply: FastifyReply, problems: readonly ValidationProblem[]): FastifyReply {
  return reply.code(422).header("content-type", JSON_TYPE).send(JSON.stringify(problems));
}
