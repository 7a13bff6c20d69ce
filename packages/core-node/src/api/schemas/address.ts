import { type TObject, Type } from "@sinclair/typebox";
import { PAGE_FIGURES } from "./list.ts";

export const ADDRESS_FILES = Type.Object({
  address: Type.String(),
  total_size: Type.Integer({ description: "Bytes of all files of the address." }),
  files: Type.Array(
    Type.Object({
      file_hash: Type.String(),
      size: Type.Integer({ description: "Bytes." }),
      type: Type.String(),
      created: Type.Union([Type.String({ format: "date-time" }), Type.Number()], {
        description: "ISO 8601, with cursor seconds.",
      }),
      item_hash: Type.String({ description: "The STORE message." }),
    }),
  ),
  ...PAGE_FIGURES,
});

export const POST_TYPES = Type.Object({ address: Type.String(), post_types: Type.Array(Type.String()) });

export const ADDRESS_CHANNELS = Type.Object({
  address: Type.String(),
  channels: Type.Array(Type.String()),
});

const COUNTS = Type.Object({
  messages: Type.Integer({ description: "Of all types." }),
  aggregate: Type.Integer(),
  forget: Type.Integer(),
  instance: Type.Integer(),
  post: Type.Integer(),
  program: Type.Integer(),
  store: Type.Integer(),
});

/** Counts by address. */
export const ADDRESS_STATS = Type.Object({ data: Type.Record(Type.String(), COUNTS) });

/** The same as a list. */
export const ADDRESS_STATS_PAGE = Type.Object({
  data: Type.Record(Type.String(), COUNTS),
  ...PAGE_FIGURES,
  pagination_item: Type.Optional(Type.Literal("addresses", { description: "Only without cursor." })),
});

/** Entries of `security` aggregates by the address on the other side, each without it. */
export const AUTHORIZATIONS: TObject = Type.Object({
  address: Type.String(),
  authorizations: Type.Record(Type.String(), Type.Array(Type.Record(Type.String(), Type.Unknown()))),
  ...PAGE_FIGURES,
  pagination_item: Type.Literal("authorizations"),
});
