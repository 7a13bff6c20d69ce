import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createConnection } from "@twentysix/sdk";
import { MessageSource } from "../../src/scheduler/inputs/message-source.ts";

test("wishes are asked for by the owners of machines: what strangers publish is not read", async () => {
  const asked: (readonly string[])[] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? "/", "http://core").searchParams;
    const addresses = (query.get("addresses") ?? "").split(",");
    asked.push(addresses);
    const aggregates = addresses.slice(0, 1).map((address) => ({
      ...{ address, key: "placement", content: { machine: { cold_restart: true } } },
      ...{ created: "2026-01-01T00:00:00+00:00", last_updated: "2026-01-01T00:00:00+00:00" },
    }));
    const page = { pagination_page: 1, pagination_total: 1, pagination_per_page: 100 };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ aggregates, ...page, pagination_item: "aggregates" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const source = new MessageSource({
    connection: createConnection({ apiUrl: `http://127.0.0.1:${port}` }),
    switches: {},
    registry: { address: "0x0", key: "corechannel" },
  });
  const owners = Array.from({ length: 250 }, (_, index) => `0x${index.toString(16).padStart(40, "0")}`);
  const wishes = await source.wishes(owners, AbortSignal.timeout(10_000));
  assert.deepEqual(
    asked.map((addresses) => addresses.length),
    [100, 100, 50],
  );
  assert.deepEqual([...wishes.keys()], [owners[0], owners[100], owners[200]]);
  assert.equal(wishes.get(owners[0] ?? "")?.get("machine")?.hasColdRestart, true);
  assert.equal((await source.wishes([], AbortSignal.timeout(10_000))).size, 0);
  assert.equal(asked.length, 3, "without machines nobody is asked");
  server.close();
});
