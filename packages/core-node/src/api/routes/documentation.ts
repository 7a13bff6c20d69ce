import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";
import { staticFile } from "../static-files.ts";

const DOCUMENT = Type.Object({
  openapi: Type.String(),
  info: Type.Object({ title: Type.String(), version: Type.String() }),
  paths: Type.Record(Type.String(), Type.Unknown()),
});

/** The API's description of itself: an OpenAPI 3.1 document, and a page that shows it. */
export function addDocumentationRoutes(api: FastifyInstance, _context: ApiContext): void {
  let document: string | undefined;
  addPlainGet(
    api,
    "/api/openapi.json",
    { cost: "point", tag: "Node", summary: "This description", response: DOCUMENT },
    (request, reply) => {
      document ??= JSON.stringify(withoutHead(api.swagger() as { paths?: Paths }));
      return sendJson(request, reply, document);
    },
  );
  const page = staticFile("docs.html");
  addPlainGet(
    api,
    "/api/docs",
    { cost: "free", tag: "Node", summary: "This description as a page", produces: "text/html" },
    (_request, reply) => reply.headers(page.headers).send(page.body),
  );
}

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Every GET answers HEAD too; listing them twice would only hide the rest. */
function withoutHead(document: { readonly paths?: Paths }): object {
  const paths = Object.entries(document.paths ?? {}).map(([path, operations]) => [
    path,
    Object.fromEntries(Object.entries(operations).filter(([method]) => method !== "head")),
  ]);
  return { ...document, paths: Object.fromEntries(paths) };
}
