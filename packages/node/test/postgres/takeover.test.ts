import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSystemClock } from "@twentysix/platform";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { findLost } from "../support/check-kept.ts";
import { countOf, noAcknowledgements, runLoad } from "../support/load.ts";
import { startCommand, startNode } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const TAKEOVER_MS = 10_000;

describe("a standby onPostgres", { skip: withoutPostgres }, () => {
  test("takes over within ten seconds when the writer is killed, and has all that was acknowledged", async (t) => {
    using first = temporaryFolder("writer");
    using second = temporaryFolder("standby");
    const flags = ["--database", postgresDatabase()];
    const clock = createSystemClock();
    const acknowledged = noAcknowledgements();
    const writer = await startNode(first.path, { flags });
    let isReady = false;
    const starting = startNode(second.path, { flags }).then((node) => {
      isReady = true;
      return node;
    });
    let killedAtMs = 0;
    await runLoad({
      apiUrl: writer.apiUrl,
      acknowledged,
      seed: 26,
      workers: 8,
      signal: new AbortController().signal,
      onAnswer: () => {
        if (countOf(acknowledged) < 120 || killedAtMs > 0) return;
        assert.equal(isReady, false, "the standby does not serve while the writer does");
        killedAtMs = clock.monotonicMs();
        void writer.kill();
      },
    });
    await using standby = await starting;
    const tookMs = clock.monotonicMs() - killedAtMs;
    t.diagnostic(`took over after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < TAKEOVER_MS, `took ${tookMs} ms`);
    // The files of the writer are in its own folder: what must be here is what the database holds.
    const messages = { ...acknowledged, files: new Map<string, string>() };
    assert.deepEqual(await findLost(standby.apiUrl, messages), []);
    assert.ok(acknowledged.processed.size > 20);
  });

  test("takes over from a writer whose process is stopped; one that goes on after that ends", {
    timeout: 120_000,
  }, async (t) => {
    using first = temporaryFolder("writer");
    using second = temporaryFolder("standby");
    const flags = ["--database", postgresDatabase()];
    const clock = createSystemClock();
    const acknowledged = noAcknowledgements();
    await using writer = await startNode(first.path, { flags });
    const starting = startNode(second.path, { flags });
    const load = new AbortController();
    await runLoad({
      apiUrl: writer.apiUrl,
      acknowledged,
      seed: 27,
      workers: 8,
      signal: load.signal,
      onAnswer: () => {
        if (countOf(acknowledged) >= 60) load.abort();
      },
    });
    const stoppedAtMs = clock.monotonicMs();
    writer.process.kill("SIGSTOP");
    await using standby = await starting;
    t.diagnostic(`took over after ${Math.round(clock.monotonicMs() - stoppedAtMs)} ms`);
    const messages = { ...acknowledged, files: new Map<string, string>() };
    assert.deepEqual(await findLost(standby.apiUrl, messages), []);
    writer.process.kill("SIGCONT");
    const { exitCode } = await writer.ended;
    assert.notEqual(exitCode, 0);
    assert.match(writer.stderr, /session|database/i);
    assert.deepEqual(await findLost(standby.apiUrl, messages), []);
  });

  test("ends at once, and well, when it is told to", async () => {
    using first = temporaryFolder("writer");
    using second = temporaryFolder("standby");
    const database = postgresDatabase();
    await using _writer = await startNode(first.path, { flags: ["--database", database] });
    const args = [
      "node",
      "--data-dir",
      second.path,
      "--api-port",
      "0",
      "--p2p-port",
      "0",
      "--database",
      database,
    ];
    const standby = startCommand(args);
    const waits = Promise.withResolvers<void>();
    standby.process.stderr.on("data", () => {
      if (standby.output.stderr.includes("waiting to take over")) waits.resolve();
    });
    await waits.promise;
    standby.process.kill("SIGTERM");
    assert.deepEqual(await standby.ended, { exitCode: 0, signal: null });
    assert.equal(standby.output.stdout, "");
  });
});
