import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock, Logger } from "@twentysix/platform";
import { isJsonObject, type JsonObject, type LocalAccount, memberOf, parseJson } from "@twentysix/protocol";
import type { Execution } from "../../executions/execution.ts";
import { BodyBudget } from "./body-budget.ts";
import { GuestApiError } from "./errors.ts";
import { isCacheKey, isKeyPattern, matchesPattern } from "./key-pattern.ts";
import type { ProgramCache } from "./program-cache.ts";
import { proxyToCoreNode } from "./proxy-core-node.ts";
import { withGuestBody } from "./read-guest-body.ts";
import { RequestBudget } from "./request-budget.ts";
import { expectOwnContent, signProgramMessage } from "./sign-message.ts";

export interface GuestApiOptions {
  readonly cache: ProgramCache;
  /** Base URLs of core nodes, the first asked first. */
  readonly coreNodeUrls: readonly string[];
  /** The key of this node; null: it signs nothing for programs. */
  readonly signer: { readonly account: LocalAccount; readonly publicKeyHex: string } | null;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

type Handler = (request: GuestRequest) => Promise<void> | void;

interface GuestRequest {
  readonly execution: Execution;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

const MAX_MESSAGE_BYTES = 1_000_000;
const MAX_VALUE_BYTES = 10_000_000;
const IDLE_MS = 30_000;

/**
 * What programs ask their host for: a cache, messages signed with the key of this node, and a core node. It is served
 * over streams that guests open; nothing listens for it. Source: aleph-vm `guest_api/__main__.py`.
 */
export class GuestApi {
  readonly #options: GuestApiOptions;
  readonly #server: Server;
  readonly #executions = new WeakMap<Duplex, Execution>();
  readonly #budget: RequestBudget;
  readonly #bodies = new BodyBudget();

  constructor(options: GuestApiOptions) {
    this.#options = options;
    this.#budget = new RequestBudget(options.clock);
    this.#server = createServer(
      { requestTimeout: IDLE_MS, headersTimeout: IDLE_MS, keepAliveTimeout: IDLE_MS, maxHeaderSize: 16_384 },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Serves one connection of a program. */
  serve(execution: Execution, stream: Duplex): void {
    this.#executions.set(stream, execution);
    this.#server.emit("connection", stream);
  }

  /** The program has ended: what it kept for this run alone is gone. */
  ended(execution: Execution): void {
    if (!isShared(execution)) this.#options.cache.clear(execution.vmHash);
  }

  /** No trace of the program stays. */
  erased(vmHash: string): void {
    this.#options.cache.clear(vmHash);
  }

  close(): void {
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const execution = this.#executions.get(request.socket);
    response.on("error", () => {});
    try {
      if (execution === undefined) throw new GuestApiError(500, "This connection belongs to no program");
      this.#budget.charge(execution.vmHash);
      const url = new URL(request.url ?? "/", "http://guest");
      await this.#handlerOf(
        request.method ?? "GET",
        url.pathname,
        execution,
      )({ execution, request, response, url });
    } catch (error) {
      this.#fail(response, error);
    }
  }

  #handlerOf(method: string, path: string, execution: Execution): Handler {
    if (path === "/cache/" || path === "/cache") {
      if (method === "GET") return (request) => this.#listKeys(request);
    } else if (path.startsWith("/cache/")) {
      if (method === "GET") return (request) => this.#getValue(request);
      if (method === "PUT") return (request) => this.#putValue(request);
      if (method === "DELETE") return (request) => this.#deleteValue(request);
    } else {
      expectAlephApi(execution);
      if (path === "/properties" && method === "GET") return (request) => this.#properties(request);
      if (path === "/sign" && method === "POST") return (request) => this.#sign(request);
      const isPublication = path === "/api/v0/ipfs/pubsub/pub" || path === "/api/v0/p2p/pubsub/pub";
      if (isPublication && method === "POST") return (request) => this.#publish(request);
      if (["GET", "HEAD", "OPTIONS"].includes(method)) return (request) => this.#proxy(request);
    }
    throw new GuestApiError(405, `${method} ${path} is none of this API`);
  }

  #listKeys({ execution, response, url }: GuestRequest): void {
    const pattern = url.searchParams.get("pattern") ?? "*";
    if (!isKeyPattern(pattern)) throw new GuestApiError(400, "Invalid key");
    const keys = this.#options.cache.keys(execution.vmHash).filter((key) => matchesPattern(key, pattern));
    sendJson(response, keys);
  }

