/** `2024-01-02T03:04:05.123456+00:00`; a fraction of zero is left out, as clients are used to here. */
export function isoWithOffset(micros: bigint): string {
  const { seconds, fraction } = split(micros);
  return `${seconds}${fraction === "000000" ? "" : `.${fraction}`}+00:00`;
}

/** `2024-01-02T03:04:05.123456Z`, always with six digits: some clients demand the fraction. */
export function isoUtc(micros: bigint): string {
  const { seconds, fraction } = split(micros);
  return `${seconds}.${fraction}Z`;
}

function split(micros: bigint): { seconds: string; fraction: string } {
  const inSecond = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const wholeSeconds = (micros - inSecond) / 1_000_000n;
  return {
    seconds: new Date(Number(wholeSeconds) * 1_000).toISOString().slice(0, 19),
    fraction: inSecond.toString().padStart(6, "0"),
  };
}
