import { Type } from "@sinclair/typebox";
import { COST_LINE } from "../economy/price-answer.ts";
import { nullable } from "./nullable.ts";

const RESOURCE = Type.Object({
  item_hash: Type.String(),
  owner: Type.String(),
  payment_type: Type.String(),
  consumed_credits: Type.Integer(),
  cost_hold: Type.String(),
  cost_stream: Type.String(),
  cost_credit: Type.String(),
  detail: nullable(Type.Array(COST_LINE)),
});

const FIGURE = Type.Optional(nullable(Type.Integer()));

/** `/api/v0/costs`: what belongs to the list is null without details. */
export const COSTS = Type.Object({
  summary: Type.Object({
    total_consumed_credits: Type.Integer({ description: "Whatever the payment type." }),
    total_cost_hold: Type.String(),
    total_cost_stream: Type.String(),
    total_cost_credit: Type.String(),
    resource_count: Type.Integer(),
  }),
  filters: Type.Object({
    address: nullable(Type.String()),
    item_hash: nullable(Type.String()),
    payment_type: Type.String(),
  }),
  resources: nullable(Type.Array(RESOURCE)),
  pagination_page: FIGURE,
  pagination_total: FIGURE,
  pagination_per_page: FIGURE,
  pagination_item: Type.Optional(nullable(Type.String())),
  next_cursor: Type.Optional(nullable(Type.String({ description: "Only with cursor." }))),
});
