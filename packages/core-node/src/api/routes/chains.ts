import { Type } from "@sinclair/typebox";
import { formatIsoZ, type JsonObject, stringifyJson } from "@twentysix/protocol";
import type { FastifyInstance } from "fastify";
import type { ChainReport } from "../../chain/chain-report.ts";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";
import { nullable } from "../schemas/nullable.ts";

const SOURCE = Type.Object({
  chain: Type.String(),
  source: Type.String({ description: "`rpc`, or an indexer." }),
  height: nullable(Type.Integer({ description: "Height that was read to." })),
  remaining_blocks: nullable(Type.Integer({ description: "Final blocks that were not read yet." })),
  rewinds: Type.Integer({ description: "Times since the start that blocks which were read are no more." }),
});

const EVENT = Type.Object({
  chain: Type.String(),
  tx_hash: Type.String(),
  log_index: Type.Integer(),
  height: Type.Integer(),
  publisher: Type.String(),
  state: Type.String({ description: "`waiting`: it is tried again; `refused`: nothing can be read in it." }),
  attempts: Type.Integer(),
  next_attempt: nullable(Type.String()),
  error: nullable(Type.String()),
});

const PACK = Type.Object({
  chain: Type.String(),
  address: Type.String(),
  nonce: Type.Integer(),
  archive: Type.String({ description: "Hash of the file." }),
  state: Type.String({ description: "`sent`, or `mined` and not read back yet." }),
  messages: Type.Integer(),
  created: Type.String(),
  tx_hashes: Type.Array(Type.String(), { description: "The first transaction, and those that replaced it." }),
});

const CHAINS = Type.Object({
  sources: Type.Array(SOURCE),
  events: Type.Object({
    waiting: Type.Integer(),
    quarantined: Type.Integer(),
    refused: Type.Integer(),
  }),
  troubled: Type.Array(EVENT, {
    description: "A hundred at most of those refused, and of those that failed.",
  }),
  packs: Type.Array(PACK),
});

/** What this node reads of chains and sends to them, and what is wrong with which event. */
export function addChainsRoute(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/api/v1/chains",
    {
      cost: "list",
      tag: "Node",
      summary: "How far chains were read, which events failed and why, and which archives are on their way",
      response: CHAINS,
    },
    async (request, reply) => sendJson(request, reply, stringifyJson(chainsOf(await services.chains()))),
  );
}

function chainsOf({ sources, events, troubled, packs }: ChainReport): JsonObject {
  return {
    sources: sources.map(({ chain, source, height, remainingBlocks, rewinds }) => ({
      ...{ chain, source, height, remaining_blocks: remainingBlocks, rewinds },
    })),
    events: { waiting: events.waiting, quarantined: events.quarantined, refused: events.refused },
    troubled: troubled.map((event) => ({
      chain: event.chain,
      tx_hash: event.txHash,
      log_index: event.logIndex,
      height: event.height,
      publisher: event.publisher,
      state: event.state,
      attempts: event.attempts,
      next_attempt: event.nextAttemptMicros === null ? null : formatIsoZ(event.nextAttemptMicros),
      error: event.error,
    })),
    packs: packs.map(({ chain, address, nonce, archive, state, messages, createdMicros, transactions }) => ({
      ...{ chain, address, nonce, archive, state, messages },
      created: formatIsoZ(createdMicros),
      tx_hashes: transactions.map(({ hash }) => hash),
    })),
  };
}
