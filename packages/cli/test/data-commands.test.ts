import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { runCli, startCli } from "./cli-process.ts";

const dir = mkdtempSync(join(tmpdir(), "twentysix-cli-"));
after(() => rmSync(dir, { recursive: true }));

describe("verify", { timeout: 60_000 }, () => {
  test("reports what it found; a difference is exit code 1", async () => {
    const good = await runCli(["verify", "--data-dir", "/some/where"]);
    assert.deepEqual(JSON.parse(good.stdout), { ok: true, root: "/some/where", count: 3, problems: [] });
    assert.equal(good.exitCode, 0);
    assert.equal((await runCli(["verify"], { behaviour: "differs" })).exitCode, 1);
  });
});

describe("export", { timeout: 60_000 }, () => {
  test("goes to standard output; the report goes beside it", async () => {
    const { exitCode, stdout, stderr } = await runCli(["export"]);
    assert.deepEqual([exitCode, stdout], [0, "start\nend\n"]);
    assert.deepEqual(JSON.parse(stderr), { messages: 2, lastItemHash: "end", forgotten: 0, files: 1 });
  });

  test("files go along unless they are left out", async () => {
    const { stderr } = await runCli(["export", "--no-files"]);
    assert.equal(JSON.parse(stderr).files, 0);
  });

  test("never overwrites a file, and appends to it when it goes on", async () => {
    const file = join(dir, "messages.ndjson");
    assert.equal((await runCli(["export", "--output", file])).exitCode, 0);
    const again = await runCli(["export", "--output", file]);
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /^twentysix export: EEXIST/);
    assert.equal((await runCli(["export", "--output", file, "--after", "end"])).exitCode, 0);
    assert.equal(readFileSync(file, "utf8"), "start\nend\nend\nend\n");
  });
});

describe("import", { timeout: 60_000 }, () => {
  test("reads a file or standard input, passing over lines that are done", async () => {
    const file = join(dir, "input.ndjson");
    writeFileSync(file, "1\n2\n3\n");
    const fromFile = await runCli(["import", "--input", file, "--skip-lines", "2"]);
    assert.equal(JSON.parse(fromFile.stdout).lines, 1);
    const fromStdin = await runCli(["import"], { input: "1\n" });
    assert.equal(JSON.parse(fromStdin.stdout).lines, 1);
  });

  test("what the file says of forgotten messages is believed only when asked for", async () => {
    for (const flags of [[], ["--trust-forgotten"]]) {
      const { stdout } = await runCli(["import", ...flags], { input: "1\n" });
      const { forgotten, forgottenPassedOver } = JSON.parse(stdout);
      assert.deepEqual([forgotten, forgottenPassedOver], [flags.length, 1 - flags.length]);
    }
  });

  test("a file that is not there is one line", async () => {
    const { exitCode, stderr } = await runCli(["import", "--input", join(dir, "gone")]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^twentysix import: ENOENT[^\n]*\n$/);
  });

  test("a signal interrupts it, with the exit code of that signal", async () => {
    await using cli = startCli(["import"], { behaviour: "endless" });
    await cli.shows("stderr", "importing");
    cli.process.kill("SIGTERM");
    assert.equal((await cli.ended).exitCode, 143);
  });
});
