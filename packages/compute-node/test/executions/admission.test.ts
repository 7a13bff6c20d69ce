import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createVirtualTime } from "@twentysix/platform";
import type { HostRequirements, InstanceContent } from "@twentysix/protocol";
import { Admission } from "../../src/executions/admission/admission.ts";
import { capacityLimits } from "../../src/executions/admission/capacity.ts";
import { measureDisk } from "../../src/executions/admission/disk-use.ts";
import { assertRequirements, type NodeFacts } from "../../src/executions/admission/requirements.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { hashOf, instanceContent, OWNER, programContent } from "../support/vm-messages.ts";

const DEFAULTS = {
  hostMemoryReservedMib: null,
  programMemoryReservedMib: null,
  vcpuOvercommit: 4,
  diskReservedMib: 0,
};

async function openAdmission() {
  const time = createVirtualTime(1_700_000_000_000_000n);
  const disk = { freeMib: 10_000 };
  const admission = new Admission({
    host: { cpus: 2, memoryMib: 8_192 },
    settings: DEFAULTS,
    executions: () => [],
    measureDisk: async () => ({ totalMib: 100_000, usedMib: new Map(), ...disk }),
    clock: time.clock,
  });
  await admission.measure();
  return { admission, time, disk };
}

function resources(vcpus: number, memory: number): Pick<InstanceContent, "resources"> {
  return { resources: { vcpus, memory, seconds: 1, published_ports: null } };
}

describe("room on a host", () => {
  test("small hosts take instances too, and large ones keep no more than the reference", () => {
    assert.deepEqual(capacityLimits({ cpus: 2, memoryMib: 4_096 }, DEFAULTS), {
      instanceMemoryMib: 4_096 - 410 - 614,
      programMemoryMib: 614,
      vcpus: 8,
    });
    assert.equal(
      capacityLimits({ cpus: 64, memoryMib: 262_144 }, DEFAULTS).instanceMemoryMib,
      262_144 - 2_048 - 8_192,
    );
    const asReference = { ...DEFAULTS, hostMemoryReservedMib: 2_048, programMemoryReservedMib: 8_192 };
    assert.equal(capacityLimits({ cpus: 4, memoryMib: 10_240 }, asReference).instanceMemoryMib, 0);
  });

  test("is held for work in progress until it is written: nobody else gets it", async () => {
    await using folder = await tempFolder();
    const { admission, disk } = await openAdmission();
    const path = join(folder.path, "file");
    const mib = 1_048_576;
    assert.equal(await admission.claims.claim(path, 10_001 * mib), null);
    const claims = await Promise.all(
      [6_000, 6_000].map((wanted) => admission.claims.claim(path, wanted * mib)),
    );
    const [claim] = claims.filter((one) => one !== null);
    assert.ok(claim !== undefined && claims.includes(null), "one of two that want the same");
    assert.equal(admission.headRoom().diskMib, 4_000);
    await writeFile(path, Buffer.alloc(2 * mib, 1), { flush: true });
    disk.freeMib -= 2;
    assert.equal(await claim.growTo(10_000 * mib), true);
    assert.equal(await claim.growTo(10_001 * mib), false);
    assert.equal(admission.headRoom().diskMib, 0);
    claim[Symbol.dispose]();
    assert.equal(admission.headRoom().diskMib, 9_998);
  });

  test("of parents and old disks is beside what a machine was promised", async () => {
    await using folder = await tempFolder();
    const vm = join(folder.path, hashOf("a"));
    await mkdir(join(vm, "export"), { recursive: true });
    const write = (name: string) => writeFile(join(vm, name), Buffer.alloc(1_048_576, 1), { flush: true });
    for (const name of ["parent-x.img", "rootfs.pre-restore-x.qcow2", "export/rootfs.export.qcow2"])
      await write(name);
    assert.equal((await measureDisk(folder.path)).usedMib.get(hashOf("a")), 0);
    for (const name of ["rootfs.qcow2", "volume-data.ext4"]) await write(name);
    assert.equal((await measureDisk(folder.path)).usedMib.get(hashOf("a")), 2);
  });

  test("says of what how much is missing", async () => {
    const { admission } = await openAdmission();
    const rootfs = { ...instanceContent().rootfs, size_mib: 20_000 };
    assert.throws(
      () => admission.assertFits(instanceContent({ ...resources(9, 512), rootfs }), OWNER, null),
      /9 vCPUs required, 8 available; 20000 MiB of disk required, 10000 available/,
    );
    const program = programContent({
      resources: { vcpus: 1, memory: 2_000, seconds: 1, published_ports: null },
    });
    assert.throws(
      () => admission.assertFits(program, OWNER, null),
      /2000 MiB of memory for programs required, 1229/,
    );
  });

  test("a reservation holds it for its owner in any case of letters, for a minute", async () => {
    const { admission, time } = await openAdmission();
    const most = instanceContent(resources(8, 4_096));
    const endsAtMs = admission.reserve(most, OWNER.toLowerCase());
    assert.equal(endsAtMs, 1_700_000_060_000);
    admission.assertFits(most, OWNER, hashOf("a"));
    assert.throws(
      () => admission.assertFits(most, "0xsomebody", hashOf("b")),
      /8 vCPUs required, 0 available/,
    );
    assert.throws(() => admission.reserve(most, "0xsomebody"));
    await time.advance(60_000);
    admission.assertFits(most, "0xsomebody", hashOf("b"));
  });

  test("a newer reservation of an owner takes the place of the older", async () => {
    const { admission } = await openAdmission();
    admission.reserve(instanceContent(resources(8, 512)), OWNER);
    admission.reserve(instanceContent(resources(2, 512)), OWNER);
    assert.equal(admission.headRoom().vcpus, 6);
    admission.consume(OWNER);
    assert.equal(admission.headRoom().vcpus, 8);
  });
});

