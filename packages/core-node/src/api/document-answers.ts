import { type TSchema, Type } from "@sinclair/typebox";
import { API_ERRORS, type ApiErrorCode } from "./errors.ts";
import type { CostClass } from "./http/rate-limit.ts";
import type { RouteDescription } from "./http/route.ts";
import { ERROR_SCHEMA, PROBLEMS_SCHEMA } from "./schemas/errors.ts";

/** What any route of a class may answer, whatever it is asked. */
const REFUSALS_OF_COST: Partial<Record<CostClass, readonly ApiErrorCode[]>> = {
  point: ["API_RATE_LIMITED"],
  list: ["API_RATE_LIMITED", "API_ANSWER_TOO_LARGE", "API_OVERLOADED", "API_READ_TIMEOUT"],
  write: [
    "API_RATE_LIMITED",
    "API_BODY_TIMEOUT",
    "API_BODY_TOO_LARGE",
    "API_OVERLOADED",
    "API_READ_ONLY",
    "API_STORAGE_FULL",
  ],
  upload: [
    "API_RATE_LIMITED",
    "API_BODY_TIMEOUT",
    "API_BODY_TOO_LARGE",
    "API_OVERLOADED",
    "API_READ_ONLY",
    "API_STORAGE_FULL",
    "API_GRACE_PERIOD_FULL",
  ],
};

interface ResponseObject {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

/** The answers of a route by status, as an OpenAPI document holds them. */
export function documentedAnswers(
  description: RouteDescription,
  cost: CostClass,
): Record<string, ResponseObject> {
  const { produces = "application/json", response = Type.Unknown(), answers = {} } = description;
  const responses: Record<string, ResponseObject> = {
    200: { description: "Done.", content: { [produces]: { schema: response } } },
    ...refusals(description, cost),
    default: json("Any other refusal.", ERROR_SCHEMA),
  };
  for (const [status, answer] of Object.entries(answers)) {
    responses[status] = json(answer.description, answer.schema);
  }
  return responses;
}

function refusals(
  { query, body, refusals: own = [] }: RouteDescription,
  cost: CostClass,
): Record<string, ResponseObject> {
  const codesOf = new Map<number, Set<ApiErrorCode>>();
  for (const code of [...(REFUSALS_OF_COST[cost] ?? []), ...own]) {
    const status = API_ERRORS[code];
    codesOf.set(status, (codesOf.get(status) ?? new Set()).add(code));
  }
  const responses: Record<string, ResponseObject> = {};
  for (const [status, codes] of codesOf) responses[status] = json([...codes].join(", "), ERROR_SCHEMA);
  // A query or a body that does not fit is told as a list of problems.
  const takesQuery = Object.keys(query?.properties ?? {}).length > 0;
  if (!takesQuery && body === undefined) return responses;
  const codes = [...(codesOf.get(422) ?? [])];
  responses[422] =
    codes.length === 0
      ? json("The request does not fit.", PROBLEMS_SCHEMA)
      : json(`The request does not fit, or ${codes.join(", ")}`, Type.Union([PROBLEMS_SCHEMA, ERROR_SCHEMA]));
  return responses;
}

function json(description: string, schema: TSchema): ResponseObject {
  return { description, content: { "application/json": { schema } } };
}
