const VERSION = /^v?(\d+(?:\.\d+)*)(?:[-.]?(a|b|rc|alpha|beta|dev|post)\.?(\d*))?(?:\+[\w.]+)?$/i;
/** Before the release itself, and after it. */
const RANKS: Readonly<Record<string, number>> = {
  dev: -4,
  a: -3,
  alpha: -3,
  b: -2,
  beta: -2,
  rc: -1,
  post: 1,
};

/** Below 0: older, 0: the same, above: newer. null: one of them is no version. Source: PEP 440, the part in use. */
export function compareVersions(own: string, reference: string): number | null {
  const [left, right] = [parse(own), parse(reference)];
  if (left === null || right === null) return null;
  const length = Math.max(left.release.length, right.release.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left.release[index] ?? 0) - (right.release[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.rank - right.rank || left.step - right.step;
}

function parse(
  text: string,
): { readonly release: readonly number[]; readonly rank: number; readonly step: number } | null {
  const match = text.length > 100 ? null : VERSION.exec(text);
  if (match === null) return null;
  const [, release = "", kind, step = ""] = match;
  return {
    release: release.split(".").map(Number),
    rank: kind === undefined ? 0 : (RANKS[kind.toLowerCase()] ?? 0),
    step: Number(step),
  };
}
