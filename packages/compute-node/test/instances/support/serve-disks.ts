import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { InstanceServiceError } from "../../../src/control/instance-services.ts";
import type { InstanceNode } from "./instance-node.ts";

/** The route by which another node fetches exported disks. */
export async function serveDisks(
  node: InstanceNode,
  vmHash: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://source");
    const name = url.pathname.split("/").at(-1) ?? "";
    try {
      const disk = await node.migrations.openDisk(vmHash, name, url.searchParams.get("token") ?? "");
      if (disk === null) return void response.writeHead(404).end();
      response.writeHead(200, { "content-length": disk.sizeBytes });
      try {
        await pipeline(createReadStream(disk.path), response);
      } finally {
        disk.release();
      }
    } catch (error) {
      if (!(error instanceof InstanceServiceError)) throw error;
      response.writeHead(401).end(error.message);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}
