import { integer, text } from "./parameter.ts";
import type { ValidationProblem } from "./validation-problem.ts";

/** Cursor pages hold at most this many items, whatever is asked. */
export const MAX_CURSOR_PAGE_SIZE = 200;

/** The parameters of a list in page and cursor mode; `defaultPageSize` and its bounds vary by route. */
export function paginationParameters(defaultPageSize: number, bounds: { minimum: number; maximum?: number }) {
  return {
    page: integer(["page"], 1, { minimum: 1 }),
    pagination: integer(["pagination"], defaultPageSize, bounds),
    cursor: text(["cursor"]),
  };
}

/** How a list was asked for. `pageSize` 0 means all. */
export type ListMode =
  | { readonly kind: "page"; readonly page: number; readonly pageSize: number }
  | { readonly kind: "cursor"; readonly cursor: string; readonly pageSize: number };

export interface PaginationValues {
  readonly page: number;
  readonly pagination: number;
  readonly cursor: string | null;
}

/** The mode is chosen by the presence of `cursor`, even an empty one. Cursor pages cannot be unlimited. */
export function listMode(
  values: PaginationValues,
): { ok: true; mode: ListMode } | { ok: false; problems: ValidationProblem[] } {
  const { page, pagination, cursor } = values;
  if (cursor === null) {
    // Without limit there is one page, whatever page is asked.
    return { ok: true, mode: { kind: "page", page: pagination === 0 ? 1 : page, pageSize: pagination } };
  }
  if (pagination === 0) {
    const problem = {
      type: "value_error",
      loc: ["pagination"],
      msg: "Pagination must be at least 1 in cursor mode",
      input: "0",
    };
    return { ok: false, problems: [problem] };
  }
  return { ok: true, mode: { kind: "cursor", cursor, pageSize: Math.min(pagination, MAX_CURSOR_PAGE_SIZE) } };
}
