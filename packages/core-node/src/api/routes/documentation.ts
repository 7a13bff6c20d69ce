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
  let document: Promise<string> | undefined;
  addPlainGet(
    api,
    "/api/openapi.json",
    { cost: "point", tag: "Node", summary: "This description", response: DOCUMENT },
    async (request, reply) => {
      document ??= describe(api);
      return sendJson(request, reply, await document);
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

/** Loaded for whoever asks first. */
async function describe({ describedRoutes }: FastifyInstance): Promise<string> {
  const { makeDocument } = await import("../make-document.ts");
  return JSON.stringify(await makeDocument(describedRoutes));
}
