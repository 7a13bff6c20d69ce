import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Inventory } from "../../src/helper/inventory.ts";
import { FUNCTION_MAC_ADDRESS } from "../../src/networking/vm-names.ts";
import { Guest } from "../hypervisor/support/guest.ts";
import { type HostSurroundings, hostSurroundings } from "../networking/support/host-surroundings.ts";
import { onPrivateHost } from "../networking/support/private-host.ts";
import { ask, createIsolatedHost, type IsolatedHost, type Machine } from "./isolated-host.ts";

const signal = () => AbortSignal.timeout(60_000);
const MIB = 1_048_576;

onPrivateHost(import.meta.url, () => {
  describe("real guests that try to get out", { timeout: 900_000 }, () => {
    let around: HostSurroundings;
    let host: IsolatedHost;
    let one: Machine;
    let other: Machine;

    before(async () => {
      around = await hostSurroundings();
      host = await createIsolatedHost();
      await around.host.serve("tcp", 4_020);
      await around.outside.serve("tcp", 80);
      await around.lan.serve("tcp", 80);
      one = await host.boot(3, [{ guestPort: 80, hostPort: 24_000, tcp: true, udp: false }]);
      other = await host.boot(4, [{ guestPort: 80, hostPort: 24_001, tcp: true, udp: false }]);
      for (const { guest } of [one, other]) {
        await guest.run("echo guest > /index.html; httpd -p 80 -h /");
      }
    });
    after(async () => {
      await host[Symbol.asyncDispose]();
      await around[Symbol.asyncDispose]();
    });

    const drops = async (vmNumber: number): Promise<Record<string, number>> => {
      const all = await host.networks.drops(signal());
      return Object.fromEntries(
        all.filter((drop) => drop.vmNumber === vmNumber).map(({ reason, packets }) => [reason, packets]),
      );
    };
    const isServing = async (hostPort: number): Promise<boolean> => {
      const page = await around.outside.run(
        "sh",
        "-c",
        `printf 'GET /index.html HTTP/1.0\\r\\n\\r\\n' | socat -t 5 - TCP:198.51.100.1:${hostPort},connect-timeout=5 || true`,
      );
      return page.includes("200 OK") && page.includes("guest");
    };

    test("have what they may have: the outside, and visitors on their ports", async () => {
      assert.equal(await ask(one.guest, "203.0.113.9", 80), "outside saw 198.51.100.1");
      assert.match((await ask(one.guest, "2001:db8:1::9", 80)) ?? "", /outside saw/);
      for (const port of [24_000, 24_001]) assert.equal(await isServing(port), true, String(port));
    });

    test("reach no port of this host, and nothing on its loopback", async () => {
      await one.guest.run("ip addr flush dev lo; ip route add 127.0.0.0/8 via 172.16.3.1");
      for (const address of ["172.16.3.1", "198.51.100.1", "192.168.77.1", "127.0.0.1", "2001:db8:1::1"]) {
        assert.equal(await ask(one.guest, address, 4_020), null, address);
      }
      assert.ok(((await drops(3)).to_host ?? 0) > 0);
    });

    test("reach no other guest, and no private network", async () => {
      const { guestIpv4, guestIpv6 } = other.network.addresses;
      for (const address of [guestIpv4, guestIpv6, "192.168.77.5"]) {
        assert.equal(await ask(one.guest, address, 80), null, address);
      }
      assert.equal(await ask(one.guest, "198.51.100.1", 24_001), null);
      const { to_machines = 0, to_private = 0 } = await drops(3);
      assert.ok(to_machines > 0 && to_private > 0);
    });

    test("send from no address that is not theirs", async () => {
      await one.guest.run("ip addr add 172.16.4.2/32 dev eth0");
      const ping = "ping -c 1 -W 1 203.0.113.9";
      assert.match(await one.guest.run(ping), /1 packets received/);
      assert.match(await one.guest.run(`${ping} -I 172.16.4.2`), /0 packets received/);
      assert.ok(((await drops(3)).spoofed ?? 0) > 0);
      await one.guest.run("ip addr del 172.16.4.2/32 dev eth0");
      await one.guest.run(
        "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:99; ip link set eth0 up",
      );
      await one.guest.run("ip route add default via 172.16.3.1");
      assert.equal(await ask(one.guest, "203.0.113.9", 80), null);
    });

    test("a disk that is full is full for its guest alone", async () => {
      const path = join(host.test.dir, "disk.raw");
      writeFileSync(path, "");
      truncateSync(path, 8 * MIB);
      const drives = [{ path, format: "raw", isReadOnly: false, media: "disk" }] as const;
      const { guest, vm } = await host.boot(5, [], { drives });
      assert.match(await guest.run("dd if=/dev/zero of=/dev/vda bs=65536 2>&1"), /No space left on device/);
      const { size, blocks } = statSync(path);
      assert.equal(size, 8 * MIB);
      assert.ok(blocks * 512 <= 8 * MIB);
      await vm.kill();
    });

    test("a memory bomb ends programs of its guest, and takes no more of the host than was granted", async () => {
      const { guest, vm } = await host.boot(6);
      await guest.run("mkdir /fill; mount -t tmpfs -o size=4g fill /fill");
      const killed = guest.run("sh -c 'dd if=/dev/zero of=/fill/a bs=1048576; echo dd ended'");
      // The guest itself may not survive: what counts is what happens around it.
      await Promise.race([killed.catch(() => ""), vm.exited]);
      const peak = /VmHWM:\s+(\d+) kB/.exec(statusOf(vm.pid))?.[1];
      if (peak !== undefined) assert.ok(Number(peak) / 1_024 < 128 + 256, `${peak} kB`);
      assert.match(readFileSync(join(vm.runDir, "serial.log"), "utf8"), /Out of memory|oom|Kernel panic/i);
      assert.equal(await isServing(24_001), true);
      await vm.kill();
    });

    test("a fork bomb takes its guest, and no process of the host", async () => {
      const { guest, vm } = await host.boot(7);
      void guest.run("bomb() { bomb | bomb & }; bomb").catch(() => undefined);
      for (let round = 0; round < 5; round += 1) {
        assert.equal(await isServing(24_001), true);
        const threads = /Threads:\s+(\d+)/.exec(statusOf(vm.pid))?.[1];
        if (threads !== undefined) assert.ok(Number(threads) <= 64, threads);
      }
      await vm.kill();
    });

    test("on a network of QEMU's own reach nothing on the loopback of this host either", async () => {
      const network = {
        kind: "user",
        macAddress: "02:26:00:00:00:01",
        hasInternet: false,
        forwards: [{ protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 24_100, guestPort: 80 }],
      } as const;
      const vm = await host.test.hypervisor.start(host.test.spec(8, { network }), signal());
      using guest = await Guest.connect(vm);
      await guest.booted();
      await guest.run("echo guest > /index.html; httpd -p 80 -h /");
      const get = "printf 'GET /index.html HTTP/1.0\\r\\n\\r\\n' | socat -t 5 - TCP:127.0.0.1:24100 || true";
      assert.match(await around.host.run("sh", "-c", get), /200 OK/);
      await guest.run("ip addr flush dev lo; ip route add 127.0.0.0/8 via 10.0.2.2");
      for (const address of ["10.0.2.2", "127.0.0.1", "198.51.100.1"]) {
        assert.equal(await ask(guest, address, 4_020), null, address);
      }
      await vm.kill();
    });

    test("that continue from a template whose card led nowhere are on their own devices, four at once", async () => {
      const folder = join(host.test.dir, "templates", "wired");
      mkdirSync(folder, { recursive: true });
      const card = {
        kind: "user",
        macAddress: FUNCTION_MAC_ADDRESS,
        hasInternet: false,
        forwards: [],
      } as const;
      const maker = await host.test.hypervisor.start(
        host.test.spec(100, { network: card, snapshot: { kind: "template", folder } }),
        signal(),
      );
      {
        using guest = await Guest.connect(maker);
        await guest.booted();
      }
      await maker.saveTemplate(signal());
      const numbers = Array.from({ length: 4 }, (_, index) => 101 + index);
      const clones = await Promise.all(
        numbers.map((number) => host.boot(number, [], { snapshot: { kind: "resume", folder } }, "microvm")),
      );
      for (const { guest, network } of clones) {
        assert.equal(await ask(guest, "203.0.113.9", 80), "outside saw 198.51.100.1");
        assert.equal(await ask(guest, network.addresses.hostIpv4, 4_020), null);
      }
      await Promise.all(clones.map(({ vm }) => vm.kill()));
    });

    test("leave nothing on the host when they are gone", async () => {
      const inventory = async () => {
        const { helper } = host.test.hypervisor;
        return await helper.call<Inventory>("inventory", {}, signal());
      };
      const before = await inventory();
      assert.deepEqual(before.orphans, []);
      const kinds = before.entries.map(({ kind }) => kind);
      for (const kind of ["process", "tap", "rule", "cgroup"] as const) assert.ok(kinds.includes(kind), kind);
      for (const { vm } of [one, other]) await vm.kill();
      const left = (await inventory()).entries.filter(({ kind }) => kind !== "folder");
      assert.deepEqual(left, []);
      assert.equal(await around.host.run("nft", "list", "ruleset"), "");
    });
  });
});

const statusOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    // It has ended.
    return "";
  }
};
