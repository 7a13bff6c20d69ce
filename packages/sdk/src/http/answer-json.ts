import {
  decodeUtf8,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  parseJson,
} from "@twentysix/protocol";
import type { Connection, NumberReading } from "../connection.ts";
import { SdkError } from "../errors.ts";
import { type Answer, type RequestParameters, request } from "./request.ts";

/** A GET that is answered with a JSON object. Errors: those of `request`, SDK_BAD_ANSWER. */
export async function getObject(
  connection: Connection,
  parameters: Omit<RequestParameters, "method" | "body" | "accept">,
): Promise<AnswerObject> {
  const answer = await request(connection, { ...parameters, method: "GET" });
  return readObject(connection, answer);
}

/** The same; null when the node answers 404. */
export async function findObject(
  connection: Connection,
  parameters: Omit<RequestParameters, "method" | "body" | "accept">,
): Promise<AnswerObject | null> {
  const answer = await request(connection, { ...parameters, method: "GET", accept: [404] });
  return answer.status === 404 ? null : readObject(connection, answer);
}

export function readObject({ numbers }: Pick<Connection, "numbers">, answer: Answer): AnswerObject {
  const value = readJson(answer.bytes, answer.url, numbers);
  if (!isJsonObject(value)) throw badAnswer(answer.url, "the body is not a JSON object");
  return new AnswerObject(value, answer.url);
}

export function readJson(bytes: Uint8Array, url: string, numbers: NumberReading): JsonValue {
  const text = decodeUtf8(bytes);
  if (text === null) throw badAnswer(url, "the body is not UTF-8");
  return readJsonText(text, url, numbers);
}

export function readJsonText(text: string, url: string, numbers: NumberReading): JsonValue {
  if (numbers === "double") {
    try {
      return JSON.parse(text) as JsonValue;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw badAnswer(url, error.message);
    }
  }
  const parsed = parseJson(text);
  if (!parsed.ok) throw badAnswer(url, `not JSON: ${parsed.reason}`);
  return parsed.value;
}

/** Reads members of an answer and says which one is not as the protocol wants it. */
export class AnswerObject {
  readonly value: JsonObject;
  readonly url: string;

  constructor(value: JsonObject, url: string) {
    this.value = value;
    this.url = url;
  }

  text(key: string): string {
    const member = memberOf(this.value, key);
    if (typeof member !== "string") throw this.bad(key, "a string");
    return member;
  }

  textOrNull(key: string): string | null {
    const member = memberOf(this.value, key) ?? null;
    if (member !== null && typeof member !== "string") throw this.bad(key, "a string or null");
    return member;
  }

  number(key: string): number {
    const member = memberOf(this.value, key);
    if (typeof member !== "number") throw this.bad(key, "a number");
    return member;
  }

  object(key: string): AnswerObject {
    const member = memberOf(this.value, key);
    if (!isJsonObject(member)) throw this.bad(key, "an object");
    return new AnswerObject(member, this.url);
  }

  objects(key: string): AnswerObject[] {
    return this.array(key).map((element) => {
      if (!isJsonObject(element)) throw this.bad(key, "an array of objects");
      return new AnswerObject(element, this.url);
    });
  }

  texts(key: string): string[] {
    return this.array(key).map((element) => {
      if (typeof element !== "string") throw this.bad(key, "an array of strings");
      return element;
    });
  }

  array(key: string): readonly JsonValue[] {
    const member = memberOf(this.value, key);
    if (!Array.isArray(member)) throw this.bad(key, "an array");
    return member;
  }

  bad(key: string, expected: string): SdkError<"SDK_BAD_ANSWER"> {
    return badAnswer(this.url, `"${key}" is not ${expected}`);
  }
}

export function badAnswer(url: string, reason: string): SdkError<"SDK_BAD_ANSWER"> {
  const message = `${url} gives an answer that the protocol does not know: ${reason}; ask another node`;
  return new SdkError("SDK_BAD_ANSWER", message, { url, reason });
}
