import { Type } from "@sinclair/typebox";
import { stringifyJson } from "@twentysix/protocol";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet } from "../http/route.ts";
import { nullable } from "../schemas/nullable.ts";

const CHECKPOINT = Type.Object(
  {
    statement: Type.Object({
      kind: Type.String(),
      network: Type.String({ description: "Digest of the rules that the node follows." }),
      trees: Type.String({ description: "How its state trees are laid out." }),
      peer_id: Type.String(),
      root: Type.String({ description: "Its state root." }),
      messages_root: Type.String({ description: "Of the messages alone." }),
      count: Type.Integer({ description: "Messages accepted or forgotten." }),
      position: Type.Integer({ description: "The last event of its log that the root shows." }),
      time: Type.Integer({ description: "Seconds." }),
    }),
    public_key: Type.String({ description: "As libp2p writes keys, in base64; the peer is named after it." }),
    signature: Type.String({ description: "Of the statement as canonical JSON, in base64." }),
  },
  { description: "What a node signed of its state: whoever has it can show it to others." },
);

const OF_PEER = Type.Object({
  peer_id: Type.String(),
  heard_at: Type.Integer({ description: "Seconds." }),
  verdict: Type.Union([Type.Literal("same"), Type.Literal("other"), Type.Literal("false")], {
    description:
      "`same`: this node had that root then. `other`: one of the two went on, or lacked something. `false`: the peer cannot have what it signed.",
  }),
  reason: nullable(Type.String({ description: "Why it is false." })),
  held: Type.Object(
    {
      root: Type.String(),
      messages_root: Type.String(),
      count: Type.Integer(),
      position: Type.Integer(),
    },
    { description: "What this node had then." },
  ),
  checkpoint: CHECKPOINT,
  contradicts: nullable(CHECKPOINT),
});

const CHECKPOINTS = Type.Object({ own: nullable(CHECKPOINT), peers: Type.Array(OF_PEER) });

/** Signed statements about states: this node's of now, and the last one of each peer, with what was found then. */
export function addCheckpointsRoute(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/api/v1/checkpoints",
    {
      cost: "point",
      tag: "Node",
      summary: "What this node and its peers signed of their states",
      response: CHECKPOINTS,
    },
    async (request, reply) => {
      const { own, peers } = await services.checkpoints();
      return sendJson(request, reply, stringifyJson({ own, peers: [...peers] }));
    },
  );
}
