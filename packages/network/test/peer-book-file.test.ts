import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type KnownPeer, peerBookFile } from "../src/index.ts";

const book = (size: number): readonly KnownPeer[] =>
  Array.from({ length: size }, (_, at) => ({
    peerId: `peer ${at}`,
    addresses: ["/ip4/192.0.2.1/tcp/4025"],
    apiUrl: null,
    lastSeenMs: at,
  }));

test("a peer book that is written while it is being written is the last one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-book-"));
  try {
    const unreadable: unknown[] = [];
    const file = peerBookFile(join(folder, "peers.json"), (error) => unreadable.push(error));
    await Promise.all([2_000, 1, 500].map((size) => file.write(book(size))));
    assert.deepEqual(await file.read(), book(500));
    assert.deepEqual(unreadable, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
