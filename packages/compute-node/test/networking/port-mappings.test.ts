import assert from "node:assert/strict";
import { createServer } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { createSystemClock } from "@twentysix/platform";
import fc from "fast-check";
import {
  currentlyWantedPorts,
  forwardsOf,
  MAX_FORWARDS_OF_VM,
  wantedPorts,
} from "../../src/networking/port-forwarding.ts";
import { createPortMappings, type PortMappingOptions } from "../../src/networking/port-mappings.ts";

const clock = createSystemClock();
const SSH = { guestPort: 22, tcp: true, udp: false };
const WEB = { guestPort: 80, tcp: true, udp: true };

function mappings(options: Partial<PortMappingOptions> = {}) {
  const database = options.database ?? new DatabaseSync(":memory:");
  return createPortMappings({ clock, isPortFree: async () => true, ...options, database });
}

describe("ports of the host that stand for those of guests", () => {
  test("are given away in order, and stay over restarts and changes", async () => {
    const database = new DatabaseSync(":memory:");
    const ports = mappings({ database });
    const first = await ports.assign("a", [SSH, WEB]);
    assert.deepEqual(first, [
      { ...SSH, hostPort: 24_000 },
      { ...WEB, hostPort: 24_001 },
    ]);
    assert.deepEqual(await ports.assign("b", [SSH]), [{ ...SSH, hostPort: 24_002 }]);
    const restarted = mappings({ database });
    assert.deepEqual(restarted.of("a"), first);
    const changed = await restarted.assign("a", [
      { ...WEB, udp: false },
      { guestPort: 443, tcp: true, udp: false },
    ]);
    assert.deepEqual(
      changed.map(({ guestPort, hostPort, udp }) => [guestPort, hostPort, udp]),
      [
        [80, 24_001, false],
        [443, 24_003, false],
      ],
    );
  });

  test("given back are the last to be given away again", async () => {
    const ports = mappings({ firstHostPort: 30_000, lastHostPort: 30_002 });
    await ports.assign("a", [SSH]);
    ports.release("a");
    assert.deepEqual(ports.of("a"), []);
    const hostPorts = [];
    for (const vmHash of ["b", "c", "d"]) hostPorts.push((await ports.assign(vmHash, [SSH]))[0]?.hostPort);
    assert.deepEqual(hostPorts, [30_001, 30_002, 30_000]);
    await assert.rejects(ports.assign("e", [SSH]), { code: "NETWORK_PORTS_EXHAUSTED" });
  });

  test("given back long ago are not remembered", async () => {
    const database = new DatabaseSync(":memory:");
    const ports = mappings({ database });
    const kept = await ports.assign("kept", [SSH]);
    for (let round = 0; round < 3_000; round += 1) {
      await ports.assign("a", [SSH]);
      ports.release("a");
    }
    const { count } = database.prepare("SELECT count(*) AS count FROM port_mappings").get() ?? {};
    assert.ok(Number(count) <= 1_001, `${count} rows`);
    assert.deepEqual(ports.of("kept"), kept);
    assert.equal((await ports.assign("b", [SSH]))[0]?.hostPort, 24_000 + 3_001, "the order goes on");
  });

  test("are never the same for two machines that start at once", async () => {
    const ports = mappings();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ports.assign(`${index}`, [SSH, WEB])),
    );
    assert.equal(new Set(all.flat().map(({ hostPort }) => hostPort)).size, 40);
  });

  test("are none that somebody else has bound", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    const { port } = server.address() as { port: number };
    const { isPortFree } = await import("../../src/networking/port-probe.ts");
    const ports = mappings({ firstHostPort: port, lastHostPort: port + 20, isPortFree });
    const [mapped] = await ports.assign("a", [SSH]);
    assert.ok(mapped !== undefined && mapped.hostPort > port);
    await new Promise((resolve) => server.close(resolve));
  });

  test("stay when their own machine has bound them, and go when another one did while it was off", async () => {
    const taken = new Set<number>();
    const ports = mappings({ isPortFree: async (port) => !taken.has(port) });
    await ports.assign("a", [SSH]);
    taken.add(24_000);
    assert.equal((await ports.assign("a", [SSH]))[0]?.hostPort, 24_000);
    assert.equal((await ports.assign("a", [SSH], { replacesTaken: true }))[0]?.hostPort, 24_001);
  });

  test("come from a range that is one", () => {
    for (const range of [{ firstHostPort: 0 }, { lastHostPort: 70_000 }, { firstHostPort: 65_535 }]) {
      assert.throws(() => mappings(range), { code: "NETWORK_SETTING_INVALID" });
    }
  });
});

