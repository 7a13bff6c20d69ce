import type { FastifyReply, FastifyRequest } from "fastify";
import { queryTextOf } from "./route.ts";

/** Adds `Link: <...>; rel="next"`: the same request with another page, cursor or other parameters (null: without). */
export function linkNext(
  request: FastifyRequest,
  reply: FastifyReply,
  next:
    | { readonly page: number }
    | { readonly cursor: string }
    | { readonly parameters: Readonly<Record<string, string | null>> },
): void {
  let path = request.url.split("?", 1)[0] ?? "";
  const query = new URLSearchParams(queryTextOf(request));
  if ("parameters" in next) {
    for (const [name, value] of Object.entries(next.parameters))
      if (value === null) query.delete(name);
      else query.set(name, value);
  } else if ("cursor" in next) query.set("cursor", next.cursor);
  else if (/\/page\/[^/]+\.json$/.test(path)) path = path.replace(/[^/]+\.json$/, `${next.page}.json`);
  else query.set("page", String(next.page));
  const text = query.toString();
  reply.header("link", `<${path}${text === "" ? "" : `?${text}`}>; rel="next"`);
}
