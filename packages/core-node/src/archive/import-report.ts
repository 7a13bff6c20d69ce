export interface ImportProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly itemHash: string | null;
  readonly reason: string;
}

export interface ImportReport {
  /** Lines that are done, those passed over included: where an interrupted import may go on. */
  readonly lines: number;
  /** Messages that were accepted, those included that had waited for one of this file. */
  readonly processed: number;
  readonly alreadyKnown: number;
  /** Copies that were refused, lines that are none included. */
  readonly rejected: number;
  /** Messages of the data folder that wait at the end, for a file or another message. */
  readonly pending: number;
  /** Files that came along and were stored. */
  readonly files: number;
  /** Messages that are forgotten here now on the word of the file. */
  readonly forgotten: number;
  /** Forgotten messages that were left out, since the file is not trusted. */
  readonly forgottenPassedOver: number;
  readonly interrupted: boolean;
  /** The first of what was refused. */
  readonly problems: readonly ImportProblem[];
}

const MAX_PROBLEMS = 100;

/** Counts what becomes of the lines of a file. */
export class ImportTally {
  readonly #problems: ImportProblem[] = [];
  lines = 0;
  alreadyKnown = 0;
  rejected = 0;
  files = 0;
  isInterrupted = false;

  refuse(line: number, itemHash: string | null, reason: string): void {
    this.rejected += 1;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ line, itemHash, reason });
  }

  report(
    others: Pick<ImportReport, "processed" | "pending" | "forgotten" | "forgottenPassedOver">,
  ): ImportReport {
    return {
      lines: this.lines,
      alreadyKnown: this.alreadyKnown,
      rejected: this.rejected,
      files: this.files,
      ...others,
      interrupted: this.isInterrupted,
      problems: this.#problems.toSorted((a, b) => a.line - b.line),
    };
  }
}
