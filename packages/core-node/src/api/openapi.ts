import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { Type } from "@sinclair/typebox";
import type { RouteDescription } from "./http/route.ts";

/** The body of every error but a 422 of parameters. */
export const ERROR_SCHEMA = Type.Object({
  error: Type.Object({
    code: Type.Union([Type.String(), Type.Integer()]),
    message: Type.String(),
    details: Type.Record(Type.String(), Type.Unknown()),
  }),
});

/** The body of a 422 of parameters. */
export const PROBLEMS_SCHEMA = Type.Array(
  Type.Object({
    type: Type.String(),
    loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
    msg: Type.String(),
    input: Type.Unknown(),
    ctx: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
);

/** How the document is made out of the descriptions that the routes carry. */
export const API_DOCUMENT_OPTIONS: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "Twentysix core channel node",
      description:
        "Messages, files and state of the network, over HTTP. Websockets are described in docs/api.md.",
      version: "1",
    },
  },
  transform: ({ url, route }) => {
    const description = route.config?.description;
    return { url, schema: description === undefined ? { hide: true } : schemaOf(description, url) };
  },
};

function schemaOf(description: RouteDescription, url: string): object {
  const { tag, summary, query, body, consumes, produces = "application/json" } = description;
  const names = [...url.matchAll(/:([a-z_]+)/g)].map((match) => match[1] ?? "");
  const params =
    names.length === 0
      ? {}
      : { params: Type.Object(Object.fromEntries(names.map((name) => [name, Type.String()]))) };
  const parameters =
    query === undefined || Object.keys(query.properties ?? {}).length === 0 ? {} : { querystring: query };
  return {
    tags: [tag],
    summary,
    ...params,
    ...parameters,
    ...(body === undefined ? {} : { body, consumes: [consumes ?? "application/json"] }),
    response: {
      200: {
        description: "Done.",
        content: { [produces]: { schema: description.response ?? Type.Unknown() } },
      },
      422: {
        description: "The request does not fit.",
        content: { "application/json": { schema: PROBLEMS_SCHEMA } },
      },
      default: { description: "Refused.", content: { "application/json": { schema: ERROR_SCHEMA } } },
    },
  };
}
