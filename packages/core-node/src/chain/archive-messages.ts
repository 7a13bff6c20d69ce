import { ChainError } from "./errors.ts";

const MAX_KEY_CHARACTERS = 64;
/** A message with the longest content has less, every character of it escaped. */
const MAX_MESSAGE_CHARACTERS = 4 * 1024 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The texts of the messages of an archive, `content.messages` of a JSON object, one after the other: never the whole
 * archive in memory, and never long without giving others their turn. The texts are as they were written; each is
 * judged for itself later, and one that is longer than any message is left out.
 *
 * @throws ChainError CHAIN_CONTENT_INVALID at the place where it is no archive any more
 */
export async function* archiveMessages(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const splitter = new ArchiveSplitter();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
    } catch (error) {
      if (error instanceof TypeError) throw invalid("it is not UTF-8");
      throw error;
    }
  };
  for await (const piece of bytes) yield* splitter.push(decode(piece));
  yield* splitter.push(decode());
  splitter.end();
}

const invalid = (why: string): ChainError =>
  new ChainError("CHAIN_CONTENT_INVALID", `The archive is unusable: ${why}`);

/**
 * Follows the nesting of JSON character by character. Path of a message: `{` content `{` messages `[` message.
 */
class ArchiveSplitter {
  /** Open brackets, outermost first. */
  #open: string[] = [];
  /** The key at each of the two outer levels. */
  #keys: [string, string] = ["", ""];
  #isInText = false;
  #isEscaped = false;
  /** The text that may turn out to be a key. */
  #token = "";
  /** Earlier pieces of the message that has begun. */
  #message: string | null = null;
  #wasMessages = false;

  *push(text: string): Generator<string, void, undefined> {
    let start = this.#message === null ? -1 : 0;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (this.#isInText) {
        this.#inText(code, text, index);
        continue;
      }
      switch (code) {
        case QUOTE:
          this.#isInText = true;
          this.#token = "";
          break;
        case 0x3a: // :
          if (this.#open.length <= 2) this.#keys[this.#open.length === 1 ? 0 : 1] = this.#token;
          break;
        case 0x7b: // {
        case 0x5b: // [
          if (this.#isAtMessages(3) && this.#message === null) {
            this.#message = "";
            start = index;
          }
          this.#open.push(code === 0x7b ? "}" : "]");
          if (this.#isAtMessages(3) && code === 0x5b) this.#wasMessages = true;
          break;
        case 0x7d: // }
        case 0x5d: // ]
          if (this.#open.pop() !== String.fromCharCode(code)) throw invalid("its brackets do not match");
          if (this.#message !== null && this.#open.length === 3) {
            const message = this.#message + text.slice(start, index + 1);
            if (message.length <= MAX_MESSAGE_CHARACTERS) yield message;
            this.#message = null;
            start = -1;
          }
          break;
      }
    }
    if (this.#message !== null && this.#message.length <= MAX_MESSAGE_CHARACTERS) {
      this.#message += text.slice(start);
    }
  }

  end(): void {
    if (this.#open.length > 0 || this.#isInText) throw invalid("it ends too early");
    if (!this.#wasMessages) throw invalid("it has no list content.messages");
  }

  #inText(code: number, text: string, index: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInText = false;
    if (this.#isInText && this.#open.length <= 2 && this.#token.length < MAX_KEY_CHARACTERS) {
      this.#token += text[index];
    }
  }

  /** Inside of `content.messages` at that depth. */
  #isAtMessages(depth: number): boolean {
    return (
      this.#open.length === depth &&
      this.#open[2] === "]" &&
      this.#open[1] === "}" &&
      this.#keys[0] === "content" &&
      this.#keys[1] === "messages"
    );
  }
}
