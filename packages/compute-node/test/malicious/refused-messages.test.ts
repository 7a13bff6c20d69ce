import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { tinyDisk } from "../../src/images/build/tiny-guest.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import {
  NotTaken,
  smallInstance,
  smallProgram,
  startTargetNode,
  type TargetNode,
} from "../support/target-node.ts";
import { badDisks } from "./support/bad-images.ts";
import {
  type BadFiles,
  NOT_TAKEN,
  PROGRAMS_NOT_TAKEN,
  refusedInstances,
  refusedPrograms,
  storeBadFiles,
} from "./support/bad-messages.ts";

/** None of these needs a machine: what takes longer has begun something that it should not. */
const MAX_MS = 15_000;

describe("messages that nobody should obey", { timeout: 280_000 }, () => {
  let node: TargetNode;
  let files: BadFiles;
  let disk: Buffer;
  before(async () => {
    const { qcow2Path } = await tinyDisk(IMAGES_FOLDER, buildOptions(AbortSignal.timeout(200_000)));
    disk = await readFile(qcow2Path);
    node = await startTargetNode({ ipv4Pool: "10.231.0.0/16", firstHostPort: 38_000 });
    files = await storeBadFiles(node);
  });
  after(() => node[Symbol.asyncDispose]());

  const nothingRuns = async (vmHash: string): Promise<void> => {
    assert.deepEqual(await node.leftOf(vmHash), [], "nothing of it is left");
    assert.notEqual((await node.listed(vmHash))?.running, true);
  };

  test("are not taken by the network, with where they are wrong", async () => {
    for (const [what, content, reason] of NOT_TAKEN) {
      const publications = [
        node.program(smallProgram(files.image, files.code, content)),
        node.instance(smallInstance(files.junk, content)),
      ];
      for (const publication of publications) {
        const isTold = (error: unknown) => error instanceof NotTaken && reason.test(error.message);
        await assert.rejects(publication, isTold, what);
      }
    }
    for (const [what, content, reason] of PROGRAMS_NOT_TAKEN) {
      const publication = node.program(smallProgram(files.image, files.code, content));
      await assert.rejects(publication, (error: Error) => reason.test(error.message), what);
    }
  });

  test("that are programs are refused to whoever calls them, with a code and what to change", async () => {
    for (const [what, content, code, reason] of refusedPrograms(files)) {
      const vmHash = await node.program(smallProgram(files.image, files.code, content));
      const { status, text, tookMs } = await node.visit(vmHash);
      const told = JSON.parse(text) as { error: string; code: string; reason?: string };
      assert.equal(told.code, code, `${what}: ${text}`);
      assert.match(told.reason ?? told.error, reason, what);
      assert.equal(status, told.reason === undefined ? 500 : 503, what);
      assert.ok(tookMs < MAX_MS, `${what} took ${tookMs} ms`);
      const listed = await node.listed(vmHash);
      if (told.reason === undefined && listed !== null) {
        assert.deepEqual([listed.state, listed.reason?.code], ["failed", code], what);
        assert.match(listed.reason?.text ?? "", reason);
      }
      await nothingRuns(vmHash);
    }
  });

  test("whose files follow amends end at the newest of the original: no amend of an amend leads in rounds", async () => {
    const { client, owner } = node.core;
    const amend = async (ref: string, bytes: Uint8Array<ArrayBuffer> | string): Promise<string> => {
      const file = new Blob([bytes]);
      const payment = { type: "credit" } as const;
      return (await client.storeFile({ account: owner, file, ref, payment, sync: true })).itemHash;
    };
    const first = await node.store("the first file");
    const second = await amend(first, "the second file");
    await assert.rejects(amend(second, "the first file"), /not targeting the original version/);
    const runtime = { ref: first, use_latest: true, comment: "" };
    const vmHash = await node.program(smallProgram(files.image, files.code, { runtime }));
    const { text, tookMs } = await node.visit(vmHash);
    assert.ok(text.includes(`The runtime ${second} cannot be used`), text);
    assert.ok(tookMs < MAX_MS);
    await nothingRuns(vmHash);
  });

  const expectNotPlaced = async (
    what: string,
    content: object,
    code: string,
    reason: RegExp,
  ): Promise<void> => {
    const vmHash = await node.instance(content);
    const startedMs = performance.now();
    const error = (await node.place({ instances: [vmHash] }))[vmHash] ?? "it runs";
    assert.match(error, new RegExp(`VmSetupError\\('${code}: `), `${what}: ${error}`);
    assert.match(error, reason, what);
    assert.ok(performance.now() - startedMs < MAX_MS, what);
    const listed = await node.listed(vmHash);
    if (listed !== null) assert.deepEqual([listed.state, listed.reason?.code], ["failed", code], what);
    await nothingRuns(vmHash);
    await node.place({});
  };

  test("that are instances on disks which lead elsewhere, or are damaged, are refused to their scheduler", async () => {
    for (const [what, bytes, reason] of badDisks(disk)) {
      const parent = await node.store(bytes);
      await expectNotPlaced(what, smallInstance(parent), "IMAGE_INVALID", reason);
    }
  });

  test("that are instances which no host can be are refused to their scheduler", async () => {
    const good = await node.store(disk);
    const [, leadsElsewhere] = badDisks(disk)[0] ?? [];
    const bad = await node.store(leadsElsewhere ?? "");
    for (const [what, content, code, reason] of refusedInstances(good, bad)) {
      await expectNotPlaced(what, smallInstance(good, content), code, reason);
    }
  });
});
