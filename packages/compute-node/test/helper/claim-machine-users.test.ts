import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { claimMachineUsers } from "../../src/helper/claim-machine-users.ts";
import { lockFolder } from "../../src/helper/folder-lock.ts";
import { recordsFolderOf } from "../../src/helper/helper-folders.ts";
import { MAX_RANGES, MAX_VM_NUMBER } from "../../src/helper/machine-user.ts";
import { tempFolder } from "../support/temp-folder.ts";

const CLAIM = fileURLToPath(new URL("./claim-entry.ts", import.meta.url));

describe("users of the machines of the nodes of one host", () => {
  test("belong to one node each, and stay the same", async () => {
    await using folder = await tempFolder();
    const users = join(folder.path, "users");
    const nodes = Array.from({ length: 4 }, (_, index) => join(folder.path, `node-${index}`));
    for (const node of nodes) mkdirSync(node);
    const claimed = nodes.map((node) => claimMachineUsers(node, users));
    const all = claimed.flatMap(({ of, templateGroupId }) => [of(0), of(MAX_VM_NUMBER), templateGroupId]);
    assert.equal(new Set(all).size, all.length);
    for (const [index, { has }] of claimed.entries()) {
      assert.deepEqual(
        claimed.map(({ of }) => has(of(7))),
        claimed.map((_, other) => other === index),
      );
    }
    symlinkSync(nodes[2] ?? "", join(folder.path, "link"));
    assert.equal(claimMachineUsers(join(folder.path, "link"), users).of(3), claimed[2]?.of(3));
  });

  test("are claimed by many at once, and never twice", async () => {
    await using folder = await tempFolder();
    const users = join(folder.path, "users");
    const nodes = Array.from({ length: 6 }, (_, index) => join(folder.path, `node-${index}`));
    const claims = nodes.map(async (node) => {
      mkdirSync(node);
      const child = spawn(process.execPath, [CLAIM, node, users], { stdio: ["ignore", "pipe", "inherit"] });
      const said = child.stdout.setEncoding("utf8").toArray();
      await once(child, "close");
      return (await said).join("");
    });
    const firsts = await Promise.all(claims);
    assert.equal(new Set(firsts).size, nodes.length, firsts.join(" "));
    assert.ok(firsts.every((id) => Number(id) >= 200_000));
  });

  test("are free again when their node is gone, or else when its helper does not run; none are taken from who does", async () => {
    await using folder = await tempFolder();
    const users = join(folder.path, "users");
    using locks = new DisposableStack();
    const nodes: string[] = [];
    const claimNext = (runs: boolean): number => {
      const node = join(folder.path, `node-${nodes.length}`);
      mkdirSync(node);
      nodes.push(node);
      const lock = runs ? lockFolder(recordsFolderOf(node)) : null;
      if (lock !== null) locks.use(lock);
      return claimMachineUsers(node, users).of(0);
    };
    const away = claimNext(false);
    const gone = claimNext(true);
    const running = new Set<number>();
    // Machines of other nodes of this host may have the users of some ranges.
    for (let id = claimNext(true); id !== away; id = claimNext(true)) running.add(id);
    assert.ok(running.size <= MAX_RANGES - 2);
    assert.throws(() => claimNext(true), { code: "HELPER_REFUSED", message: /are taken/ });
    rmSync(nodes[1] ?? "", { recursive: true });
    assert.equal(claimNext(true), gone);
  });
});
