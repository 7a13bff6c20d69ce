import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Fetch } from "@twentysix/sdk";

/** Sends each request over a connection of its own and tells its local port once the answer has come whole. */
export function oneShotFetch(onAnswer: (localPort: number) => void): Fetch {
  return async (url, init) => {
    const body = init.body === undefined || init.body === null ? null : new Response(init.body);
    const headers = new Headers(init.headers);
    const type = body?.headers.get("content-type");
    if (type && !headers.has("content-type")) headers.set("content-type", type);
    const sent = request(url, {
      method: init.method ?? "GET",
      agent: false,
      headers: Object.fromEntries(headers),
    });
    const answered = once(sent, "response");
    sent.end(body === null ? undefined : await body.bytes());
    const [response] = await answered;
    const port = (sent.socket?.address() as AddressInfo | undefined)?.port ?? 0;
    const bytes = await buffer(response);
    onAnswer(port);
    return new Response(bytes, { status: response.statusCode, headers: response.headers });
  };
}
