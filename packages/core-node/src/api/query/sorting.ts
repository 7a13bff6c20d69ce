import type { Direction } from "@twentysix/storage";
import { choice } from "./parameter.ts";

/** `1` ascending, `-1` descending (the default). */
export const SORT_ORDER = choice(["sortOrder", "sort_order"], ["-1", "1"], "-1");

export function directionOf(sortOrder: "-1" | "1"): Direction {
  return sortOrder === "1" ? "asc" : "desc";
}
