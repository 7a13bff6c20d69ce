import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A process of its own that answers every page by the same text, as long as that of a node: what a walk over it
 * takes is the machine's and the generator's.
 */

const ITEM_BYTES = 900;

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? "/", "http://bare");
  const items = Number(searchParams.get("pagination") ?? 20);
  response.setHeader("content-type", "application/json");
  response.end(`{"messages":"${"x".repeat(items * ITEM_BYTES)}","next_cursor":"x"}`);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
