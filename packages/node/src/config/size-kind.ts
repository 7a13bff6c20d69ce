import { type OptionKind, type Parsed, parsed } from "./option-kind.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const SIZE = /^(?<amount>\d{1,15}(?:\.\d{1,6})?)\s?(?<unit>[kmgt]?i?b|)$/i;

const DESCRIPTION =
  "a size such as 512MiB or 10GB (kB, MB, GB, TB count in 1000, KiB, MiB, GiB, TiB in 1024)";

/** Writes a number of bytes as short as it can be without loss: `25MiB`. */
export function sizeText(sizeBytes: number): string {
  const [unit, unitBytes] = BINARY_UNITS.find(([, bytes]) => sizeBytes % bytes === 0) ?? ["", 1];
  return `${sizeBytes / unitBytes}${unit}`;
}

const BINARY_UNITS = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
] as const;

/** Reads `10GB`, `1.5 GiB` or `4096` into bytes; undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const groups = SIZE.exec(text)?.groups;
  const unitBytes = UNIT_BYTES[(groups?.unit ?? "").toLowerCase()];
  if (groups === undefined || unitBytes === undefined) return undefined;
  const sizeBytes = Math.round(Number(groups.amount) * unitBytes);
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

/** A number of bytes, at least `minBytes`. */
export function size(minBytes: number): OptionKind<number> {
  const describe = `${DESCRIPTION}, at least ${minBytes} bytes`;
  const check = (sizeBytes: number | undefined): Parsed<number> =>
    sizeBytes !== undefined && Number.isSafeInteger(sizeBytes) && sizeBytes >= minBytes
      ? parsed(sizeBytes)
      : { ok: false, expected: describe };
  return {
    placeholder: "SIZE",
    describe,
    parseText: (text) => check(parseSize(text)),
    parseJson: (value) =>
      check(typeof value === "string" ? parseSize(value) : typeof value === "number" ? value : undefined),
  };
}
