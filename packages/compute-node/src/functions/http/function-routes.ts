import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { FunctionFront } from "./function-front.ts";
import { responseOn } from "./proxy-upgrade.ts";
import { claim } from "./request-target.ts";

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Lets programs answer what is for them: `/vm/HASH…`, and everything under their own host names, whatever routes the node
 * has. Nothing of such a request is read or changed by the server; hooks of the root see it as one to `/vm/`.
 */
export function registerFunctionRoutes(app: FastifyInstance, front: FunctionFront): void {
  app.server.prependListener("request", (request: IncomingMessage) => {
    if (front.read(request).kind !== "none") claim(request);
  });
  for (const method of METHODS) {
    if (method !== "CONNECT" && !app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  for (const url of ["/vm", "/vm/*"]) {
    app.route({
      method: app.supportedMethods,
      url,
      onRequest: async (request, reply) => {
        reply.hijack();
        const isOurs = await front.handle(request.raw, reply.raw);
        if (!isOurs) sendNotFound(reply.raw);
      },
      handler: () => {},
    });
  }
  app.addHook("onReady", async () => takeUpgrades(app, front));
}

/** Upgrades are an event of the server: those of other parts get only what is not for a program. */
function takeUpgrades(app: FastifyInstance, front: FunctionFront): void {
  const others = app.server.listeners("upgrade") as UpgradeListener[];
  app.server.removeAllListeners("upgrade");
  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (front.read(request).kind === "none") {
      for (const listener of others) listener.call(app.server, request, socket, head);
      if (others.length === 0) sendNotFound(responseOn(request, socket));
      return;
    }
    front
      .upgrade(request, socket, head)
      .then((isOurs) => {
        if (!isOurs) sendNotFound(responseOn(request, socket));
      })
      .catch((error: unknown) => {
        app.log.error(error);
        socket.destroy();
      });
  });
}

function sendNotFound(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "application/json; charset=utf-8", connection: "close" });
  response.end(JSON.stringify({ error: "404: Not Found" }));
}
