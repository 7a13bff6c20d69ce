import { type TObject, Type } from "@sinclair/typebox";
import { nullable } from "./nullable.ts";

export const NODE_FACTS = Type.Object({
  version: Type.String(),
  network: Type.String(),
  address: Type.String({ description: "With which the node signs." }),
  addresses: Type.Array(Type.String(), { description: "Where its peers reach it." }),
  messages: Type.Integer(),
  pendingMessages: Type.Integer(),
  peers: Type.Integer(),
  filePins: Type.Integer(),
});

export const PUBLIC_INFO = Type.Object({
  node_multi_addresses: Type.Array(Type.String()),
  sync: Type.Optional(
    Type.Object(
      {
        state: Type.Union([Type.Literal("starting"), Type.Literal("syncing"), Type.Literal("ready")]),
        percent: nullable(Type.Number({ description: "Of the messages of a peer, while `syncing`." })),
        seconds_left: nullable(Type.Integer({ description: "Estimate." })),
      },
      { description: "How far this node is with what its peers have." },
    ),
  ),
});

export const CHANNELS = Type.Object({ channels: Type.Array(Type.String()) });

export const PROGRAMS_ON_MESSAGE = Type.Array(
  Type.Object({
    item_hash: Type.String(),
    content: Type.Object({
      on: Type.Object({ message: Type.Unknown({ description: "As the owner of the program wrote it." }) }),
    }),
  }),
);

export const ALIVE = Type.Object({ status: Type.Literal("alive") });

/** The answer of a node that takes new work, and of one that does not. */
export const READINESS = Type.Object({
  status: Type.Union([Type.Literal("ready"), Type.Literal("not ready")]),
  checks: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), message: Type.String() })),
});

/** Every figure by its name; null where this node has none. */
export const FIGURES = Type.Object(
  { pyaleph_build_info: Type.Object({ python_version: Type.String(), version: Type.String() }) },
  { additionalProperties: nullable(Type.Number()) },
);

/** Measurements of a node as parallel lists. */
export function measurementsSchema(columns: readonly string[]): TObject {
  const column = Type.Array(Type.Unknown({ description: "As it was measured, or null." }));
  return Type.Object({
    metrics: Type.Object({
      item_hash: Type.Array(Type.String()),
      measured_at: Type.Array(Type.Number({ description: "Seconds." })),
      ...Object.fromEntries(columns.map((name) => [name, column])),
    }),
    truncated: Type.Optional(
      Type.Literal(true, { description: "The window has more: the header Link leads to the rest." }),
    ),
  });
}