describe("requirements", () => {
  const node: NodeFacts = {
    nodeHash: hashOf("node"),
    ownerAddress: "0xOwner",
    url: "https://crn1.example.org",
    termsAndConditions: hashOf("terms"),
    cpu: { architecture: "x86_64", vendor: "AuthenticAMD", features: ["sev"] },
    teeUnavailableReason: "this processor has no SEV",
  };
  const check = (requirements: Partial<HostRequirements>): void =>
    assertRequirements(
      instanceContent({ requirements: { cpu: null, node: null, gpu: null, ...requirements } }),
      node,
    );
  const nodeOf = (changes: object) => ({
    node: { owner: null, address_regex: null, node_hash: null, terms_and_conditions: null, ...changes },
  });

  test("that the node meets let the machine pass", () => {
    check({});
    check({ cpu: { architecture: "x86_64", vendor: "AuthenticAMD", features: ["sev"] } });
    check({ cpu: { architecture: "x86_64", vendor: "authenticamd", features: ["SEV"] } });
    check(nodeOf({ owner: "0xowner", node_hash: hashOf("node"), terms_and_conditions: hashOf("terms") }));
    check(nodeOf({ address_regex: "https://(?P<name>crn[0-9]+)\\.example" }));
  });

  test("that it does not meet are named", () => {
    assert.throws(
      () => check({ cpu: { architecture: "arm64", vendor: null, features: null } }),
      /needs arm64/,
    );
    assert.throws(
      () => check({ cpu: { architecture: null, vendor: null, features: ["sev_snp"] } }),
      /lacks sev_snp/,
    );
    assert.throws(() => check(nodeOf({ node_hash: hashOf("other") })), /is for node/);
    assert.throws(() => check(nodeOf({ owner: "0xOther" })), /needs a node of 0xOther/);
    assert.throws(() => check(nodeOf({ terms_and_conditions: hashOf("x") })), /was made for the terms/);
    assert.throws(() => check(nodeOf({ address_regex: "crn1" })), /does not match/);
    const gpu = [
      { vendor: "NVIDIA", device_name: "H100", device_class: "0302", device_id: "10de:2330" },
    ] as const;
    assert.throws(() => check({ gpu }), /matching spec 10de:2330/);
    const trusted = { firmware: null, policy: 1, mode: null, runtime: null, measurements: null };
    const environment = {
      ...instanceContent().environment,
      trusted_execution: { ...trusted, attestation_port: null },
    };
    assert.throws(() => assertRequirements(instanceContent({ environment }), node), /has no SEV/);
  });

  test("with an expression that takes for ever are refused in time", () => {
    assert.throws(() => check(nodeOf({ address_regex: "(.|.|.|.|.|.)*#" })), /cannot be held against/);
  });
});
