/** Lines kept of one kind of problem; the rest is counted. */
const MAX_LINES_OF_A_KIND = 20;

/** What a verification found, in bounded memory however damaged the data is. */
export class Problems {
  readonly #lines: string[] = [];
  readonly #counts = new Map<string, number>();

  /** `kind` is what the problem is about: a table, messages, files. */
  report(kind: string, text: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= MAX_LINES_OF_A_KIND) this.#lines.push(`${kind}: ${text}`);
  }

  lines(): string[] {
    const rest = [...this.#counts]
      .filter(([, count]) => count > MAX_LINES_OF_A_KIND)
      .map(([kind, count]) => `${kind}: ${count - MAX_LINES_OF_A_KIND} more`);
    return [...this.#lines, ...rest];
  }
}
