import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import type { NetworkSpec, PortForward } from "../../src/hypervisor/vm-spec.ts";
import { Guest } from "./support/guest.ts";
import { makeOutside } from "./support/outside.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

const isRoot = process.getuid?.() === 0;

describe("a machine on QEMU's own network", { timeout: 240_000 }, () => {
  let host: TestHost;
  let server: Server;
  let port: number;
  let connections = 0;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
    server = createServer((socket) => {
      connections += 1;
      socket.end("secret of the host\n");
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  after(async () => {
    server.close();
    await host[Symbol.asyncDispose]();
  });

  const network = (hasInternet: boolean, forwards: readonly PortForward[] = []): NetworkSpec => ({
    kind: "user",
    macAddress: "52:54:00:12:34:56",
    hasInternet,
    forwards,
  });

  async function freePort(): Promise<number> {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const address = probe.address();
    await new Promise((resolve) => probe.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async function fetchText(hostPort: number): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${hostPort}/`, { signal: AbortSignal.timeout(TIME) });
    return (await response.text()).trim();
  }

  it("with internet reaches the outside, and without it does not", { skip: !isRoot }, async () => {
    await using outside = await makeOutside(signal);
    for (const hasInternet of [true, false]) {
      const vm = await host.hypervisor.start(
        host.spec(hasInternet ? 3 : 4, { network: network(hasInternet) }),
        signal,
      );
      using guest = await Guest.connect(vm);
      await guest.booted();
      const answer = await guest.run(`timeout 5 wget -q -O - http://${outside.address}/; echo`);
      assert.equal(answer.includes("page of the outside"), hasInternet, answer);
      await vm.kill();
    }
  });

  for (const hasInternet of [false, true]) {
    it(`${hasInternet ? "with" : "without"} internet does not reach the host, and is reached on its ports`, async () => {
      const first = await freePort();
      const second = await freePort();
      const forward = (hostPort: number): PortForward => ({
        protocol: "tcp",
        hostAddress: "127.0.0.1",
        hostPort,
        guestPort: 8080,
      });
      const vm = await host.hypervisor.start(
        host.spec(hasInternet ? 1 : 2, { network: network(hasInternet, [forward(first)]) }),
        signal,
      );
      using guest = await Guest.connect(vm);
      await guest.booted();
      await guest.run("mkdir /www; echo page of the guest > /www/index.html; httpd -p 8080 -h /www");
      assert.equal(await fetchText(first), "page of the guest");
      await vm.setForwards([forward(second)], signal);
      assert.equal(await fetchText(second), "page of the guest");
      await assert.rejects(fetchText(first));

      connections = 0;
      const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
      const targets = [
        // Where QEMU alone has the loopback of the host, and where slirp4netns has it.
        ...["10.0.2.2", "10.0.3.2", "10.0.3.100", "10.0.2.3"],
        ...own.filter(({ family }) => family === "IPv4").map(({ address }) => address),
      ];
      await guest.run("ip route add 127.1.2.3 via 10.0.2.2; ip route add 127.0.0.2 via 10.0.2.2");
      for (const target of [...targets, "127.1.2.3", "127.0.0.2"]) {
        const answer = await guest.run(`timeout 2 nc ${target} ${port} </dev/null; echo`);
        assert.doesNotMatch(answer, /secret/, `it reached ${target}`);
      }
      assert.equal(connections, 0);
      await vm.kill();
    });
  }
});
