import { extname } from "node:path";

/** Types that browsers have to be told; others are found out by their first bytes. Source: IANA media types. */
const BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".htm", "text/html; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".json", "application/json"],
  [".map", "application/json"],
  [".webmanifest", "application/manifest+json"],
  [".svg", "image/svg+xml"],
  [".ico", "image/x-icon"],
  [".xml", "application/xml"],
  [".txt", "text/plain; charset=utf-8"],
  [".md", "text/markdown; charset=utf-8"],
  [".csv", "text/csv; charset=utf-8"],
  [".woff", "font/woff"],
  [".woff2", "font/woff2"],
  [".ttf", "font/ttf"],
  [".otf", "font/otf"],
]);

/** The media type that the name of a file tells; null: none. */
export function mediaTypeOf(path: string): string | null {
  return BY_EXTENSION.get(extname(path).toLowerCase()) ?? null;
}
