import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { createDeferred } from "@twentysix/platform";
import { createNetworkControl } from "../../src/control/network-control.ts";
import { createPortMappings } from "../../src/networking/port-mappings.ts";
import type { VmNetworkRequest, VmNetworks, WantedPort } from "../../src/networking/vm-network.ts";
import { FakeHost } from "../support/fake-host.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const BY_OWNER = { source: "owner", isPersistent: true } as const;
const SSH: WantedPort = { guestPort: 22, tcp: true, udp: false };

function open() {
  const { manager, time } = openTestExecutions(new FakeHost());
  const database = new DatabaseSync(":memory:");
  const ports = createPortMappings({ database, clock: time.clock, isPortFree: async () => true });
  const set: VmNetworkRequest[] = [];
  const asked: ((wanted: readonly WantedPort[]) => void)[] = [];
  const control = createNetworkControl({
    executions: manager,
    networks: {
      mode: "tap",
      setPorts: async (request) => void set.push(request),
    } as Partial<VmNetworks> as VmNetworks,
    wantedPorts: () => {
      const { promise, resolve } = createDeferred<readonly WantedPort[]>();
      asked.push(resolve);
      return promise;
    },
    ports,
    forwardHost: "127.0.0.1",
    interfaceName: null,
  });
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((next) => setImmediate(next));
  };
  return { manager, ports, control, set, asked, turns };
}

describe("ports that an owner changes while the machine runs", () => {
  test("are put on its network", async () => {
    const { manager, ports, control, set, asked } = open();
    await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    const done = control.refreshPorts(hashOf("a"), FOREVER);
    asked[0]?.([SSH, { guestPort: 80, tcp: true, udp: false }]);
    await done;
    assert.deepEqual(ports.of(hashOf("a")), set[0]?.mappedPorts);
    assert.deepEqual([set[0]?.vmHash, set[0]?.mappedPorts.length], [hashOf("a"), 2]);
  });

  test("never end up on another machine that has its number since, nor stay taken", async () => {
    const { manager, ports, control, set, asked, turns } = open();
    const { vmNumber } = await manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
    const done = control.refreshPorts(hashOf("a"), FOREVER);
    await manager.erase(hashOf("a"), null, FOREVER);
    const next = await manager.ensureRunning(instanceMessage("b"), BY_OWNER, FOREVER);
    assert.equal(next.vmNumber, vmNumber);
    asked[0]?.([SSH]);
    await done;
    await turns();
    assert.deepEqual(set, []);
    assert.deepEqual(ports.of(hashOf("a")), []);
  });
});
