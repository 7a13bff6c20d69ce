/** One measured figure, beside what is asked of it and what a baseline of the same run gave. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `>= 4000` or `<= 15`; absent where nothing is asked. */
  readonly target?: string;
  /** The same work without the product, in the same run, where that says something. */
  readonly baseline?: { readonly name: string; readonly value: number };
  readonly remark?: string;
}

/** True or false where a target is set, else null. */
export function isMet({ value, target }: Figure): boolean | null {
  const match = /^(>=|<=) ([\d.]+)$/.exec(target ?? "");
  if (match === null) return null;
  const bound = Number(match[2]);
  return match[1] === ">=" ? value >= bound : value <= bound;
}

/** The value below which this share of the samples lies; NaN for none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const MARKS = { true: "met", false: "MISSED", null: "" } as const;

/** The figures as a table of plain text. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${round(figure.value)} ${figure.unit}`,
    figure.target ?? "",
    MARKS[`${isMet(figure)}`],
    figure.baseline === undefined ? "" : `${figure.baseline.name}: ${round(figure.baseline.value)}`,
    figure.remark ?? "",
  ]);
  const all = [["figure", "measured", "target", "", "baseline of the same run", "remark"], ...rows];
  const widths = all[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const round = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(Math.round(value * 100) / 100);
