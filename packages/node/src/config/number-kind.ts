import { type OptionKind, type Parsed, parsed } from "./option-kind.ts";

export interface IntegerBounds {
  readonly min: number;
  readonly max: number;
  readonly placeholder?: string;
}

/** A whole number within bounds, both included; a JSON number in the config file. */
export function integer({ min, max, placeholder = "N" }: IntegerBounds): OptionKind<number> {
  const describe = `a whole number from ${min} to ${max}`;
  const check = (value: number): Parsed<number> =>
    Number.isInteger(value) && value >= min && value <= max
      ? parsed(value)
      : { ok: false, expected: describe };
  return {
    placeholder,
    describe,
    parseText: (text) => check(/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN),
    parseJson: (value) => check(typeof value === "number" ? value : Number.NaN),
  };
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(): OptionKind<number> {
  return integer({ min: 0, max: 65_535, placeholder: "PORT" });
}
