import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import type { ScopeGuest } from "../../../src/functions/guests/program-guest.ts";
import { sendFunctionError, startFailure } from "../../../src/functions/http/function-error.ts";
import { scopeRequest } from "../../../src/functions/http/scope-request.ts";
import { DEFAULT_FUNCTION_SETTINGS } from "../../../src/functions/settings.ts";

test("a guest that takes whole requests is not kept by one that does not come", async () => {
  const asked: unknown[] = [];
  const guest = {
    kind: "scopes",
    request: async (scope: unknown) => {
      asked.push(scope);
      return { kind: "empty" };
    },
  } as unknown as ScopeGuest;
  const settings = { ...DEFAULT_FUNCTION_SETTINGS, bodyTimeoutMs: 100 };
  const server = createServer(async (request, response) => {
    const exchange = {
      request,
      response,
      suffix: "/",
      addedHeaders: [],
      deadlineMs: 60_000,
      showsTraceback: false,
    };
    try {
      await scopeRequest(exchange, guest, { settings, timers: createSystemTimers() });
    } catch (error) {
      sendFunctionError(response, startFailure(error));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").setEncoding("utf8");
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n0123456789");
  const [answer] = await once(socket, "data");
  assert.match(String(answer), /^HTTP\/1\.1 408 /);
  assert.deepEqual(asked, []);
  socket.destroy();
  server.close();
});
