import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
} as const;

/** Names of the files under `static/`; nothing else is ever read by name. */
export const STATIC_FILE_NAMES = ["style.css", "landing.js", "docs.js", "icon.svg"] as const;

export interface StaticFile {
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A file that comes with the node, read once when the API is built. */
export function staticFile(
  name: (typeof STATIC_FILE_NAMES)[number] | "landing.html" | "docs.html",
): StaticFile {
  const body = readFileSync(new URL(`./static/${name}`, import.meta.url));
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 16)}"`;
  const extension = name.slice(name.lastIndexOf(".") + 1) as keyof typeof TYPES;
  return {
    body,
    etag,
    headers: {
      "content-type": TYPES[extension],
      "cache-control": "no-cache",
      etag,
      "content-security-policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  };
}
