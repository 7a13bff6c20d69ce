import type { FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";

/** The body, whatever its type says it is; empty when there is none. */
export function bodyBytes(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** @throws ControlError 400 `Body is not valid JSON` */
export function jsonBody(request: FastifyRequest): unknown {
  try {
    return JSON.parse(bodyBytes(request).toString("utf8"));
  } catch {
    throw new ControlError(400, "Body is not valid JSON");
  }
}

export interface SchemaProblem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input?: unknown;
}

/** The list of problems, as older clients read it. */
export function schemaRefusal(problems: readonly SchemaProblem[]): ControlError {
  return new ControlError(400, problems[0]?.msg ?? "the body is not as expected", problems);
}

/** Some routes of the reference answer with the list in a JSON string. */
export function encodedSchemaRefusal(problems: readonly SchemaProblem[]): ControlError {
  const text = JSON.stringify(problems);
  return new ControlError(400, text, { toJSON: () => text });
}
