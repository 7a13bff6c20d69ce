import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import type { AddressInfo } from "node:net";
import type { ResolveTxt } from "../../src/functions/http/named-hosts.ts";

/** A name server of this machine that knows TXT records, and a resolver that asks it. */
export interface TestDns extends AsyncDisposable {
  readonly records: Map<string, string>;
  /** Names that were asked for, in order. */
  readonly asked: string[];
  readonly resolveTxt: ResolveTxt;
}

const HEADER_BYTES = 12;

export async function startTestDns(): Promise<TestDns> {
  const socket = createSocket("udp4");
  const records = new Map<string, string>();
  const asked: string[] = [];
  socket.on("message", (query, { address, port }) => {
    const { name, end } = readName(query);
    asked.push(name);
    socket.send(answerOf(query.subarray(0, end), records.get(name)), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return {
    records,
    asked,
    resolveTxt: (name) => resolver.resolveTxt(name),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** The name of the only question, and where the question ends. */
function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + size));
    at += 1 + size;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 5 };
}

/** Source: RFC 1035, section 4. */
function answerOf(question: Buffer, text: string | undefined): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(text === undefined ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(text === undefined ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  if (text === undefined) return head;
  const bytes = Buffer.from(text);
  const record = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60, 0, bytes.length + 1, bytes.length]);
  return Buffer.concat([head, record, bytes]);
}
