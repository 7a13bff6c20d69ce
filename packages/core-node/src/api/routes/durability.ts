import { Type } from "@sinclair/typebox";
import { formatIsoZ, type JsonObject, stringifyJson } from "@twentysix/protocol";
import type { FastifyInstance } from "fastify";
import type { FileCustody } from "../../peers/custody/custody.ts";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, pathValue } from "../http/route.ts";
import { nullable } from "../schemas/nullable.ts";

const NODE = Type.Object({
  node: Type.String({ description: "The name of the peer." }),
  is_this_node: Type.Boolean(),
  is_placed: Type.Boolean({ description: "The network's rule says that this node keeps the file." }),
  proven_at: nullable(
    Type.String({ description: "When it last answered a challenge of this node. null: never to this node." }),
  ),
});

const DURABILITY = Type.Object({
  file_hash: Type.String(),
  size: Type.Integer(),
  copies: nullable(Type.Integer({ description: "Copies that the network keeps; null: every node has one." })),
  copies_proven: Type.Integer({ description: "This node's own, and those that others have proven to it." }),
  nodes: Type.Array(NODE),
  lost_if: Type.Array(Type.String(), {
    description: "Nothing that is proven is left once all of these nodes have vanished.",
  }),
});

/** Who keeps a file, and what is proven of it. */
export function addDurabilityRoute(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/api/v1/files/:file_hash/durability",
    {
      cost: "point",
      tag: "Files",
      summary: "Which nodes keep a file, when each last proved it, and what would be lost with which of them",
      response: DURABILITY,
      refusals: ["API_NOT_FOUND"],
    },
    async (request, reply) => {
      const fileHash = pathValue(request, "file_hash");
      const custody = isAnyItemHash(fileHash) ? await services.custodyOf(fileHash) : null;
      if (custody === null) throw new ApiError("API_NOT_FOUND", "404: no message stores a file of that hash");
      return sendJson(request, reply, stringifyJson(durabilityOf(custody)));
    },
  );
}

function durabilityOf({ file, copies, self, places, nodes }: FileCustody): JsonObject {
  const proven = new Map(file.proofs.map(({ peerId, provenMicros }) => [peerId, provenMicros]));
  const isHere = file.damage === null;
  const holders = [...(isHere ? [self] : []), ...proven.keys()];
  const named = [...new Set([...places, ...holders, ...nodes])];
  return {
    file_hash: file.name,
    size: file.sizeBytes,
    copies,
    copies_proven: holders.length,
    nodes: named.map((node) => ({
      node,
      is_this_node: node === self,
      is_placed: places.includes(node),
      proven_at: timeOf(proven.get(node)),
    })),
    lost_if: holders,
  };
}

const timeOf = (micros: bigint | undefined): string | null =>
  micros === undefined ? null : formatIsoZ(micros);