describe("ports that an owner wants", () => {
  test("are those of his aggregate, with the one of ssh", () => {
    const aggregate = {
      a: { ports: { "80": { tcp: true, udp: false }, "53": { udp: true }, "22": { tcp: false } } },
    };
    assert.deepEqual(wantedPorts(aggregate, "a"), [
      SSH,
      { guestPort: 53, tcp: false, udp: true },
      { guestPort: 80, tcp: true, udp: false },
    ]);
  });

  test("are that of ssh alone where an entry is deleted or malformed", () => {
    for (const entry of [
      null,
      {},
      [],
      "x",
      { ports: null },
      { ports: [] },
      { ports: { "0": { tcp: true } } },
    ]) {
      assert.deepEqual(wantedPorts({ a: entry }, "a"), [SSH]);
    }
    const odd = {
      "080": { tcp: true },
      "65536": { tcp: true },
      "-1": { tcp: true },
      "81": true,
      "82": {},
      x: {},
    };
    assert.deepEqual(wantedPorts({ a: { ports: odd } }, "a"), [SSH]);
    assert.deepEqual(wantedPorts(JSON.parse('{"__proto__":{"ports":{"80":{"tcp":true}}}}'), "__proto__x"), [
      SSH,
    ]);
  });

  test("are valid, bounded and include ssh whatever the aggregate says", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.dictionary(fc.nat(70_000).map(String), fc.jsonValue()), (any, ports) => {
        for (const aggregate of [any, { a: any }, { a: { ports } }]) {
          const wanted = wantedPorts(aggregate, "a");
          assert.ok(wanted.some(({ guestPort, tcp }) => guestPort === 22 && tcp));
          assert.ok(
            wanted.every(({ guestPort, tcp, udp }) => guestPort > 0 && guestPort < 65_536 && (tcp || udp)),
          );
        }
      }),
    );
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [index + 1, { tcp: true }]));
    assert.equal(wantedPorts({ a: { ports: many } }, "a").length, MAX_FORWARDS_OF_VM);
  });

  test("stay as they are while nobody can be asked", async () => {
    const ports = mappings();
    const failing = () => Promise.reject(new Error("no core node answers"));
    const unknown = await currentlyWantedPorts("a", ports, failing);
    assert.deepEqual(unknown.wanted, [SSH]);
    await ports.assign("a", [SSH, WEB]);
    const { wanted, failure } = await currentlyWantedPorts("a", ports, failing);
    assert.deepEqual(await ports.assign("a", wanted), ports.of("a"));
    assert.equal(wanted.length, 2);
    assert.match(String(failure), /no core node answers/);
    assert.deepEqual(await currentlyWantedPorts("a", ports, async () => null), {
      wanted: [SSH],
      failure: null,
    });
  });

  test("become forwards of a user network, one for each protocol", () => {
    assert.deepEqual(forwardsOf([{ ...WEB, hostPort: 24_001 }], "0.0.0.0"), [
      { protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 24_001, guestPort: 80 },
      { protocol: "udp", hostAddress: "0.0.0.0", hostPort: 24_001, guestPort: 80 },
    ]);
  });
});