  #getValue({ execution, response, url }: GuestRequest): void {
    const value = this.#options.cache.get(execution.vmHash, keyOf(url));
    if (value === null) throw new GuestApiError(404, "No such key in cache");
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": value.length });
    response.end(value);
  }

  async #putValue({ execution, request, response, url }: GuestRequest): Promise<void> {
    const key = keyOf(url);
    await this.#withBody(execution, request, MAX_VALUE_BYTES, (value) =>
      this.#options.cache.put(execution.vmHash, key, value),
    );
    sendJson(response, true);
  }

  #deleteValue({ execution, response, url }: GuestRequest): void {
    sendJson(response, this.#options.cache.delete(execution.vmHash, keyOf(url)));
  }

  #properties({ response }: GuestRequest): void {
    const { account, publicKeyHex } = this.#signer();
    sendJson(response, {
      chain: account.chain,
      curve: "secp256k1",
      address: account.address,
      public_key: publicKeyHex,
    });
  }

  async #sign({ execution, request, response }: GuestRequest): Promise<void> {
    const message = await this.#withBody(execution, request, MAX_MESSAGE_BYTES, readObject);
    sendJson(response, signProgramMessage(message, execution.vmHash, this.#signer().account));
  }

  /** A message of the program, signed here unless it is already, is given to the core node. */
  async #publish({ execution, request, response, url }: GuestRequest): Promise<void> {
    const body = await this.#withBody(execution, request, MAX_MESSAGE_BYTES, readObject);
    const data = memberOf(body, "data");
    const message = readObject(Buffer.from(typeof data === "string" ? data : ""));
    expectOwnContent(message, execution.vmHash);
    const isSigned = typeof memberOf(message, "signature") === "string";
    const signed = isSigned ? message : signProgramMessage(message, execution.vmHash, this.#signer().account);
    await this.#forward(response, `${url.pathname}${url.search}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ topic: memberOf(body, "topic") ?? null, data: JSON.stringify(signed) }),
    });
  }

  #withBody<Result>(
    { vmHash }: Execution,
    request: IncomingMessage,
    maxBytes: number,
    work: (body: Buffer) => Result,
  ): Promise<Result> {
    return withGuestBody(request, maxBytes, { vmHash, budget: this.#bodies }, work);
  }

  async #proxy({ request, response, url }: GuestRequest): Promise<void> {
    const accept = request.headers.accept;
    await this.#forward(response, `${url.pathname}${url.search}`, {
      method: request.method ?? "GET",
      headers: accept === undefined ? {} : { accept },
    });
  }

  async #forward(response: ServerResponse, target: string, init: RequestInit): Promise<void> {
    const { coreNodeUrls, fetch, signal } = this.#options;
    const urls = coreNodeUrls.map((url) => `${url.replace(/\/+$/, "")}${target}`);
    await proxyToCoreNode(response, urls, init, { fetch, signal });
  }

  #signer(): NonNullable<GuestApiOptions["signer"]> {
    const { signer } = this.#options;
    if (signer === null) throw new GuestApiError(503, "This node has no key to sign with");
    return signer;
  }

  #fail(response: ServerResponse, error: unknown): void {
    const isTold = error instanceof GuestApiError;
    if (!isTold) this.#options.log.warn("a request of a program to its API failed", { error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const text = isTold ? error.message : "The request failed";
    response.writeHead(isTold ? error.status : 500, {
      "content-type": "text/plain; charset=utf-8",
      connection: "close",
    });
    response.end(text);
  }
}

function keyOf(url: URL): string {
  const key = url.pathname.slice("/cache/".length);
  if (!isCacheKey(key)) throw new GuestApiError(400, "Invalid key");
  return key;
}

/** Only a program that asks for it in its message speaks to the network through this node. */
function expectAlephApi({ content }: Execution): void {
  if (content.environment.aleph_api) return;
  const text =
    "This program has no access to the network's API: its message says environment.aleph_api false";
  throw new GuestApiError(403, text);
}

/** Whether what it keeps is for all its runs on this node. */
function isShared({ content }: Execution): boolean {
  return content.environment.shared_cache === true;
}

function readObject(bytes: Uint8Array): JsonObject {
  const parsed = parseJson(Buffer.from(bytes).toString("utf8"));
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  throw new GuestApiError(400, "The body is no JSON object");
}

function sendJson(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
