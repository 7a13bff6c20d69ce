import { SchedulerError } from "../errors.ts";

export type RawQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

const MAX_VALUES = 256;
export const MAX_PAGE_SIZE = 200;
const DEFAULT_PAGE_SIZE = 50;

/** Reads parameters of a request; what is not asked for is not looked at. */
export class Query {
  readonly #raw: RawQuery;

  constructor(raw: unknown) {
    this.#raw = raw as RawQuery;
  }

  /** Alternatives, repeated or separated by commas; null: the parameter is not there. */
  texts(...names: readonly string[]): readonly string[] | null {
    const found = names.flatMap((name) => {
      const value = Object.hasOwn(this.#raw, name) ? this.#raw[name] : undefined;
      return value === undefined ? [] : typeof value === "string" ? [value] : [...value];
    });
    if (found.length === 0) return null;
    const values = found.flatMap((text) => text.split(",")).filter((text) => text !== "");
    if (values.length > MAX_VALUES) throw bad(names[0] ?? "", `has more than ${MAX_VALUES} values`);
    return values;
  }

  text(name: string): string | null {
    return this.texts(name)?.[0] ?? null;
  }

  oneOf<Value extends string>(name: string, allowed: readonly Value[]): readonly Value[] | null {
    const values = this.texts(name);
    if (values === null) return null;
    return values.map((value) => {
      const known = allowed.find((one) => one === value);
      if (known === undefined) throw bad(name, `"${value}" is none of ${allowed.join(", ")}`);
      return known;
    });
  }

  boolean(name: string): boolean | null {
    const value = this.text(name);
    if (value === null) return null;
    if (value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw bad(name, `"${value}" is neither true nor false`);
  }

  integer(name: string, { min, max }: { readonly min: number; readonly max: number }): number | null {
    const value = this.text(name);
    if (value === null) return null;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw bad(name, `"${value}" is no whole number from ${min} to ${max}`);
  }

  /** `page_size` beyond the largest is taken for the largest. */
  page(): { readonly page: number; readonly pageSize: number } {
    const page = this.integer("page", { min: 1, max: 1e9 }) ?? 1;
    const size = this.integer("page_size", { min: 1, max: Number.MAX_SAFE_INTEGER }) ?? DEFAULT_PAGE_SIZE;
    return { page, pageSize: Math.min(size, MAX_PAGE_SIZE) };
  }
}

const bad = (name: string, why: string): SchedulerError =>
  new SchedulerError("SCHEDULER_BAD_PARAMETER", `${name}: ${why}`);
