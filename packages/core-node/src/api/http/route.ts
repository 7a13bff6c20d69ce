import type { TSchema } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiErrorCode } from "../errors.ts";
import { type QueryTable, type QueryValues, querySchema, readQuery } from "../query/read-query.ts";
import type { CostClass } from "./rate-limit.ts";
import { sendProblems } from "./send-error.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    readonly description?: RouteDescription;
  }
}

/** What the API description tells of a route. */
export interface RouteDescription {
  readonly tag: string;
  readonly summary: string;
  /** The body of a 200. */
  readonly response?: TSchema;
  /** Media type of the answer, JSON when not said. */
  readonly produces?: string;
  /** The body that it takes, by media type. */
  readonly body?: Readonly<Record<string, TSchema>>;
  readonly query?: TSchema;
  /** Errors beside those of its cost class. */
  readonly refusals?: readonly ApiErrorCode[];
  /** Answers of other statuses; they win over what `refusals` says of the same status. */
  readonly answers?: Readonly<Record<number, DocumentedAnswer>>;
}

export interface DocumentedAnswer {
  readonly description: string;
  readonly schema: TSchema;
}

/** A route whose handler reads its query itself. */
export interface PlainRouteOptions extends RouteDescription {
  readonly cost: CostClass;
}

export interface RouteOptions<Table extends QueryTable> extends Omit<RouteDescription, "query"> {
  readonly cost: CostClass;
  readonly query?: Table;
}

/** One request of a route, its query already read. */
export interface Call<Table extends QueryTable = QueryTable> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly query: QueryValues<Table>;
  /** How the client spelled the parameters that it gave. */
  readonly spelled: ReadonlyMap<keyof Table, string>;
}

export type Handler<Table extends QueryTable> = (call: Call<Table>) => FastifyReply | Promise<FastifyReply>;

/** Registers a GET route, which answers HEAD too. A query that does not fit is answered with 422. */
export function addGet<Table extends QueryTable>(
  api: FastifyInstance,
  path: string,
  { cost, query, ...description }: RouteOptions<Table>,
  handle: Handler<Table>,
): void {
  const table = query ?? ({} as Table);
  api.route({
    method: ["GET", "HEAD"],
    url: path,
    config: { cost, description: { ...description, query: querySchema(table) } },
    handler: (request, reply) => {
      const reading = readQuery(table, queryTextOf(request));
      if (!reading.ok) return sendProblems(reply, reading.problems);
      return handle({ request, reply, query: reading.values, spelled: reading.spelled });
    },
  });
}

/** Registers a GET route of which nothing of the query is looked at, unless by its handler. */
export function addPlainGet(
  api: FastifyInstance,
  path: string,
  { cost, ...description }: PlainRouteOptions,
  handle: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  api.route({
    method: ["GET", "HEAD"],
    url: path,
    config: { cost, description },
    handler: handle,
  });
}

/** Registers a POST route. The handler reads the body itself: each has its own limit. */
export function addPost(
  api: FastifyInstance,
  path: string,
  { cost, ...description }: PlainRouteOptions,
  handle: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  api.route({ method: "POST", url: path, config: { cost, description }, handler: handle });
}

/** The query of a request as it was sent, without the question mark. */
export function queryTextOf(request: FastifyRequest): string {
  const { url } = request;
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}

/** A path variable, decoded. */
export function pathValue(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? "";
}
