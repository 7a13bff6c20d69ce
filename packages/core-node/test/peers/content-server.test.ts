import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MemoryNetwork } from "@twentysix/network/test-streams";
import { createSystemTimers, createVirtualTime } from "@twentysix/platform";
import { ContentStore } from "@twentysix/storage";
import { FileHolds } from "../../src/content/file-holds.ts";
import { askForContent } from "../../src/peers/content-protocol.ts";
import { ContentServer, type ContentServerOptions } from "../../src/peers/content-server.ts";

const SIZE_BYTES = 4 * 1024 * 1024;
const never = new AbortController().signal;

describe("a node that is asked for contents", { timeout: 60_000 }, () => {
  test("leaves those who do not take theirs, when all places are taken and others wait", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "twentysix-contents-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const contents = stack.use(await ContentStore.open({ folder, timers: createSystemTimers() }));
    const { sha256 } = await contents.putFile([randomBytes(SIZE_BYTES)], { names: ["fixedCid"] });
    const network = new MemoryNetwork();
    const { clock, advance } = createVirtualTime();
    const file = { hash: sha256, cid: null, sizeBytes: SIZE_BYTES, type: "file" as const };
    // Of the records nothing else is asked.
    const reads = { file: async () => file } as unknown as ContentServerOptions["reads"];
    const records = { keptFile: async () => null };
    const { streams } = network.peer("node");
    const server = new ContentServer({ streams, contents, holds: new FileHolds(), reads, records, clock });
    stack.defer(server.close);
    const ask = (name: string) => {
      network.peer(name);
      network.connect("node", name);
      return async () =>
        (
          await askForContent(
            network.peer(name).streams,
            "node",
            { hash: sha256, offset: 0, length: null, part: "content" },
            never,
          )
        ).head.state;
    };
    // Nobody of these reads more than the head.
    for (const name of ["a", "b", "c", "d"]) {
      const asking = ask(name);
      for (let count = 0; count < 8; count += 1) assert.equal(await asking(), "found");
      assert.equal(await asking(), "busy", "one peer has no more places");
    }
    const late = ask("late");
    assert.equal(await late(), "busy", "they may be slow to begin");
    await advance(60_000);
    assert.equal(await late(), "found");
  });
});
