/**
 * When parts of a growing log were first seen. A guest's console has no times of its own: these are those of the node,
 * as exact as it looks often.
 */
export class LogTimes {
  readonly #marks: { readonly endBytes: number; readonly atMs: number }[] = [];

  /** The log is now so long. */
  mark(endBytes: number, atMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && endBytes < last.endBytes) this.#marks.length = 0;
    if (last?.endBytes === endBytes) return;
    this.#marks.push({ endBytes, atMs });
    // Every second one of the older half goes: times become coarser, not wrong.
    if (this.#marks.length > MAX_MARKS) thinOut(this.#marks);
  }

  /** When the byte at this place was seen; null: before anybody looked. */
  at(offsetBytes: number): number | null {
    return (
      this.#marks.find(({ endBytes }) => offsetBytes < endBytes)?.atMs ?? this.#marks.at(-1)?.atMs ?? null
    );
  }
}

const MAX_MARKS = 2_000;

function thinOut(marks: unknown[]): void {
  for (let index = MAX_MARKS / 2; index >= 0; index -= 2) marks.splice(index, 1);
}
