import { PatternError } from "./pattern-error.ts";
import type { Width } from "./pattern-width.ts";

/** A group that may be referred to: how wide it is once it is closed. */
export class PatternGroups {
  /** Index 0 is the whole pattern, which is never closed. */
  readonly #widths: (Width | null)[] = [null];
  readonly #byName = new Map<string, number>();
  readonly #conditions: number[] = [];
  /** Number of groups when the outermost look-behind began; null outside of one. */
  lookBehindStart: number | null = null;

  get count(): number {
    return this.#widths.length;
  }

  open(name: string | null): number {
    const group = this.#widths.length;
    this.#widths.push(null);
    if (name !== null) {
      if (this.#byName.has(name)) throw new PatternError(`redefinition of group name '${name}'`);
      this.#byName.set(name, group);
    }
    return group;
  }

  close(group: number, width: Width): void {
    this.#widths[group] = width;
  }

  /** The group of a name; unknown names are an error. */
  named(name: string): number {
    const group = this.#byName.get(name);
    if (group === undefined) throw new PatternError(`unknown group name '${name}'`);
    return group;
  }

  /** Width of a group that is referred to by its content. */
  refer(group: number): Width {
    if (group >= this.#widths.length) throw new PatternError(`invalid group reference ${group}`);
    const width = this.#widths[group] ?? null;
    if (width === null) throw new PatternError("cannot refer to an open group");
    this.checkLookBehind(group);
    return width;
  }

  /** A condition may name a group that comes later, so it is checked at the end. */
  condition(group: number): void {
    this.#conditions.push(group);
    this.checkLookBehind(group);
  }

  checkLookBehind(group: number): void {
    if (this.lookBehindStart === null) return;
    if ((this.#widths[group] ?? null) === null) throw new PatternError("cannot refer to an open group");
    if (group >= this.lookBehindStart) {
      throw new PatternError("cannot refer to a group defined in the same lookbehind subpattern");
    }
  }

  checkConditions(): void {
    const missing = this.#conditions.find((group) => group >= this.#widths.length);
    if (missing !== undefined) throw new PatternError(`invalid group reference ${missing}`);
  }
}

export function checkGroupName(name: string): void {
  if (!/^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(name)) {
    throw new PatternError(`bad character in group name '${name}'`);
  }
}
