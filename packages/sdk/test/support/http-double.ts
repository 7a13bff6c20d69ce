import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type WebSocket, WebSocketServer } from "ws";

/** What one request looked like when it had arrived completely. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Text and bytes are sent as they are, everything else as JSON. */
  readonly body?: unknown;
}

/** A reply, or what to do with the connection instead. */
type Handler = (request: Received, response: ServerResponse) => Reply | "destroy" | "hang";

export interface HttpDouble extends AsyncDisposable {
  readonly apiUrl: string;
  readonly requests: readonly Received[];
  /** Sockets that clients opened, oldest first, with the URL that they asked for. */
  readonly sockets: readonly { readonly url: URL; readonly socket: WebSocket }[];
  onSocket(listener: (socket: WebSocket, url: URL) => void): void;
}

/** A real HTTP and websocket server with a scripted node behind it, for what a good node never does. */
export async function startHttpDouble(handler: Handler): Promise<HttpDouble> {
  const requests: Received[] = [];
  const sockets: { url: URL; socket: WebSocket }[] = [];
  let listener: (socket: WebSocket, url: URL) => void = () => {};
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://double");
    const { method = "", headers } = request;
    const received = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body: await buffer(request),
    };
    requests.push(received);
    const reply = handler(received, response);
    if (reply === "destroy") request.socket.destroy();
    else if (reply !== "hang") send(response, reply);
  });
  const webSockets = new WebSocketServer({ server });
  webSockets.on("connection", (socket, request) => {
    const url = new URL(request.url ?? "/", "http://double");
    sockets.push({ url, socket });
    listener(socket, url);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    apiUrl: `http://127.0.0.1:${port}`,
    requests,
    sockets,
    onSocket: (next) => {
      listener = next;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of webSockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { status = 200, headers = {}, body = "" }: Reply): void {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  response.writeHead(status, headers).end(isRaw ? body : JSON.stringify(body));
}
