import { type Static, Type } from "@sinclair/typebox";
import { type Logger, PlatformError } from "@twentysix/platform";
import { stringifyJson } from "@twentysix/protocol";
import { isSdkError } from "@twentysix/sdk";
import Fastify, { type FastifyReply } from "fastify";
import { CreditError } from "./errors.ts";
import type { Faucet } from "./faucet.ts";

const BODY = Type.Object(
  {
    address: Type.String({ minLength: 1, maxLength: 128, pattern: "^\\S+$" }),
    /** The client's own; the same one again is the same request. */
    nonce: Type.String({ minLength: 1, maxLength: 128 }),
  },
  { additionalProperties: false },
);

export interface FaucetServerOptions {
  readonly faucet: Faucet;
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** Ends requests that wait. */
  readonly signal: AbortSignal;
}

const MAX_BODY_BYTES = 4_096;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * `POST /api/v0/faucet` with `{"address", "nonce"}`: 200 with `{"address", "credits", "item_hash", "is_new"}`; 400 for
 * another body, 409 for a nonce that was used otherwise, 429 when the address has had its share, 503 while the node
 * cannot be reached. Errors are `{"error": {"code", "message"}}`.
 *
 * @returns where it listens, and how it ends
 */
export async function startFaucetServer({
  faucet,
  host,
  port,
  log,
  signal,
}: FaucetServerOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  // Whoever may ask may ask from a page of another origin: the faucet has no secrets and knows no sessions.
  server.addHook("onRequest", async (_request, reply) => {
    reply.header("access-control-allow-origin", "*").header("access-control-allow-headers", "content-type");
  });
  server.options("/api/v0/faucet", (_request, reply) => reply.code(204).send());
  server.post<{ Body: Static<typeof BODY> }>(
    "/api/v0/faucet",
    { schema: { body: BODY } },
    async ({ body }, reply) => {
      const { address, credits, itemHash, isNew } = await faucet.give(body.address, body.nonce, signal);
      const answer = { address, credits, item_hash: itemHash, is_new: isNew };
      return reply.type("application/json; charset=utf-8").send(stringifyJson(answer));
    },
  );
  server.setErrorHandler((error, _request, reply) => sendFailure(reply, error, log));
  const url = await server.listen({ host, port });
  return { url, close: () => server.close() };
}

function sendFailure(reply: FastifyReply, error: unknown, log: Logger): FastifyReply {
  const [status, code] = statusOf(error);
  const isOurs = status >= 500;
  if (isOurs) log.error("a request to the faucet failed", { error });
  if (status === 503 || status === 429) reply.header("retry-after", status === 429 ? "3600" : "5");
  const message = error instanceof Error && !(code === "FAUCET_DEFECT") ? error.message : "the faucet failed";
  return reply.code(status).send({ error: { code, message } });
}

const CREDIT_STATUS: Partial<Record<CreditError["code"], number>> = {
  CREDIT_ADDRESS_INVALID: 400,
  FAUCET_LIMIT_REACHED: 429,
};

function statusOf(error: unknown): readonly [status: number, code: string] {
  if (error instanceof CreditError) {
    const code: CreditError["code"] = error.code;
    return [CREDIT_STATUS[code] ?? 409, code];
  }
  if (error instanceof PlatformError || isSdkError(error)) return [503, error.code];
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number") {
    if (error.statusCode < 500) return [error.statusCode, "FAUCET_BAD_REQUEST"];
  }
  return [500, "FAUCET_DEFECT"];
}
