import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { type TSchema, Type } from "@sinclair/typebox";
import { documentedAnswers } from "./document-answers.ts";
import type { CostClass } from "./http/rate-limit.ts";
import type { RouteDescription } from "./http/route.ts";

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
  // Only the document gets these schemas: a route that carried them would have Fastify rewrite its answers.
  transform: ({ url, route }) => {
    const { description, cost = "free" } = route.config ?? {};
    return { url, schema: description === undefined ? { hide: true } : schemaOf(description, cost, url) };
  },
};

function schemaOf(description: RouteDescription, cost: CostClass, url: string): object {
  const { tag, summary, query, body } = description;
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
    ...(body === undefined ? {} : { body: { content: contentOf(body) } }),
    response: documentedAnswers(description, cost),
  };
}

function contentOf(body: Readonly<Record<string, TSchema>>): object {
  return Object.fromEntries(Object.entries(body).map(([mediaType, schema]) => [mediaType, { schema }]));
}
