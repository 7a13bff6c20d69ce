import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { nullable } from "./nullable.ts";

/** What stands behind the items of a page or of a cursor page. */
export const PAGE_FIGURES = {
  pagination_per_page: Type.Integer({ description: "0 when all items were asked for." }),
  pagination_page: Type.Optional(Type.Integer({ description: "Only without cursor." })),
  pagination_total: Type.Optional(
    Type.Integer({
      description: "Only without cursor; a lower bound when the header X-Total-Approximate is set.",
    }),
  ),
  next_cursor: Type.Optional(
    nullable(Type.String({ description: "Only with cursor; null behind the last item." })),
  ),
} as const;

/** The answer of a list in both modes: items under `key`, then the figures of a page or of a cursor page. */
export function listSchema(key: string, item: TSchema): TObject {
  return Type.Object({
    [key]: Type.Array(item),
    ...PAGE_FIGURES,
    pagination_item: Type.Optional(Type.Literal(key, { description: "Only without cursor." })),
  });
}
