import { Type } from "@sinclair/typebox";
import { formatIsoZ, type JsonObject, type JsonValue, parseJson, stringifyJson } from "@twentysix/protocol";
import { type PeerFaultRecord, type Proven, shardBytes } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import type { FileCustody } from "../../peers/custody/custody.ts";
import { type Holders, holdersOf, lossOf } from "../../peers/custody/loss.ts";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, pathValue } from "../http/route.ts";
import { nullable } from "../schemas/nullable.ts";

const PROVEN_AT = nullable(
  Type.String({ description: "When it last answered a challenge of this node. null: never to this node." }),
);

const NODE = Type.Object({
  node: Type.String({ description: "The name of the peer." }),
  is_this_node: Type.Boolean(),
  is_placed: Type.Boolean({
    description: "The network's rule says that this node keeps the file, or a shard of it.",
  }),
  domain: nullable(
    Type.String({ description: "What fails together: the address that registered the node, else the node." }),
  ),
  faults: Type.Integer({ description: "How often this node caught it at something, with whatever file." }),
  proven_at: PROVEN_AT,
});

const SHARD = Type.Object({
  position: Type.Integer(),
  cid: Type.String(),
  placed_on: nullable(Type.String({ description: "The name of a peer." })),
  holders: Type.Array(
    Type.Object({ node: Type.String(), is_this_node: Type.Boolean(), proven_at: PROVEN_AT }),
  ),
});

const FAULT = Type.Object({
  node: Type.String(),
  kind: Type.String(),
  at: Type.String(),
  evidence: Type.Unknown({
    description:
      "Of a false claim: the signed answer with the challenge, and the right blocks before the first wrong one, with which anyone can check it.",
  }),
});

const DURABILITY = Type.Object({
  file_hash: Type.String(),
  size: Type.Integer(),
  class: Type.Union([Type.Literal("everyone"), Type.Literal("copies"), Type.Literal("erasure")]),
  copies: nullable(
    Type.Integer({
      description: "Copies that the network keeps; null: every node has one, or it is in shards.",
    }),
  ),
  copies_proven: Type.Integer({
    description: "Whole ones: this node's own, and those that others which are here have proven to it.",
  }),
  erasure: nullable(
    Type.Object({
      data_shards: Type.Integer({ description: "Any so many of the shards give the file." }),
      total_shards: Type.Integer(),
      shard_size: nullable(Type.Integer({ description: "null: this node has not cut the file yet." })),
      shards_proven: Type.Integer({
        description: "Different ones that this node holds, or that others have proven which are here.",
      }),
      shards: Type.Array(SHARD),
    }),
  ),
  nodes: Type.Array(NODE),
  lost_if: Type.Array(Type.String(), {
    description:
      "Not enough of what is proven is left once all of these nodes have vanished; the smallest such set that was found.",
  }),
  survives_losses: Type.Integer({
    description:
      "However chosen, so many nodes can vanish, and what is left of what is proven gives the file.",
  }),
  faults: Type.Array(FAULT, { description: "What peers were caught at with this file, the newest first." }),
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

function durabilityOf(custody: FileCustody): JsonObject {
  const { file, rule, self, places, nodes, faults } = custody;
  const holders = holdersOf(file, self, new Set(nodes.map(({ peerId }) => peerId)));
  const { lostIf, survivesLosses } = lossOf(holders);
  const proofs = [...file.proofs, ...(file.coding?.shards.flatMap((shard) => shard.proofs) ?? [])];
  const provers = proofs.map(({ peerId }) => peerId);
  const named = new Set([...places, ...holders.whole, ...provers, ...nodes.map(({ peerId }) => peerId)]);
  const copies = rule.kind === "copies" ? rule.copies : null;
  return {
    file_hash: file.name,
    size: file.sizeBytes,
    class: rule.kind === "erasure" ? "erasure" : copies === null ? "everyone" : "copies",
    copies,
    copies_proven: holders.whole.length,
    erasure: erasureOf(custody, holders),
    nodes: [...named].map((node) => {
      const known = nodes.find(({ peerId }) => peerId === node);
      return {
        node,
        is_this_node: node === self,
        is_placed: places.includes(node),
        domain: known?.domain ?? null,
        faults: known?.faults ?? 0,
        proven_at: timeOf(proofs.filter(({ peerId }) => peerId === node)),
      };
    }),
    lost_if: lostIf,
    survives_losses: survivesLosses,
    faults: faults.map(faultOf),
  };
}

function erasureOf(
  { file: { coding }, rule, places, self }: FileCustody,
  holders: Holders,
): JsonObject | null {
  if (rule.kind !== "erasure") return null;
  const shards = coding?.shards ?? [];
  return {
    data_shards: rule.dataShards,
    total_shards: rule.totalShards,
    shard_size: coding === null ? null : shardBytes(coding.codedBytes, coding),
    shards_proven: holders.shards.filter(({ length }) => length > 0).length,
    shards: shards.map(({ position, cid, isHeld, proofs }) => ({
      position,
      cid,
      placed_on: places[position] ?? null,
      holders: [
        ...(isHeld ? [{ node: self, is_this_node: true, proven_at: null }] : []),
        ...proofs.map((proof) => ({
          node: proof.peerId,
          is_this_node: false,
          proven_at: timeOf([proof]),
        })),
      ],
    })),
  };
}

function faultOf({ peerId, kind, atMicros, evidence }: PeerFaultRecord): JsonObject {
  const parsed = parseJson(evidence);
  const said: JsonValue = parsed.ok ? parsed.value : null;
  return { node: peerId, kind, at: formatIsoZ(atMicros), evidence: said };
}

/** The latest. */
function timeOf(proofs: readonly Proven[]): string | null {
  const latest = proofs.reduce<bigint | null>(
    (best, { provenMicros }) => (best === null || provenMicros > best ? provenMicros : best),
    null,
  );
  return latest === null ? null : formatIsoZ(latest);
}
