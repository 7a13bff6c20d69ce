import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { rotateLog, tailOf } from "../../src/helper/log-files.ts";

describe("logs of machines", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "logs-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("are emptied when they are full, and their writer goes on", () => {
    const path = join(dir, "serial.log");
    const writer = openSync(path, "a");
    writeSync(writer, "a".repeat(90));
    assert.equal(rotateLog(path, 100), false);
    writeSync(writer, "b".repeat(90));
    assert.equal(rotateLog(path, 100), true);
    writeSync(writer, "after");
    closeSync(writer);
    assert.equal(readFileSync(path, "utf8"), "after");
    assert.equal(readFileSync(`${path}.1`, "utf8"), `${"a".repeat(10)}${"b".repeat(90)}`);
  });

  it("are never looked for behind a link", () => {
    const target = join(dir, "secret");
    writeFileSync(target, "x".repeat(200));
    const link = join(dir, "link.log");
    symlinkSync(target, link);
    assert.throws(() => rotateLog(link, 100), /ELOOP/);
    assert.throws(() => tailOf(link, 100), /ELOOP/);
    assert.equal(statSync(target).size, 200);
  });

  it("show their end as one line", () => {
    const path = join(dir, "qemu.log");
    appendFileSync(path, "first\nsecond\n  third\n");
    assert.equal(tailOf(path, 15), "second; third");
    assert.equal(tailOf(join(dir, "none"), 15), "");
  });
});
