import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { createClientAddress } from "../../../src/functions/http/client-address.ts";

function from(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

test("the address of a client is the nearest that no trusted proxy has", () => {
  const clientOf = createClientAddress(["10.0.0.0/8", "::1", "2001:db8:1::/48"]);
  for (const [remote, forwarded, expected] of [
    ["203.0.113.9", "1.1.1.1", "203.0.113.9"],
    ["10.1.2.3", undefined, "10.1.2.3"],
    ["::ffff:10.1.2.3", "1.1.1.1", "1.1.1.1"],
    ["10.1.2.3", "1.1.1.1, 203.0.113.9, 2001:db8:1::7 , 10.0.0.1", "203.0.113.9"],
    ["::1", "10.0.0.1", "10.0.0.1"],
    ["10.0.0.1", "203.0.113.9:4711", "203.0.113.9"],
    ["10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"],
    ["10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    [undefined, "1.1.1.1", ""],
  ] as const) {
    assert.equal(clientOf(from(remote, forwarded)), expected, `${remote} ${forwarded}`);
  }
});
