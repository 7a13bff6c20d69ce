import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { isUnchanged, sendUnchanged } from "../http/conditional.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";
import { NODE_FACTS } from "../schemas/node.ts";
import { STATIC_FILE_NAMES, type StaticFile, staticFile } from "../static-files.ts";

/** The landing page, its assets and what it shows. */
export function addPageRoutes(api: FastifyInstance, { services }: ApiContext): void {
  addStaticFile(api, "/", staticFile("landing.html"), "The landing page of this node");
  for (const name of STATIC_FILE_NAMES) {
    addStaticFile(api, `/static/${name}`, staticFile(name), "An asset of the pages");
  }
  addPlainGet(
    api,
    "/api/v1/node",
    {
      cost: "point",
      tag: "Node",
      summary: "What this node is: version, network, address, figures",
      response: NODE_FACTS,
    },
    async (request, reply) => {
      const { version, network, address } = services.node;
      const addresses = services.node.multiAddresses();
      const { messages, pendingMessages, peers, filePins } = await services.status();
      const facts = { version, network, address, addresses, messages, pendingMessages, peers, filePins };
      return sendJson(request, reply, JSON.stringify(facts));
    },
  );
}

function addStaticFile(api: FastifyInstance, path: string, file: StaticFile, summary: string): void {
  const produces = file.headers["content-type"]?.split(";")[0] ?? "text/html";
  addPlainGet(api, path, { cost: "free", tag: "Pages", summary, produces }, (request, reply) => {
    reply.headers(file.headers);
    return isUnchanged(request, file.etag) ? sendUnchanged(reply) : reply.send(file.body);
  });
}
