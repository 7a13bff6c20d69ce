import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { dropsOf, type Guest, nobodyAnswers, world } from "./support/host-world.ts";
import { onPrivateHost } from "./support/private-host.ts";

onPrivateHost(import.meta.url, () => {
  describe("what a machine may do", () => {
    test("reaches the outside by the address of the host, over IPv6 by its own", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      await net.outside.serve("tcp", 80);
      assert.equal(await guest.ask("tcp", "203.0.113.9", 80), "outside saw 198.51.100.1");
      const { guestIpv6 } = guest.network.addresses;
      assert.match((await guest.ask("tcp", "2001:db8:1::9", 80)) ?? "", /2001:0?db8:0{0,3}1:0{0,3}2/);
      await guest.serve("tcp", 8080);
      assert.match((await net.outside.ask("tcp", guestIpv6, 8080)) ?? "", /^guest3 saw/);
      assert.deepEqual(await dropsOf(net, 3), {});
    });

    test("is reached through the ports that are mapped, and no others", async () => {
      await using net = await world();
      const ports = [{ guestPort: 22, hostPort: 24_000, tcp: true, udp: false }];
      const guest = await net.guest(3, [
        ...ports,
        { guestPort: 53, hostPort: 24_001, tcp: false, udp: true },
      ]);
      for (const port of [22, 23]) await guest.serve("tcp", port);
      await guest.serve("udp", 53);
      assert.equal(await net.outside.ask("tcp", "198.51.100.1", 24_000), "guest3 saw 198.51.100.9");
      assert.equal(await net.lan.ask("tcp", "198.51.100.1", 24_000), "guest3 saw 192.168.77.5");
      assert.match((await net.host.ask("tcp", "198.51.100.1", 24_000)) ?? "", /^guest3 saw/);
      assert.match((await net.outside.ask("udp", "198.51.100.1", 24_001)) ?? "", /^guest3 saw/);
      // Its own address is known outside here: without the mapping nobody comes through.
      for (const port of [22, 23]) {
        assert.equal(await net.outside.ask("tcp", guest.network.addresses.guestIpv4, port), null);
      }
    });

    test("asks the name server of the host, though that is on a private network", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      await net.lan.serve("tcp", 53);
      assert.equal(await guest.ask("tcp", "192.168.77.5", 53), "lan saw 192.168.77.1");
    });
  });

  describe("what a machine may not do", () => {
    test("reaches nothing that listens on this host, by none of its addresses", async () => {
      await using net = await world();
      const guest = await net.guest(3, [{ guestPort: 22, hostPort: 24_000, tcp: true, udp: false }]);
      await net.host.serve("tcp", 4_020);
      await net.host.serve("udp", 4_020);
      await guest.serve("tcp", 22);
      await guest.run("ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local");
      await guest.run("ip", "address", "flush", "dev", "lo");
      await guest.run("ip", "route", "add", "127.0.0.0/8", "via", guest.network.addresses.hostIpv4);
      const { hostIpv4, hostIpv6 } = guest.network.addresses;
      const ofHost = [hostIpv4, "198.51.100.1", "192.168.77.1", "127.0.0.1", hostIpv6, "2001:db8:1::1"];
      await nobodyAnswers(
        guest,
        ofHost.flatMap((address) => [
          ["tcp", address, 4_020],
          ["udp", address, 4_020],
        ]),
      );
      // Not by a forwarded port either, not even its own.
      assert.equal(await guest.ask("tcp", "198.51.100.1", 24_000), null);
      assert.ok(((await dropsOf(net, 3)).to_host ?? 0) > 0);
    });

    test("reaches no other machine, by no address", async () => {
      await using net = await world();
      const one = await net.guest(3);
      const other = await net.guest(4, [{ guestPort: 80, hostPort: 24_000, tcp: true, udp: false }]);
      await other.serve("tcp", 80);
      const { guestIpv4, guestIpv6 } = other.network.addresses;
      await nobodyAnswers(one, [
        ["tcp", guestIpv4, 80],
        ["tcp", guestIpv6, 80],
        ["tcp", "198.51.100.1", 24_000],
      ]);
      assert.ok(((await dropsOf(net, 3)).to_machines ?? 0) > 0);
    });

    test("reaches no private network of the host, unless the operator allows it", async () => {
      {
        await using net = await world();
        const guest = await net.guest(3);
        await net.lan.serve("tcp", 80);
        assert.equal(await guest.ask("tcp", "192.168.77.5", 80), null);
        assert.ok(((await dropsOf(net, 3)).to_private ?? 0) > 0);
      }
      await using net = await world({ allowedNetworks: ["192.168.77.0/24"] });
      const guest = await net.guest(3);
      await net.lan.serve("tcp", 80);
      assert.equal(await guest.ask("tcp", "192.168.77.5", 80), "lan saw 192.168.77.1");
    });

    test("nor through addresses of IPv6 in which one of IPv4 stands", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      const droppedOf = async () => (await dropsOf(net, 3)).to_private ?? 0;
      // NAT64 and 6to4: of a private network, the loopback, a link.
      const hidden = [
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:c0a8:4d05::1",
        "2002:a9fe::1",
      ];
      for (const address of hidden) {
        const before = await droppedOf();
        assert.equal(await guest.ask("udp", address, 53), null);
        assert.ok((await droppedOf()) > before, address);
      }
      const before = await droppedOf();
      for (const address of ["64:ff9b::808:808", "2002:808:808::1"]) await guest.ask("udp", address, 53);
      assert.equal(await droppedOf(), before, "what stands for public ones passes");
    });

    test("sends from no address but its own, of IPv4, IPv6 and its card", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      for (const protocol of ["tcp", "udp"] as const) await net.outside.serve(protocol, 80);
      assert.equal(await guest.ask("tcp", "203.0.113.9", 80), "outside saw 198.51.100.1");
      const spoofed = ["172.16.4.2", "198.51.100.7", "2001:db8:1:2:3:404:404:401"];
      for (const address of spoofed) {
        const rest = address.includes(":") ? ["nodad"] : [];
        await guest.run("ip", "address", "add", address, "dev", "eth0", ...rest);
      }
      await nobodyAnswers(
        guest,
        spoofed.flatMap((address) => {
          const isIpv6 = address.includes(":");
          const target = isIpv6 ? "2001:db8:1::9" : "203.0.113.9";
          const source = isIpv6 ? `bind=[${address}]` : `bind=${address}`;
          return [
            ["tcp", target, 80, source],
            ["udp", target, 80, source],
          ];
        }),
      );
      assert.ok(((await dropsOf(net, 3)).spoofed ?? 0) >= spoofed.length);
      assert.equal(await guest.ask("tcp", "203.0.113.9", 80), "outside saw 198.51.100.1");
      await guest.run("ip", "link", "set", "eth0", "address", "02:aa:aa:aa:aa:aa");
      assert.equal(await guest.ask("tcp", "203.0.113.9", 80), null);
    });

    test("claims no foreign address by ARP", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      await guest.run("ip", "address", "add", "172.16.3.77/24", "dev", "eth0");
      const { tapName } = guest.network.spec as { tapName: string };
      await net.host.ask("udp", "172.16.3.77", 9);
      await net.host.ask("udp", guest.network.addresses.guestIpv4, 9);
      const neighbours = await net.host.run("ip", "-4", "neighbour", "show", "dev", tapName);
      assert.match(neighbours, /172\.16\.3\.2 lladdr/);
      assert.doesNotMatch(neighbours, /172\.16\.3\.77 lladdr/);
    });

    test("asks for neighbours no more than a machine needs: all share the table of the host", async () => {
      await using net = await world();
      const [greedy, modest] = [await net.guest(3), await net.guest(4)];
      const { hostIpv6, guestIpv6 } = greedy.network.addresses;
      // Type 135, the address that is asked for, and the card of whoever asks. Its sum is the kernel's.
      const link = (await greedy.run("cat", "/sys/class/net/eth0/address")).trim().replaceAll(":", "");
      const target = bytesOfAddress(hostIpv6);
      const solicitation = Buffer.concat([
        Buffer.from([135, 0, 0, 0, 0, 0, 0, 0]),
        target,
        Buffer.from([1, 1]),
        Buffer.from(link, "hex"),
      ]);
      using file = temporaryFile(Buffer.concat(Array.from({ length: 400 }, () => solicitation)));
      const to = `IP6-SENDTO:[${hostIpv6}]:58,bind=[${guestIpv6}],ipv6-unicast-hops=255`;
      await greedy.run("socat", "-u", "-b", String(solicitation.length), `OPEN:${file.path}`, to);
      assert.ok(((await dropsOf(net, 3)).flood ?? 0) > 100);
      await modest.run("ip", "-6", "neighbour", "flush", "dev", "eth0");
      await net.outside.serve("tcp", 80);
      assert.match((await modest.ask("tcp", "2001:db8:1::9", 80)) ?? "", /^outside saw/);
      assert.equal((await dropsOf(net, 4)).flood ?? 0, 0);
    });

    test("sends no mail, and is told so at once", async () => {
      await using net = await world();
      const guest = await net.guest(3);
      await net.outside.serve("tcp", 25);
      const refusal = await guest.run(
        "sh",
        "-c",
        "socat - TCP:203.0.113.9:25,connect-timeout=5 2>&1 </dev/null || true",
      );
      assert.match(refusal, /refused/);
      assert.ok(((await dropsOf(net, 3)).mail ?? 0) > 0);
    });

    test("without internet reaches nobody, and is reached all the same", async () => {
      await using net = await world();
      const guest = await net.guest(3, [{ guestPort: 80, hostPort: 24_000, tcp: true, udp: false }], false);
      await net.outside.serve("tcp", 80);
      await guest.serve("tcp", 80);
      assert.equal(await guest.ask("tcp", "203.0.113.9", 80), null);
      assert.equal(await net.outside.ask("tcp", "198.51.100.1", 24_000), "guest3 saw 198.51.100.9");
    });

    test("holds as many connections as it may, and the others lose none by it", async () => {
      await using net = await world({ maxConnections: 5 });
      const greedy = await net.guest(3);
      const modest = await net.guest(4);
      await net.outside.serve("tcp", 80, 300);
      // One after the other: of those that come in the same moment the kernel may let in one too many.
      const stays: boolean[] = [];
      for (let index = 0; index < 8; index += 1) stays.push(await greedy.stay("203.0.113.9", 80));
      assert.equal(stays.filter((isAnswered) => isAnswered).length, 5);
      assert.ok(((await dropsOf(net, 3)).flood ?? 0) > 0);
      assert.equal(await modest.ask("tcp", "203.0.113.9", 80), "outside saw 198.51.100.1");
    });

    test("sends and receives no more than its bandwidth, and the others lose none by it", async () => {
      const limit = 2_000_000;
      await using net = await world({ maxBytesPerSecond: limit });
      const bytes = 10_000_000;
      // Whoever was silent has what a second brings, and a tenth of it.
      const saved = limit * 1.2;
      const serve = (port: number, what: string): Promise<string> =>
        net.outside.run(
          "sh",
          "-c",
          `socat ${what} TCP-LISTEN:${port},fork,reuseaddr >/dev/null 2>&1 & echo $!`,
        );
      const servers = [
        await net.outside.run(
          "sh",
          "-c",
          "socat -u TCP-LISTEN:9000,fork,reuseaddr OPEN:/dev/null >/dev/null 2>&1 & echo $!",
        ),
        await serve(9_001, `SYSTEM:'head -c ${bytes} /dev/zero'`),
      ];
      const taken = async (who: Guest, script: string): Promise<number> => {
        const start = performance.now();
        await who.run("sh", "-c", script);
        return (bytes - saved) / ((performance.now() - start) / 1_000);
      };
      const send = `head -c ${bytes} /dev/zero | socat -t 60 - TCP:203.0.113.9:9000,retry=20,interval=0.1`;
      const receive = "socat -u TCP:203.0.113.9:9001,retry=20,interval=0.1 OPEN:/dev/null";
      const [one, other] = [await net.guest(3), await net.guest(4)];
      const alone = [await taken(one, send), await taken(one, receive)];
      const together = await Promise.all([taken(one, send), taken(other, send)]);
      for (const pid of servers) process.kill(Number(pid), "SIGKILL");
      for (const rate of [...alone, ...together]) {
        assert.ok(
          rate > limit / 3 && rate < limit * 1.05,
          `bytes a second: ${[...alone, ...together].join(", ")}`,
        );
      }
      assert.ok(((await dropsOf(net, 3)).bandwidth ?? 0) > 0);
    });
  });
});

/** Of an address whose groups are all written out, or shortened once. */
function bytesOfAddress(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function temporaryFile(content: Buffer) {
  const folder = mkdtempSync(join(tmpdir(), "packets-"));
  const path = join(folder, "content");
  writeFileSync(path, content);
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
