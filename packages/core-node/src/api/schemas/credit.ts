import { Type } from "@sinclair/typebox";
import { nullable } from "./nullable.ts";

const TEXT = nullable(Type.String());
const COUNT = nullable(Type.Integer());

/** One entry of a credit history; the same in page and in cursor mode. */
export const CREDIT_ENTRY = Type.Object({
  amount: Type.Integer({ description: "Above zero what came in, below what went out." }),
  price: nullable(Type.String({ description: "A decimal." })),
  bonus_amount: COUNT,
  tx_hash: TEXT,
  token: TEXT,
  chain: TEXT,
  provider: TEXT,
  origin: TEXT,
  origin_ref: TEXT,
  payment_method: TEXT,
  credit_ref: Type.String({ description: "The message that made the entry." }),
  credit_index: Type.Integer(),
  expiration_date: nullable(Type.String({ format: "date-time" })),
  message_timestamp: Type.String({ format: "date-time" }),
  expense_count: COUNT,
  expense_size_mib: nullable(Type.String({ description: "A decimal." })),
});

/** Sums over entries. */
export const CREDIT_SUMMARY = Type.Object({
  address: Type.String(),
  entry_count: Type.Integer(),
  total_amount: Type.Integer(),
  total_incoming: Type.Integer(),
  total_outgoing: Type.Integer({ description: "Zero or below." }),
});
