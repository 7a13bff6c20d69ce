import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Execution } from "../../src/executions/execution.ts";
import { DOMAIN, NODE_HASH, startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage, programMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;

describe("what a node tells of itself", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  before(async () => {
    control = await startTestControl();
    const message = instanceMessage("a", { variables: { SECRET: "x" }, authorized_keys: ["ssh-rsa A"] });
    await control.manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
    const stopped = instanceMessage("b");
    await control.manager.ensureRunning(stopped, { source: "owner", isPersistent: true }, FOREVER);
    await control.manager.stop(stopped.itemHash, null, FOREVER);
    const program = programMessage("p");
    await control.manager.ensureRunning(program, { source: "visitor", isPersistent: false }, FOREVER);
    await control.manager.stop(program.itemHash, null, FOREVER);
  });
  after(() => control.close());

  const get = async (url: string, headers: Record<string, string> = {}) =>
    control.inject({ method: "GET", url, headers });

  test("the older list has what runs", async () => {
    const list = (await get("/about/executions/list")).json();
    assert.deepEqual(Object.keys(list), [hashOf("a")]);
    const { vm_type, awaiting_confidential_init, networking } = list[hashOf("a")];
    assert.deepEqual([vm_type, awaiting_confidential_init], ["instance", false]);
    assert.equal(networking.ipv4, "172.16.4.0/24");
    assert.match(networking.ipv6, /^fc00:1:2:3:3:.*0\/124$/);
  });

  test("the newer list has the keys that the strictest clients need, and what an owner stopped", async () => {
    const list = (await get("/v2/about/executions/list")).json();
    assert.deepEqual(Object.keys(list).sort(), [hashOf("a"), hashOf("b")].sort());
    const running = list[hashOf("a")];
    for (const key of ["ipv4_network", "host_ipv4", "ipv6_network", "ipv6_ip", "ipv4_ip"]) {
      assert.equal(typeof running.networking[key], "string", key);
    }
    assert.deepEqual(running.networking.mapped_ports, {});
    assert.equal(running.running, true);
    assert.match(running.status.started_at, /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{6})?\+00:00$/);
    const { defined_at, preparing_at, prepared_at, starting_at, started_at } = running.status;
    const times = [defined_at, preparing_at, prepared_at, starting_at, started_at];
    assert.deepEqual([...new Set(times)].toSorted(), times);
    assert.equal(running.status.stopped_at, null);
    const stopped = list[hashOf("b")];
    assert.deepEqual([stopped.running, stopped.state, stopped.desired], [false, "stopped", "stopped"]);
    assert.equal(typeof stopped.status.stopped_at, "string");
  });

  test("records are public, without what owners keep to themselves", async () => {
    const [newest, ...others] = (await get("/about/executions/records")).json();
    assert.equal(newest.vm_hash, hashOf("p"));
    assert.equal(others.length, 2);
    const mine = others.find(({ vm_hash }: { vm_hash: string }) => vm_hash === hashOf("a"));
    assert.deepEqual(
      [JSON.parse(mine.message).variables, JSON.parse(mine.message).authorized_keys],
      [null, null],
    );
    assert.equal((await get("/about/executions/records?limit=1")).json().length, 1);
    assert.equal((await get("/about/executions/records?limit=x")).statusCode, 400);
  });

  test("records are read as they are taken: a thousand with large messages take no memory", async (context) => {
    const large = instanceMessage("large", { variables: null, metadata: { text: "x".repeat(100_000) } });
    const { content } = large;
    const one = { ...(control.manager.get(hashOf("a")) as Execution), content, resolved: content };
    let read = 0;
    context.mock.method(control.manager, "records", function* (limit: number) {
      for (; read < limit; read += 1) yield one;
    });
    const { port, hostname } = new URL(await control.api.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined).pause();
    socket.write(`GET /about/executions/records HTTP/1.1\r\nhost: ${DOMAIN}\r\n\r\n`);
    let before = -1;
    for (; before !== read || read === 0; await delay(300)) before = read;
    socket.destroy();
    assert.ok(read < 500, `${read} were read for somebody who takes nothing`);
  });

  test("a program that only a visitor started is none that schedulers place, whatever its message says", async () => {
    const on = { http: true, message: null, persistent: true };
    const message = programMessage("visited", { on });
    const list = async () => (await get("/v2/about/executions/list")).json()[message.itemHash];
    const forever = new AbortController().signal;
    await control.manager.ensureRunning(message, { source: "visitor", isPersistent: false }, forever);
    assert.equal((await list()).vm_type, "microvm");
    await control.manager.ensureRunning(message, { source: "scheduler", isPersistent: true }, forever);
    assert.equal((await list()).vm_type, "persistent_program");
    await control.manager.erase(message.itemHash, null, forever);
  });

  test("usage is in kB of 1000 bytes, with what is left for machines", async () => {
    const usage = (await get("/about/usage/system")).json();
    assert.deepEqual(usage.mem, { total_kB: 16_777_217, available_kB: 8_000_000 });
    assert.equal(usage.disk.total_kB, 100_000_000);
    assert.deepEqual(usage.cpu.core_frequencies, { min: 0, max: 0 });
    assert.match(usage.period.start_timestamp, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:00Z$/);
    assert.deepEqual(usage.gpu, { devices: [], available_devices: [] });
    assert.equal(usage.active, true);
    // One of 16 processors is taken, and 512 MiB; the stopped one keeps its disk.
    assert.equal(usage.head_room.vcpus, 15);
    assert.equal(usage.head_room.instance_memory_mib, 12_288 - 512);
    assert.equal(usage.head_room.disk_mib, 50_000 - 2 * 1_024);
  });

  test("the public configuration has what clients choose by, and reasons", async () => {
    const config = (await get("/status/config")).json();
    assert.equal(config.DOMAIN_NAME, DOMAIN);
    assert.equal(config.node_hash, NODE_HASH);
    assert.equal(config.payment.PAYMENT_RECEIVER_ADDRESS, control.owner.address);
    assert.equal(config.payment.PAYMENT_MONITOR_INTERVAL, 60);
    assert.deepEqual(
      [config.computing.ENABLE_QEMU_SUPPORT, config.computing.ENABLE_CONFIDENTIAL_COMPUTING],
      [true, false],
    );
    assert.equal(config.computing.tee_unavailable_reason, "this processor has no SEV");
    assert.equal(config.twentysix.accelerator, "tcg");
  });

  test("versions are compared as Python's are", async () => {
    for (const [reference, status] of [
      ["1.12.9", 200],
      ["1.13.0", 200],
      ["1.13.0rc1", 200],
      ["1.13.1", 403],
      ["x", 400],
    ] as const) {
      assert.equal((await get(`/status/check/version?reference=${reference}`)).statusCode, status, reference);
    }
    assert.equal((await get("/status/check/version")).statusCode, 400);
    const outdated = await get("/status/check/version?reference=2.0");
    assert.deepEqual(outdated.json(), { error: "Outdated: version 1.13.0 < 2.0" });
  });

  test("what the operator may see needs the token of the node", async () => {
    for (const url of ["/about/config", "/about/executions/details"]) {
      const refused = await get(url);
      assert.deepEqual([refused.statusCode, refused.json()], [401, { error: "401 Invalid token" }]);
      assert.equal((await get(url, { cookie: "token=the-login-token" })).statusCode, 200);
    }
    assert.deepEqual((await get("/about/login?token=other")).json(), { success: false });
    const login = await get("/about/login?token=the-login-token");
    assert.deepEqual([login.statusCode, login.headers.location], [302, "/about/config"]);
    assert.match(String(login.headers["set-cookie"]), /^token=the-login-token;/);
  });

  test("what is not there is told in JSON", async () => {
    for (const url of ["/about/x", "/control/x", "/status/x", "/debug/x"]) {
      const answer = await get(url);
      assert.deepEqual([answer.statusCode, answer.json()], [404, { error: "404: Not Found" }], url);
    }
    assert.deepEqual((await get("/debug/haproxy")).json(), { status: "no socket" });
    const certificates = await get("/about/certificates");
    assert.equal(certificates.statusCode, 503);
    assert.equal(certificates.body, "Confidential computing setting not enabled on that server");
  });

  test("every answer says which version of the reference it stands in for", async () => {
    for (const url of ["/status/config", "/about/x", "/about/config"]) {
      assert.equal((await get(url)).headers.server, "aleph-vm/1.13.0", url);
    }
  });

  test("pages of any origin may ask, but not those that only schedulers need", async () => {
    const preflight = await control.inject({
      method: "OPTIONS",
      url: `/control/machine/${hashOf("a")}/reboot`,
      headers: {
        origin: "https://console.test",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-signedpubkey,x-signedoperation",
      },
    });
    assert.equal(preflight.statusCode, 200);
    assert.equal(preflight.headers["access-control-allow-origin"], "https://console.test");
    assert.equal(preflight.headers["access-control-allow-credentials"], "true");
    assert.equal(preflight.headers["access-control-allow-headers"], "x-signedpubkey,x-signedoperation");
    const answer = await get("/status/config", { origin: "https://console.test" });
    assert.equal(answer.headers["access-control-allow-origin"], "https://console.test");
    assert.match(String(answer.headers["access-control-expose-headers"]), /server/);
    const closed = await control.inject({
      method: "POST",
      url: "/control/allocations",
      headers: { origin: "https://console.test" },
    });
    assert.equal(closed.headers["access-control-allow-origin"], undefined);
  });

  test("the node's own name shows its page, other names are programs", async () => {
    assert.match((await get("/")).body, /<h1>Compute node<\/h1>/);
    assert.equal((await get("/", { host: "x.test" })).body, "a program by its name");
  });
});

test("a node that is about to stop sends callers of programs elsewhere, and serves the rest", async () => {
  const control = await startTestControl();
  control.api.drain();
  const get = (url: string, host = DOMAIN) => control.inject({ method: "GET", url, headers: { host } });
  for (const answer of [await get(`/vm/${hashOf("p")}/x`), await get("/x", "program.test")]) {
    const expected = [503, { error: "Server is draining, try another node" }];
    assert.deepEqual([answer.statusCode, answer.json()], expected);
  }
  assert.equal((await get("/status/config")).statusCode, 200);
  assert.equal((await get("/about/usage/system")).json().active, false);
  await control.close();
});
