import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defaultConfig, type NodeConfig } from "../../src/config/index.ts";
import { importMessages, SettingError, startNode } from "../../src/index.ts";
import { runCommand } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A value that reads well and only turns out to be wrong when it is used is named like every other bad value. */
async function assertRefused(config: Partial<NodeConfig>, setting: string, expected: RegExp): Promise<void> {
  using folder = temporaryFolder("setting");
  const complete = defaultConfig(folder.path, { apiPort: 0, p2pPort: null, logLevel: "silent", ...config });
  await assert.rejects(startNode(complete), (error) => {
    assert.ok(error instanceof SettingError, String(error));
    assert.equal(error.setting, setting);
    assert.match(error.message, expected);
    return true;
  });
}

describe("a network that nobody can belong to", () => {
  test("a name that is not shipped", async () => {
    const message = /^--network: the network "nope" is not shipped: choose one of local, mainnet, or name/;
    await assertRefused({ network: "nope" }, "network", message);
    using folder = temporaryFolder("network");
    const source = process.stdin;
    const { signal } = new AbortController();
    const options = { source, skipLines: 0, trustForgotten: false, signal };
    await assert.rejects(importMessages(defaultConfig(folder.path, { network: "nope" }), options), {
      message,
    });
  });

  test("a file that is not there, is no JSON, or is no definition", async () => {
    using folder = temporaryFolder("network");
    const network = join(folder.path, "network.json");
    await assertRefused(
      { network },
      "network",
      /^--network: cannot read the definition: ENOENT.*network\.json/,
    );
    writeFileSync(network, "{");
    await assertRefused({ network }, "network", /^--network: .*network\.json is not valid JSON/);
    writeFileSync(network, '{"name":"x"}');
    await assertRefused({ network }, "network", /network\.json is not a network definition: .*limits: Field/);
  });
});

describe("a data folder that cannot be", () => {
  test("below a folder that refuses with ENOENT although it stands there", { timeout: 60_000 }, async () => {
    // In a process of its own: this once ran for ever, deaf to every signal.
    const args = ["node", "--data-dir", "/proc/x", "--log-level", "error"];
    const { exitCode, stdout, stderr } = await runCommand(args);
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(
      stderr,
      /^twentysix: the node cannot start: --data-dir: \/proc\/x cannot be a data folder: ENOENT[^\n]*\n$/,
    );
    await assertRefused({ dataDir: "/proc/x/y" }, "dataDir", /^--data-dir: \/proc\/x\/y cannot be/);
  });

  test("one that stands and takes no file", async () => {
    await assertRefused({ dataDir: "/proc" }, "dataDir", /^--data-dir: \/proc cannot be/);
  });

  test("a file, below a file, or with a file where a folder belongs", async () => {
    using folder = temporaryFolder("data");
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    await assertRefused({ dataDir: file }, "dataDir", /EEXIST.*file'$/);
    await assertRefused({ dataDir: join(file, "data") }, "dataDir", /EEXIST.*file'$/);
    const dataDir = join(folder.path, "data");
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "keys"), "");
    await assertRefused({ dataDir }, "dataDir", /EEXIST.*keys'$/);
  });

  test("a folder far below others that are missing is made", async () => {
    using folder = temporaryFolder("data");
    const dataDir = join(folder.path, "a", "b", "c");
    const node = await startNode(defaultConfig(folder.path, { dataDir, apiPort: 0, logLevel: "error" }));
    await node.close();
  });
});
