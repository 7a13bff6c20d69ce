import { createHash } from "node:crypto";
import { Semaphore } from "@twentysix/platform";
import { type ItemText, ReadError, sizeOfText } from "@twentysix/storage";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { isUnchanged, sendUnchanged } from "../http/conditional.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { JSON_TYPE, negotiateEncoding } from "../http/json-reply.ts";
import { sendJsonStream } from "../http/json-stream.ts";
import { pathValue } from "../http/route.ts";
import { sendRefusal } from "../http/send-error.ts";
import { type AggregateText, aggregatesBody, textOfEntry, textOfOutline } from "./aggregate-body.ts";
import { AggregateCache } from "./aggregate-cache.ts";

export interface AggregateQuery {
  readonly keys: readonly string[] | null;
  readonly withInfo: boolean;
  readonly valueOnly: boolean;
}

interface Asked extends AggregateQuery {
  readonly address: string;
}

/** A finished answer above this takes one of the places of long answers while it is sent. */
const MAX_UNCOUNTED_BYTES = 1024 * 1024;
/** Large answers that are put together for the cache at once; others are sent as they are read. */
const MAX_BUILDS = 4;

/**
 * The aggregates of one address. Small ones are read on this thread, larger ones by the reader; finished answers
 * are kept by version, and what is too large to be kept is sent while it is read.
 */
export class AggregateAnswers {
  readonly #context: ApiContext;
  readonly #cache: AggregateCache;
  readonly #builds = new Semaphore({ permits: MAX_BUILDS, maxWaiters: 0 });

  constructor(context: ApiContext) {
    this.#context = context;
    this.#cache = new AggregateCache(context.settings.lists.aggregateCacheBytes);
  }

  async answer(
    { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
    query: AggregateQuery,
  ): Promise<FastifyReply> {
    const { reads, lists } = this.#context.services;
    const asked = { ...query, address: pathValue(request, "address") };
    const versions = await reads.aggregateVersions(asked.address, asked.keys);
    if (versions !== null) {
      if (versions.length === 0) return notFound(reply);
      const version = digestOf(versions.map(({ key, version }) => [JSON.stringify(key), version]));
      if (isKnown(request, reply, asked, version)) return sendUnchanged(reply);
      const make = this.#cache.has(keyOf(asked), version) ? changed : await this.#makeSmall(asked);
      if (make !== null) return this.#sendCached(request, reply, asked, version, make);
    }
    const signal = disconnectSignal(reply);
    const outlines = await lists.aggregateOutlines(asked.address, asked.keys, { signal });
    if (outlines.length === 0) return notFound(reply);
    const version = digestOf(outlines.map(({ key, version }) => [key, version]));
    if (isKnown(request, reply, asked, version)) return sendUnchanged(reply);
    const text = bodyOf(asked, outlines.map(textOfOutline));
    return this.#sendLarge(request, reply, asked, version, text, signal);
  }

  /** null when the reader must do it. */
  async #makeSmall(asked: Asked): Promise<(() => Promise<Buffer>) | null> {
    const entries = await this.#context.services.reads.aggregates(asked.address, asked.keys);
    if (entries === null) return null;
    const text = bodyOf(asked, entries.map(textOfEntry));
    return typeof text === "string" ? async () => Buffer.from(text) : null;
  }

  async #sendLarge(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: Asked,
    version: string,
    text: ItemText,
    signal: AbortSignal,
  ): Promise<FastifyReply> {
    const { lists } = this.#context.services;
    if (sizeOfText(text) <= this.#context.settings.lists.maxCachedAggregateBytes) {
      const isHeld = this.#cache.has(keyOf(asked), version);
      using build = isHeld ? undefined : this.#builds.tryAcquire();
      if (isHeld || build !== undefined) {
        // Others may wait for it, so it is made even when this client goes away.
        return await this.#sendCached(request, reply, asked, version, () => whole(lists.pieces(text)));
      }
    }
    return sendJsonStream(request, reply, lists.pieces(text, { signal }));
  }

  async #sendCached(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: Asked,
    version: string,
    make: () => Promise<Buffer>,
  ): Promise<FastifyReply> {
    const wanted = negotiateEncoding(request);
    const { body, encoding } = await this.#cache.body(keyOf(asked), version, wanted, make);
    if (body.length > MAX_UNCOUNTED_BYTES) request.server.streamSlots.takeFor(reply);
    if (encoding !== null) reply.header("content-encoding", encoding);
    return reply.header("content-type", JSON_TYPE).send(body);
  }
}

function notFound(reply: FastifyReply): FastifyReply {
  return sendRefusal(reply, "API_NOT_FOUND", "404: Not Found. No aggregate of this address has such a key");
}

/** Describes the answer by its version; true when the client has it. */
function isKnown(request: FastifyRequest, reply: FastifyReply, asked: Asked, version: string): boolean {
  const etag = `W/"${keyOf(asked)}${version}"`;
  reply.header("etag", etag).header("cache-control", "no-cache").header("vary", "Origin, Accept-Encoding");
  return isUnchanged(request, etag);
}

function bodyOf(
  { address, keys, valueOnly, withInfo }: Asked,
  aggregates: readonly AggregateText[],
): ItemText {
  const [only] = aggregates;
  return valueOnly && keys?.length === 1 && only !== undefined
    ? only.content
    : aggregatesBody(address, aggregates, withInfo);
}

function keyOf({ address, keys, withInfo, valueOnly }: Asked): string {
  return digest([address, keys, withInfo, valueOnly]);
}

/** The same however the aggregates were read: by the texts of their keys. */
function digestOf(versions: readonly (readonly [key: ItemText, version: string])[]): string {
  const texts = versions.map(([key, version]) => `${JSON.stringify(key)} ${version}`);
  return digest(texts.sort());
}

/** For what is held and so is not made. */
async function changed(): Promise<Buffer> {
  throw new ReadError("TEXT_CHANGED", "the aggregate has just changed: ask for it again");
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 16);
}

async function whole(pieces: AsyncIterable<string | Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(typeof piece === "string" ? Buffer.from(piece) : piece);
  return Buffer.concat(chunks);
}
