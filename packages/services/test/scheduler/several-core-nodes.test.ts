import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { severalCoreNodes } from "../../src/scheduler/http/several-core-nodes.ts";

async function serve(
  answer: (path: string) => readonly [number, string],
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url ?? "");
    response.writeHead(status).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const textOf = async (answer: Response): Promise<string> => `${answer.status} ${await answer.text()}`;

test("the next core node answers when one is gone, or fails; what it refuses is an answer", async () => {
  const gone = await serve(() => [200, ""]);
  gone.server.closeAllConnections();
  await new Promise((resolve) => gone.server.close(resolve));
  const failing = await serve(() => [503, "busy"]);
  const good = await serve((path) => (path === "/missing?x=1" ? [404, "none"] : [200, path]));
  const several = severalCoreNodes([gone.url, failing.url, good.url]);
  assert.equal(await textOf(await several.fetch(`${gone.url}/api?y=2`, {})), "200 /api?y=2");
  assert.equal(await textOf(await several.fetch(`${gone.url}/missing?x=1`, {})), "404 none");
});

test("when none answers, the caller hears of it", async () => {
  const failing = await serve(() => [503, "busy"]);
  const one = severalCoreNodes([failing.url]);
  assert.equal(await textOf(await one.fetch(`${failing.url}/api`, {})), "503 busy");
  failing.server.closeAllConnections();
  await new Promise((resolve) => failing.server.close(resolve));
  await assert.rejects(
    severalCoreNodes([failing.url, failing.url]).fetch(`${failing.url}/api`, {}),
    TypeError,
  );
});
