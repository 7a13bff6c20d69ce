import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createEvmAccount, type LocalAccount, type MessageType } from "@twentysix/protocol";

export interface RawMessage {
  readonly type: MessageType;
  /** Members of the content beside address and time, as JSON text without braces. */
  readonly members: string;
  readonly account: LocalAccount;
  readonly channel?: string | null;
  /** Seconds, as they are to be written. */
  readonly time?: string;
  readonly owner?: string;
}

export interface SignedText {
  readonly itemHash: string;
  /** The content exactly as it was signed. */
  readonly content: string;
  readonly signature: string;
  /** The envelope as JSON text. */
  readonly envelope: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export function rawAccount(label: string): LocalAccount {
  return createEvmAccount({ privateKey: createHash("sha256").update(`raw ${label}`).digest() });
}

/** Signs a message whose JSON is written here character by character, so that a test knows every one of them. */
export async function signRaw(message: RawMessage): Promise<SignedText> {
  const { account, type, members, channel = "RAW", time = "1700000000.5" } = message;
  const owner = JSON.stringify(message.owner ?? account.address);
  const content = `{"address":${owner},"time":${time}${members === "" ? "" : ","}${members}}`;
  const itemHash = createHash("sha256").update(content).digest("hex");
  const timeMicros = BigInt(Math.round(Number(time) * 1e6));
  const signature = await account.sign({ type, itemHash, timeMicros });
  const fields = [
    `"chain":"${account.chain}"`,
    `"sender":"${account.address}"`,
    `"type":"${type}"`,
    `"channel":${JSON.stringify(channel)}`,
    `"time":${time}`,
    `"item_type":"inline"`,
    `"item_content":${JSON.stringify(content)}`,
    `"item_hash":"${itemHash}"`,
    `"signature":${JSON.stringify(signature)}`,
  ];
  return { itemHash, content, signature, envelope: `{${fields.join(",")}}` };
}

export async function get(node: { readonly apiUrl: string }, path: string): Promise<HttpAnswer> {
  return readAnswer(await fetch(node.apiUrl + path));
}

export async function post(
  node: { readonly apiUrl: string },
  path: string,
  body: string,
): Promise<HttpAnswer> {
  return readAnswer(
    await fetch(node.apiUrl + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    }),
  );
}

/** Submits and waits for the end, which must be good. */
export async function putRaw(node: { readonly apiUrl: string }, message: RawMessage): Promise<SignedText> {
  const signed = await signRaw(message);
  const answer = await post(node, "/api/v0/messages", `{"sync":true,"message":${signed.envelope}}`);
  assert.equal(answer.status, 200, answer.text);
  return signed;
}

/** The JSON of an answer that must be 200. */
export async function getJson<Shape = Record<string, unknown>>(
  node: { readonly apiUrl: string },
  path: string,
): Promise<Shape> {
  const { status, text } = await get(node, path);
  assert.equal(status, 200, `${path}: ${text}`);
  return JSON.parse(text) as Shape;
}

async function readAnswer(response: Response): Promise<HttpAnswer> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}
