/** Milliseconds from the first to the last, both included. */
export type TimeRange = readonly [firstMs: number, lastMs: number];

/** The ranges in their order, those that touch as one. */
export function mergedRanges(ranges: readonly TimeRange[]): TimeRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else if (first <= last) merged.push([first, last]);
  }
  return merged;
}

/** What is in `ranges` and not in `others`. */
export function withoutRanges(ranges: readonly TimeRange[], others: readonly TimeRange[]): TimeRange[] {
  const taken = mergedRanges(others);
  return mergedRanges(ranges).flatMap(([first, last]) => {
    const left: TimeRange[] = [];
    let start = first;
    for (const [from, to] of taken) {
      if (to < start || from > last) continue;
      if (from > start) left.push([start, from - 1]);
      start = to + 1;
    }
    return start <= last ? [...left, [start, last] as const] : left;
  });
}
