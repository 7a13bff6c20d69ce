import { createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import type { Timers } from "@twentysix/platform";
import type { ExportedFile } from "../../control/instance-services.ts";
import { sha256OfFile } from "../disks/sha256-of-file.ts";
import { type ImportSource, pinnedLookup } from "./import-request.ts";

export interface DownloadOptions {
  readonly source: ImportSource;
  readonly exportToken: string;
  readonly timers: Pick<Timers, "sleep">;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

const ATTEMPTS = 5;
const PAUSE_MS = 2_000;
/** Nothing came for so long: the connection is given up, and the rest asked for. */
const STALL_MS = 60_000;

/**
 * Fetches one disk of an export; what has come before a connection broke is kept. The bytes are compared with what the
 * source said of them.
 *
 * @throws Error after the last attempt, or when the bytes are others
 */
export async function downloadDisk(
  file: ExportedFile,
  path: string,
  options: DownloadOptions,
): Promise<void> {
  const partial = `${path}.part`;
  let failure: unknown = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    options.signal.throwIfAborted();
    if (attempt > 0) await options.timers.sleep(PAUSE_MS * attempt, options.signal);
    try {
      await fetchRest(file, partial, options);
      failure = null;
      break;
    } catch (error) {
      options.signal.throwIfAborted();
      failure = error;
    }
  }
  if (failure !== null) throw new Error(`${file.name} could not be fetched: ${(failure as Error).message}`);
  const found = await sha256OfFile(partial, options.signal);
  if (found !== file.sha256) throw new Error(`${file.name} arrived as ${found}, not as ${file.sha256}`);
  await rename(partial, path);
}

async function fetchRest(file: ExportedFile, partial: string, options: DownloadOptions): Promise<void> {
  const haveBytes = await sizeOf(partial);
  if (haveBytes === file.sizeBytes) return;
  const path = `${file.downloadPath}?token=${encodeURIComponent(options.exportToken)}`;
  const stall = new AbortController();
  const signal = AbortSignal.any([options.signal, stall.signal]);
  const answer = await ask(options.source, path, haveBytes, signal);
  const isRest = answer.statusCode === 206;
  const startBytes = isRest ? haveBytes : 0;
  const counted = counting(answer, startBytes, file, options, () =>
    stall.abort(new Error("the source fell silent")),
  );
  await pipeline(counted, createWriteStream(partial, { flags: isRest ? "a" : "w", mode: 0o600 }), { signal });
  if ((await sizeOf(partial)) !== file.sizeBytes) throw new Error("the source ended its answer too early");
}

/** No redirect is followed: it would lead where nobody has looked. */
function ask(
  { url, addresses }: ImportSource,
  path: string,
  haveBytes: number,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const target = new URL(`${url}${path}`);
  const start = target.protocol === "https:" ? httpsRequest : httpRequest;
  const headers = haveBytes > 0 ? { range: `bytes=${haveBytes}-` } : {};
  return new Promise((resolve, reject) => {
    const sent = start(
      target,
      { headers, lookup: pinnedLookup(addresses), agent: false, signal },
      (answer) => {
        if (answer.statusCode === 200 || answer.statusCode === 206) return resolve(answer);
        answer.destroy();
        reject(new Error(`the source answers ${answer.statusCode}`));
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

async function* counting(
  body: AsyncIterable<Uint8Array>,
  startBytes: number,
  file: ExportedFile,
  { timers, onBytes, signal }: DownloadOptions,
  onStall: () => void,
): AsyncGenerator<Uint8Array> {
  let received = startBytes;
  let lastSeen = -1;
  const ended = new AbortController();
  const watch = async (): Promise<void> => {
    while (received !== lastSeen) {
      lastSeen = received;
      await timers.sleep(STALL_MS, AbortSignal.any([signal, ended.signal]));
    }
    onStall();
  };
  const watching = watch().catch(() => undefined);
  try {
    for await (const chunk of body) {
      received += chunk.length;
      if (received > file.sizeBytes) throw new Error("the source sends more than it said");
      onBytes(chunk.length);
      yield chunk;
    }
  } finally {
    ended.abort();
    await watching;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
