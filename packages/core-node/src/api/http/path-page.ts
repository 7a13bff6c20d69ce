import type { FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import { pathValue } from "./route.ts";

/** The page number of a `/page/{page}.json` path: 400 when it is no number, a problem when it is below 1. */
export function pageOfPath(request: FastifyRequest): { page: number } | { problem: ValidationProblem } {
  const written = pathValue(request, "page");
  if (!/^[+-]?[0-9]+$/.test(written)) {
    throw new ApiError("API_INVALID_PATH", "The page in the path is not a whole number: write /page/1.json");
  }
  const page = Math.min(Number(written), Number.MAX_SAFE_INTEGER);
  if (page >= 1) return { page };
  const msg = "Input should be greater than or equal to 1";
  return { problem: { type: "greater_than_equal", loc: ["page"], msg, input: written, ctx: { ge: 1 } } };
}
