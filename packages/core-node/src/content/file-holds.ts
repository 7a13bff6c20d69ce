import { createDeferred, type Deferred } from "@twentysix/platform";

/**
 * Who is busy with the bytes of which name, in this process: any number of users (uploads until their record is
 * durable, downloads until their last byte) or one deletion.
 */
export class FileHolds {
  readonly #users = new Map<string, number>();
  readonly #deletions = new Map<string, Deferred<void>>();
  /** Names in use that were to be taken for a deletion meanwhile. */
  readonly #awaited = new Set<string>();
  #onFree: () => void = () => undefined;

  /** Called when the last user lets go of a name that a deletion was refused. */
  set onFree(callback: () => void) {
    this.#onFree = callback;
  }

  /** Keeps deletions away from a name; waits for the end of one that has begun. Letting go twice is once. */
  async hold(name: string): Promise<Disposable> {
    for (let deletion = this.#deletions.get(name); deletion !== undefined; ) {
      await deletion.promise;
      deletion = this.#deletions.get(name);
    }
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#letGo(name);
      },
    };
  }

  /** Takes a name for its deletion; null when somebody is busy with it. */
  takeForDeletion(name: string): Disposable | null {
    if (this.#users.has(name)) this.#awaited.add(name);
    if (this.#users.has(name) || this.#deletions.has(name)) return null;
    const deletion = createDeferred<void>();
    this.#deletions.set(name, deletion);
    return {
      [Symbol.dispose]: () => {
        this.#deletions.delete(name);
        deletion.resolve();
      },
    };
  }

  #letGo(name: string): void {
    const left = (this.#users.get(name) ?? 1) - 1;
    if (left > 0) {
      this.#users.set(name, left);
      return;
    }
    this.#users.delete(name);
    if (this.#awaited.delete(name)) this.#onFree();
  }
}
