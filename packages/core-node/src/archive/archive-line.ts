import { isJsonObject, type JsonObject, parseJson } from "@twentysix/protocol";
import type { Skeleton } from "@twentysix/state";
import { readExchangeLine } from "./exchange-line.ts";
import { FILE_KEY, type FilePart, readFilePart } from "./file-part-line.ts";
import { readSkeleton, SKELETON_KEY } from "./skeleton-line.ts";

/** What one line of an exported file says. */
export type ArchiveLine =
  | { readonly kind: "message"; readonly envelopeText: string; readonly content: string | null }
  | { readonly kind: "file"; readonly part: FilePart }
  | { readonly kind: "skeleton"; readonly skeleton: Skeleton }
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * Tells a line by its key, wherever it stands in it. What has an item hash is an envelope for the pipeline to judge,
 * whatever other keys its sender gave it.
 */
export function readArchiveLine(line: string): ArchiveLine {
  // In a text the quotes of a key would be escaped.
  for (const [key, read] of READERS) {
    const object = line.includes(`"${key}"`) ? parseObject(line) : null;
    if (object !== null && Object.hasOwn(object, key) && !Object.hasOwn(object, "item_hash"))
      return read(object);
  }
  const message = readExchangeLine(line);
  if (!message.ok) return { kind: "malformed", reason: message.reason };
  return { kind: "message", envelopeText: message.envelopeText, content: message.content };
}

const READERS: readonly (readonly [key: string, read: (line: JsonObject) => ArchiveLine])[] = [
  [
    FILE_KEY,
    (line) => {
      const part = readFilePart(line);
      return part === null ? malformed("no part of a file") : { kind: "file", part };
    },
  ],
  [
    SKELETON_KEY,
    (line) => {
      const skeleton = readSkeleton(line);
      return skeleton === null ? malformed("no forgotten message") : { kind: "skeleton", skeleton };
    },
  ],
];

const malformed = (reason: string): ArchiveLine => ({ kind: "malformed", reason });

function parseObject(line: string): JsonObject | null {
  const parsed = parseJson(line);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}
