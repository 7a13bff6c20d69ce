import { Type } from "@sinclair/typebox";
import { COST_LINE } from "../economy/price-answer.ts";
import { nullable } from "./nullable.ts";

const TIME = Type.String({ format: "date-time" });

const COST = {
  item_hash: Type.String(),
  owner: Type.String(),
  payment_type: Type.String(),
  cost_hold: Type.String(),
  cost_stream: Type.String(),
  cost_credit: Type.String(),
  pricing_revision: Type.String({ description: "SHA-256 of the price list that it was computed by." }),
  started_at: Type.String({
    format: "date-time",
    description:
      "The time of the message, or when this node had it if that was earlier; when it came back after a removal.",
  }),
};

const RESOURCE = Type.Object({
  ...COST,
  consumed_credits: Type.Integer(),
  detail: nullable(Type.Array(COST_LINE)),
});

/** `/api/v1/costs/ended`. */
export const ENDED_COSTS = Type.Object({
  resources: Type.Array(Type.Object({ ...COST, detail: Type.Array(COST_LINE), ended_at: TIME })),
  pagination_page: Type.Optional(Type.Integer()),
  pagination_total: Type.Optional(Type.Integer()),
  pagination_per_page: Type.Integer(),
  pagination_item: Type.Optional(Type.String()),
  next_cursor: Type.Optional(nullable(Type.String({ description: "Only with cursor." }))),
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
