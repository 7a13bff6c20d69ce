import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { runCli, startCli } from "./cli-process.ts";

const TIMEOUT = { timeout: 60_000 };

describe("the launcher that runs the command in another runtime", TIMEOUT, () => {
  const script = "stub-launcher.mjs";

  test("passes arguments, streams and the exit code on", async () => {
    const { exitCode, stdout } = await runCli(["import"], { script, input: "a\nb\n" });
    assert.equal(exitCode, 0);
    assert.equal(JSON.parse(stdout).lines, 2);
    assert.equal((await runCli(["verify"], { script, behaviour: "differs" })).exitCode, 1);
    assert.equal((await runCli(["node", "--bad"], { script })).exitCode, 2);
  });

  test("passes signals on and waits for the clean stop", async () => {
    await using cli = startCli(["node"], { script });
    await cli.shows("stdout", "ready ");
    cli.process.kill("SIGINT");
    assert.deepEqual(await cli.ended, { exitCode: 0, signal: null });
    assert.match(cli.stderr, /closing/);
  });

  test("ends by the signal that ended the command", async () => {
    await using cli = startCli(["node"], { script });
    await cli.shows("stdout", "ready ");
    const pid = Number(/pid-(\d+)/.exec(cli.stdout)?.[1]);
    process.kill(pid, "SIGKILL");
    assert.deepEqual(await cli.ended, { exitCode: null, signal: "SIGKILL" });
  });

  test("stops when the shell that npm put before it is gone", {
    skip: process.platform === "win32",
  }, async () => {
    await using cli = startCli(["node"], { script, underShell: true });
    await cli.shows("stdout", "ready ");
    cli.process.kill("SIGTERM");
    // The output closes only when the node, which shares it, is gone as well.
    assert.equal((await cli.ended).signal, "SIGTERM");
    assert.match(cli.stderr, /closing/);
  });

  test("stops when npm itself is killed and its shell lives on", {
    skip: process.platform !== "linux",
  }, async () => {
    await using cli = startCli(["node"], { script, underShell: "of npm" });
    await cli.shows("stdout", "ready ");
    cli.process.kill("SIGKILL");
    // The output closes only when the shell and the node, which share it, are gone as well.
    assert.equal((await cli.ended).signal, "SIGKILL");
    assert.match(cli.stderr, /closing/);
  });

  test("leaves no orphan when it is killed itself", async () => {
    await using cli = startCli(["node"], { script });
    await cli.shows("stdout", "ready ");
    cli.process.kill("SIGKILL");
    // The output closes only when the node, which shares it, is gone as well.
    assert.equal((await cli.ended).signal, "SIGKILL");
    assert.match(cli.stderr, /closing/);
  });
});

describe("the command", TIMEOUT, () => {
  const script = "../../bin/twentysix.mjs";
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

  test("--version and --help answer on standard output", async () => {
    assert.deepEqual(await runCli(["--version"], { script }), {
      exitCode: 0,
      stdout: `${version}\n`,
      stderr: "",
    });
    const help = await runCli(["--help"], { script });
    assert.equal(help.exitCode, 0);
    for (const name of ["node", "up", "verify", "export", "import"])
      assert.match(help.stdout, new RegExp(`^  ${name}`, "m"));
    const nodeHelp = await runCli(["node", "--help"], { script });
    assert.match(nodeHelp.stdout, /--api-port <PORT>[\s\S]*default 4024[\s\S]*TWENTYSIX_DATA_DIR/);
  });

  test("without a command it shows the help as an error of usage", async () => {
    const { exitCode, stdout, stderr } = await runCli([], { script });
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(stderr, /^Usage: twentysix/);
  });
});
