/** Fewest and most characters that a part of a pattern matches. */
export interface Width {
  readonly min: number;
  readonly max: number;
}

export const NO_WIDTH: Width = { min: 0, max: 0 };
export const ONE_CHARACTER: Width = { min: 1, max: 1 };

const MAX_WIDTH = 2 ** 64;

export function followedBy(left: Width, right: Width): Width {
  return capped(left.min + right.min, left.max + right.max);
}

export function eitherOf(left: Width, right: Width): Width {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}

/** `max` may be infinite. */
export function repeated(width: Width, min: number, max: number): Width {
  return capped(width.min * min, width.max === 0 ? 0 : width.max * max);
}

function capped(min: number, max: number): Width {
  return { min: Math.min(min, MAX_WIDTH), max: Math.min(max, MAX_WIDTH) };
}
