import { type TObject, Type } from "@sinclair/typebox";
import { CONFIRMATIONS } from "./message.ts";
import { nullable } from "./nullable.ts";

const COMMON = {
  item_hash: Type.String({ description: "Of the latest revision." }),
  content: Type.Unknown(),
  original_item_hash: Type.String(),
  original_type: nullable(Type.String()),
  address: Type.String(),
  ref: Type.Unknown({ description: "As its author wrote it, or null." }),
  channel: nullable(Type.String()),
};

/** A post merged with its latest amend, as each version of the route gives it. */
export const POST_OF_VERSION: Readonly<Record<0 | 1, TObject>> = {
  0: Type.Object({
    ...COMMON,
    chain: Type.String(),
    sender: Type.String(),
    type: nullable(Type.String()),
    confirmed: Type.Boolean(),
    item_content: nullable(Type.String()),
    item_type: Type.String(),
    signature: nullable(Type.String()),
    size: Type.Integer(),
    time: Type.Number(),
    confirmations: CONFIRMATIONS,
    original_signature: nullable(Type.String()),
    hash: Type.String(),
  }),
  1: Type.Object({
    ...COMMON,
    created: Type.String({ format: "date-time" }),
    last_updated: Type.String({ format: "date-time" }),
  }),
};
