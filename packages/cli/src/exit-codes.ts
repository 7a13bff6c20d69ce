/** How the command ends, as other programs see it. */
export const EXIT = {
  ok: 0,
  /** It could not be done, or what was checked is not right. */
  failed: 1,
  /** It was asked wrongly: an unknown name or a bad value. */
  usage: 2,
} as const;

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** The exit code of a program that a signal ended, by the convention of shells. */
export function exitCodeOfSignal(signal: keyof typeof SIGNAL_NUMBERS): number {
  return 128 + SIGNAL_NUMBERS[signal];
}
