import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isPublicAddress } from "@twentysix/platform";
import fc from "fast-check";
import { readExecutionsList } from "../../src/scheduler/inputs/executions-list.ts";
import { staticGuestAddress } from "../../src/scheduler/inputs/guest-address.ts";
import {
  isPublicPool,
  readNodeCapabilities,
  readNodeReport,
} from "../../src/scheduler/inputs/node-report.ts";
import { readAddress, readRegistrations } from "../../src/scheduler/inputs/registrations.ts";
import { readWishes } from "../../src/scheduler/inputs/wishes.ts";

describe("what strangers write", () => {
  test("never makes reading fail", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        readNodeReport(json);
        readNodeCapabilities(json);
        readExecutionsList(json);
        if (typeof json === "object" && json !== null && !Array.isArray(json)) {
          readRegistrations(json as never);
          readRegistrations({ resource_nodes: [json] } as never);
          readWishes(json as never);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("of a node takes little room, however much they write", () => {
    const long = "x".repeat(4_000);
    const names = ["vendor", "model", "device_name", "device_class"].map((name) => [name, long]);
    const device = { ...Object.fromEntries(names), device_id: "10de:26b1" };
    const devices = Array.from({ length: 64 }, () => device);
    const report = readNodeReport({
      properties: {
        cpu: { architecture: "x86_64", vendor: long, features: ["sev", ...Array(255).fill(long)] },
      },
      gpu: { devices, available_devices: devices },
    });
    assert.ok(JSON.stringify(report).length < 20_000);
    assert.equal(report.cpuArchitecture, "x86_64");
    assert.deepEqual(report.cpuFeatures, ["sev"]);
    assert.equal(report.gpus[0]?.deviceId, "10de:26b1");
  });

  test("hides no other machine by an odd entry", () => {
    const list = readExecutionsList({
      good: {
        networking: { ipv6_ip: "2a01::1", mapped_ports: { "22": { host: 1, tcp: true } } },
        running: true,
      },
      odd: 7,
      bare: {},
      failed: { running: false, state: "failed", reason: { code: "X", text: "no image" } },
      visited: { vm_type: "microvm", running: true },
    });
    assert.deepEqual(Object.keys(list ?? {}), ["good", "odd", "bare", "failed"]);
    assert.deepEqual(list?.good?.addresses?.mappedPorts, { "22": { host: 1, tcp: true, udp: false } });
    assert.equal(list?.failed?.failure, "no image");
    assert.equal(readExecutionsList([]), null);
  });

  test("is an address only when it is one", () => {
    assert.equal(readAddress("https://crn.example.org/"), "https://crn.example.org/");
    for (const bad of ["", "ftp://x", "https://a:b@x", "https://x/?q=1", "https://x/#f", "nonsense", null]) {
      assert.equal(readAddress(bad), null, String(bad));
    }
  });
});

describe("addresses of guests and nodes", () => {
  test("follow from the pool, the kind and the hash", () => {
    const hash = `decadeca${"0".repeat(56)}`;
    assert.equal(
      staticGuestAddress("fc00:1:2:3::/64", "instance", `decadeca${"deca".repeat(14)}`),
      "fc00:1:2:3:3:deca:deca:dec1",
    );
    assert.equal(
      staticGuestAddress("2001:db8::/64", "persistent_program", hash),
      "2001:db8:0:0:2:deca:deca:1",
    );
    assert.equal(staticGuestAddress("nonsense", "instance", hash), null);
  });

  test("are public, or not", () => {
    const open = ["2a01:4f8::1", "8.8.8.8"];
    const closed = [
      "10.0.0.1",
      "127.0.0.1",
      "169.254.1.1",
      "172.31.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
    ];
    const closed6 = [
      "::1",
      "::",
      "fc00::1",
      "fe80::1",
      "ff02::1",
      "2001:db8::1",
      "::ffff:10.0.0.1",
      "2002::1",
      "x",
    ];
    for (const address of open) assert.equal(isPublicAddress(address), true, address);
    for (const address of [...closed, ...closed6]) assert.equal(isPublicAddress(address), false, address);
    assert.equal(isPublicPool("2a01:4f8:1:2::/64"), true);
    for (const pool of ["fc00:1:2:3::/64", "2a01:4f8::/48", "2a01:4f8::1", "10.0.0.0/64"]) {
      assert.equal(isPublicPool(pool), false, pool);
    }
  });

  test("of head-room are taken as the node says them", () => {
    const report = readNodeReport({
      cpu: { count: 4 },
      mem: { total_kB: 1_048_576 },
      head_room: { vcpus: 3, instance_memory_mib: 5, program_memory_mib: 6, disk_mib: 7 },
    });
    assert.deepEqual(report.headroom, { vcpus: 3, instanceMemoryMib: 5, programMemoryMib: 6, diskMib: 7 });
    assert.equal(report.memoryMib, 1_000);
  });
});
