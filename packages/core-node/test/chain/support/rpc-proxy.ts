import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** What becomes of a request: it is passed on, passed on without an answer, or neither. */
export type Verdict = "pass" | "swallow-answer" | "drop";

/** Stands between a node and its chain. */
export async function startRpcProxy(
  context: TestContext,
  target: string,
  judge: (method: string) => Verdict,
): Promise<string> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await Array.fromAsync(request));
    const { method } = JSON.parse(body.toString()) as { method: string };
    const verdict = judge(method);
    const answer =
      verdict === "drop"
        ? null
        : await fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body });
    const text = answer === null ? "" : await answer.text();
    if (verdict === "pass") response.end(text);
    else request.socket.destroy();
  };
  // A chain that is gone breaks off, as it does without anybody between.
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
