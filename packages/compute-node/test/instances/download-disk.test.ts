import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { downloadDisk } from "../../src/instances/migration/download-disk.ts";

const BYTES = Buffer.alloc(300_000, 26);
const FILE = {
  name: "rootfs.qcow2",
  sizeBytes: BYTES.length,
  sha256: createHash("sha256").update(BYTES).digest("hex"),
  downloadPath: "/control/machine/x/migration/disk/rootfs.qcow2",
};

const system = createSystemTimers();
/** Pauses between attempts take no time; a silence is as long as ever. */
const timers = {
  sleep: (delayMs: number, signal?: AbortSignal) => system.sleep(delayMs < 60_000 ? 0 : delayMs, signal),
};

async function fetchFrom(listener: RequestListener): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "download-"));
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await downloadDisk(FILE, join(folder, "disk"), {
      // No name server knows it: only what was looked at before can lead anywhere.
      source: {
        url: `http://source.invalid:${port}`,
        addresses: [{ address: "127.0.0.1", family: 4 }],
      },
      exportToken: "a token",
      timers,
      onBytes: () => {},
      signal: AbortSignal.timeout(20_000),
    });
    return readFileSync(join(folder, "disk"));
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a disk comes from the address that was checked, whatever its name leads to by then", async () => {
  const asked: (string | undefined)[] = [];
  const found = await fetchFrom((request, response) => {
    asked.push(request.url, request.headers.host?.replace(/:\d+$/, ""));
    response.end(BYTES);
  });
  assert.ok(found.equals(BYTES));
  assert.deepEqual(asked, [`${FILE.downloadPath}?token=a%20token`, "source.invalid"]);
});

test("a disk whose connection breaks is fetched from where it broke", async () => {
  const ranges: (string | undefined)[] = [];
  const found = await fetchFrom((request, response) => {
    ranges.push(request.headers.range);
    const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    if (start === undefined) {
      response.writeHead(200, { "content-length": BYTES.length });
      response.write(BYTES.subarray(0, 100_000), () => response.destroy());
    } else response.writeHead(206).end(BYTES.subarray(Number(start)));
  });
  assert.ok(found.equals(BYTES));
  assert.equal(ranges.length, 2);
});

test("a source that leads elsewhere is not followed", async () => {
  let asked = 0;
  const fetched = fetchFrom((_request, response) => {
    asked += 1;
    response.writeHead(302, { location: "http://127.0.0.1/" }).end();
  });
  await assert.rejects(fetched, /the source answers 302/);
  assert.equal(asked, 5);
});
