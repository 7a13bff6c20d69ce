import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type CliProcess, runCli, startCli } from "./cli-process.ts";

const TIMEOUT = { timeout: 60_000 };

function readyLines(cli: { readonly stdout: string }): unknown[] {
  return cli.stdout
    .split("\n")
    .filter((line) => line.startsWith("ready "))
    .map((line) => JSON.parse(line.slice("ready ".length)));
}

async function whenReady(cli: CliProcess): Promise<void> {
  await cli.shows("stdout", "ready ");
}

describe("a running node", TIMEOUT, () => {
  test("prints one ready line on standard output, and logs JSON on standard error", async () => {
    await using cli = startCli(["node", "--api-port", "4999", "--data-dir", "/tmp/some"], {});
    await whenReady(cli);
    cli.process.kill("SIGTERM");
    assert.deepEqual(await cli.ended, { exitCode: 0, signal: null });
    assert.deepEqual(readyLines(cli), [
      {
        api: "http://127.0.0.1:4999",
        p2p: ["/ip4/127.0.0.1/tcp/4025"],
        version: "1.2.3",
        network: "local",
        address: `pid-${cli.process.pid}`,
        dataDir: "/tmp/some",
      },
    ]);
    assert.equal(cli.stdout.trim().split("\n").length, 1);
    const records = cli.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line).message);
    assert.deepEqual(records, ["the node is ready", "stopping", "stopped"]);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`${signal} stops it cleanly`, async () => {
      await using cli = startCli(["node"]);
      await whenReady(cli);
      cli.process.kill(signal);
      assert.deepEqual(await cli.ended, { exitCode: 0, signal: null });
      assert.match(cli.stderr, /closing/);
    });
  }

  test("a second signal ends a stop that hangs, at once", async () => {
    await using cli = startCli(["node"], { behaviour: "never-closes" });
    await whenReady(cli);
    cli.process.kill("SIGTERM");
    await cli.shows("stderr", "closing");
    // Copies of one key press are not a second wish, so the wish is repeated until it is one.
    const repeat = setInterval(() => cli.process.kill("SIGINT"), 50);
    const { exitCode } = await cli.ended;
    clearInterval(repeat);
    assert.equal(exitCode, 130);
  });

  test("a stop that hangs is given up within 5 s", async () => {
    await using cli = startCli(["node"], { behaviour: "never-closes" });
    await whenReady(cli);
    cli.process.kill("SIGTERM");
    assert.equal((await cli.ended).exitCode, 1);
    assert.match(cli.stderr, /took too long/);
  });

  test("a signal during the start ends it too", async () => {
    await using cli = startCli(["node"], { behaviour: "never-starts" });
    await cli.shows("stderr", "starting");
    cli.process.kill("SIGINT");
    assert.equal((await cli.ended).exitCode, 1);
    assert.deepEqual(readyLines(cli), []);
  });

  test("goes on when nobody reads its standard output any more", async () => {
    await using cli = startCli(["node"]);
    cli.process.stdout.destroy();
    await cli.shows("stderr", "the node is ready");
    cli.process.kill("SIGTERM");
    assert.equal((await cli.ended).exitCode, 0);
  });
});

describe("a node that cannot start", TIMEOUT, () => {
  test("says why in one line when the reason is known", async () => {
    const { exitCode, stderr, stdout } = await runCli(["node"], { behaviour: "port-in-use" });
    assert.equal(exitCode, 1);
    assert.equal(stdout, "");
    assert.equal(stderr, "twentysix: the node cannot start: the port 4024 is taken: choose another\n");
  });

  test("ends with code 2 when the reason is a setting", async () => {
    const { exitCode, stderr } = await runCli(["node"], { behaviour: "bad-setting" });
    assert.equal(exitCode, 2);
    assert.equal(stderr, "twentysix: the node cannot start: --network: there is none\n");
  });

  test("crashes with its stack when the reason is a defect", async () => {
    const { exitCode, stderr } = await runCli(["node"], { behaviour: "defect" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /TypeError: undefined is not a function\n\s+at startNode/);
  });
});

describe("settings", TIMEOUT, () => {
  test("flag over environment over file, through the real command", async (context) => {
    const dir = mkdtempSync(join(tmpdir(), "twentysix-cli-"));
    context.after(() => rmSync(dir, { recursive: true }));
    writeFileSync(join(dir, "node.json"), '{"apiPort": 1, "apiHost": "10.0.0.1", "network": "mainnet"}');
    await using cli = startCli(["node", "--config", "node.json", "--api-port", "3"], {
      workingDir: dir,
      environment: { TWENTYSIX_API_PORT: "2", TWENTYSIX_API_HOST: "10.0.0.2" },
    });
    await whenReady(cli);
    const [facts] = readyLines(cli) as [Record<string, string>];
    assert.deepEqual([facts.api, facts.network], ["http://10.0.0.2:3", "mainnet"]);
    assert.match(facts.dataDir ?? "", /data$/);
  });

  const mistakes: [string[], Record<string, string>, RegExp][] = [
    [["node", "--api-port", "x"], {}, /^twentysix: --api-port: expected .* got "x"$/],
    [
      ["node", "--api-prot", "1"],
      {},
      /^twentysix: unknown option '--api-prot' \(Did you mean --api-port\?\)$/,
    ],
    [["node", "--api-port"], {}, /^twentysix: option '--api-port <PORT>' argument missing$/],
    [["node", "extra"], {}, /^twentysix: too many arguments/],
    [["nod"], {}, /^twentysix: unknown command 'nod' \(Did you mean node\?\)$/],
    [["node", "--config", "/does/not/exist"], {}, /^twentysix: config file .* cannot be read: ENOENT/],
    [["node"], { TWENTYSIX_APIPORT: "1" }, /^twentysix: environment: .*did you mean TWENTYSIX_API_PORT\?$/],
    [["verify"], { TWENTYSIX_LOG_LEVEL: "loud" }, /^twentysix: TWENTYSIX_LOG_LEVEL: expected one of/],
    [["import", "--skip-lines", "few"], {}, /^twentysix: .*expected a whole number$/],
  ];
  for (const [args, environment, expected] of mistakes) {
    test(`${[...Object.keys(environment), ...args].join(" ")} is one line and exit code 2`, async () => {
      const { exitCode, stdout, stderr } = await runCli(args, { environment });
      assert.deepEqual([exitCode, stdout], [2, ""]);
      assert.match(stderr.trimEnd(), expected);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});
