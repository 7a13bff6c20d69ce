import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LeaseWatchdog } from "../../src/helper/lease-watchdog.ts";
import { type MachineRecord, MachineRecords } from "../../src/helper/machine-record.ts";

describe("what the helper keeps", () => {
  test("counts for nothing where a loss of power has left a piece of it", () => {
    using folder = temporaryFolder();
    for (const name of ["vm-a.json", "vm-b.json.tmp", "exits.json"])
      writeFileSync(join(folder.path, name), "");
    writeFileSync(join(folder.path, "vm-c.json"), '{"spec":{"vmHash":"c"},"bootI');
    const records = new MachineRecords(folder.path);
    records.write(recordOf("d", "this"));
    records.write(recordOf("e", "earlier"));
    assert.deepEqual(
      records.readAll("this").map(({ spec }) => spec.vmHash),
      ["d"],
    );
    assert.equal(records.exitOf("launch"), null);
    assert.deepEqual(readdirSync(folder.path).toSorted(), ["exits.json", "vm-d.json"]);
  });

  test("of leases counts for machines of this boot alone", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "watchdog.json"), "");
    for (const name of ["a.lease", "b.lease", "b.lease.tmp"]) {
      writeFileSync(join(folder.path, name), `${process.pid} 1 99999999\n`);
    }
    new LeaseWatchdog(folder.path).keepOnly(new Set(["a"]));
    assert.deepEqual(readdirSync(folder.path).toSorted(), ["a.lease", "watchdog.json"]);
  });
});

const recordOf = (vmHash: string, bootId: string): MachineRecord =>
  ({ spec: { vmHash }, bootId }) as unknown as MachineRecord;

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "records-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
