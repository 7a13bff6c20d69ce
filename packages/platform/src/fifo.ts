/** How many taken slots may stand at the front before they are cut off. */
const COMPACT_AT = 1_024;

/** First in, first out, in constant time at both ends (an array's `shift` moves every element). */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The oldest item without taking it. Only valid while `length` is not 0. */
  peek(): T {
    return this.#items[this.#head] as T;
  }

  /** Takes the oldest item. Only valid while `length` is not 0. */
  shift(): T {
    const item = this.#items[this.#head] as T;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
