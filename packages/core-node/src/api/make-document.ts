import swagger from "@fastify/swagger";
import { fastify } from "fastify";
import type { DescribedRoute } from "./http/described-routes.ts";
import { API_DOCUMENT_OPTIONS } from "./openapi.ts";

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * The OpenAPI document of these routes, out of a server of its own that never listens: so what makes it is loaded when
 * somebody asks for it, and not by every node as long as it lives.
 */
export async function makeDocument(routes: readonly DescribedRoute[]): Promise<object> {
  await using server = fastify({ logger: false, exposeHeadRoutes: false });
  await server.register(swagger, API_DOCUMENT_OPTIONS);
  for (const route of routes) server.route({ ...route, handler: (_request, reply) => reply.send() });
  await server.ready();
  return withoutHead(server.swagger() as { readonly paths?: Paths });
}

/** Every GET answers HEAD too; listing them twice would only hide the rest. */
function withoutHead(document: { readonly paths?: Paths }): object {
  const paths = Object.entries(document.paths ?? {}).map(([path, operations]) => [
    path,
    Object.fromEntries(Object.entries(operations).filter(([method]) => method !== "head")),
  ]);
  return { ...document, paths: Object.fromEntries(paths) };
}
