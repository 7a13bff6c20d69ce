import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tinyDisk } from "../../src/images/build/tiny-guest.ts";
import { PORT_FORWARDING_KEY } from "../../src/networking/port-forwarding.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { badDisks } from "../malicious/support/bad-images.ts";
import { smallInstance, startTargetNode, type TargetNode } from "../support/target-node.ts";
import { ClientKey, ethWallet } from "../support/wallets.ts";

const OWNER = ethWallet("compute owner of machines");
const STRANGER = ethWallet("a stranger");
const HTTP_PORT = 8_080;
const BOOT_MS = 120_000;
const isRoot = process.getuid?.() === 0;

interface Networking {
  readonly ipv4_ip: string;
  readonly mapped_ports: Readonly<Record<string, { readonly host: number }>>;
}

/** What an owner does to a machine that has something on its disks, with nothing but the API and a wallet. */
describe("an owner and a real guest", { timeout: 900_000 }, () => {
  let node: TargetNode;
  let vmHash: string;
  let image: string;
  let disk: Buffer;
  let key: ClientKey;
  let strangersKey: ClientKey;

  before(async () => {
    const { qcow2Path } = await tinyDisk(IMAGES_FOLDER, buildOptions(AbortSignal.timeout(300_000)));
    node = await startTargetNode({ ipv4Pool: "10.233.0.0/16", firstHostPort: 38_200 });
    key = await ClientKey.create(OWNER, Date.now());
    strangersKey = await ClientKey.create(STRANGER, Date.now());
    disk = await readFile(qcow2Path);
    image = await node.store(disk);
    const volumes = [{ persistence: "host", name: "data", mount: "/mnt/data", size_mib: 16 }];
    vmHash = await node.instance(smallInstance(image, { volumes }));
    const { client, owner } = node.core;
    const ports = { [vmHash]: { ports: { [HTTP_PORT]: { tcp: true, udp: false } } } };
    await client.createAggregate({ account: owner, key: PORT_FORWARDING_KEY, content: ports, sync: true });
    assert.deepEqual(await node.place({ instances: [vmHash] }), {});
  });
  after(() => node[Symbol.asyncDispose]());

  const ask = async (method: string, name: string, query = "", by = key): Promise<[number, string]> => {
    const path = `/control/machine/${vmHash}/${name}`;
    const headers = by.headers({ method, path, domain: "localhost", nowMs: Date.now() });
    const answer = await fetch(`${node.compute.node.apiUrl}${path}${query}`, { method, headers });
    return [answer.status, await answer.text()];
  };
  /** The host reaches a guest on a device of its own by its address, and others by a forwarded port. */
  const guestUrl = async (): Promise<string> => {
    const list = await (await fetch(`${node.compute.node.apiUrl}/v2/about/executions/list`)).json();
    const networking = (list as Record<string, { networking: Networking } | undefined>)[vmHash]?.networking;
    const port = networking?.mapped_ports[HTTP_PORT]?.host;
    return isRoot ? `http://${networking?.ipv4_ip}:${HTTP_PORT}` : `http://127.0.0.1:${port}`;
  };
  /** The id of this boot of the guest, once it is another than that one. */
  const bootAfter = async (earlier: string): Promise<string> => {
    const signal = AbortSignal.timeout(BOOT_MS);
    for (;;) {
      const answer = await fetch(`${await guestUrl()}/boot-id`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]),
      }).catch(() => null);
      const id = answer?.status === 200 ? (await answer.text()).trim() : "";
      if (id !== "" && id !== earlier) return id;
      await sleep(200, undefined, { signal });
    }
  };
  const run = async (script: string): Promise<string> => {
    const { hostname, port } = new URL(await guestUrl());
    const length = Buffer.byteLength(script);
    const socket = connect(Number(port), hostname);
    socket.write(`POST /cgi-bin/shell HTTP/1.0\r\nContent-Length: ${length}\r\n\r\n${script}`);
    // The server of the guest ends lines as Unix does, which no client of HTTP reads.
    const said = (await socket.setEncoding("utf8").toArray()).join("");
    return said.slice(said.search(/\r?\n\r?\n/)).trim();
  };
  const onDisks = (): Promise<string> => run("cat /root/kept /mnt/vdb/kept 2>/dev/null | tr '\\n' ' '");
  let boot = "";

  test("reboots it: another boot of the same disks", async () => {
    boot = await bootAfter("");
    await run("echo mine >/root/kept; echo data >/mnt/vdb/kept; sync");
    assert.equal(await onDisks(), "mine data");
    assert.deepEqual(await ask("POST", "reboot"), [200, `Rebooted VM with ref ${vmHash}`]);
    boot = await bootAfter(boot);
    assert.equal(await onDisks(), "mine data");
  });

  test("nobody else may do any of it", async () => {
    const operations = ["reboot", "rescue", "reinstall", "expire", "stop", "erase"].map((name) => [
      "POST",
      name,
    ]);
    for (const [method = "", name = ""] of [...operations, ["DELETE", "rescue"], ["GET", "rescue"]]) {
      const [status] = await ask(method, name, "", strangersKey);
      assert.equal(status, 403, `${method} ${name}`);
    }
    assert.equal(await bootAfter(""), boot, "it runs on");
  });

  const rescued = async (): Promise<[number, string]> => {
    const signal = AbortSignal.timeout(BOOT_MS);
    for (;;) {
      const state = await ask("GET", "rescue");
      if (state[0] !== 202) return state;
      await sleep(200, undefined, { signal });
    }
  };

  test("a rescue by an image that cannot be one is refused, and the machine runs on", async () => {
    const junk = await node.store(
      Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x09", "latin1"), Buffer.alloc(4_096)]),
    );
    assert.equal((await ask("POST", "rescue", `?item_hash=${junk}`))[0], 202);
    const [status, reason] = await rescued();
    assert.equal(status, 500);
    assert.match(reason, /the disk image cannot be used/);
    assert.equal(await bootAfter(""), boot);
  });

  test("a restore by a disk that leads elsewhere or is damaged is refused, and the machine runs on", async () => {
    const path = `/control/machine/${vmHash}/restore`;
    for (const [what, bytes] of badDisks(disk)) {
      const form = new FormData();
      form.append("rootfs", new Blob([new Uint8Array(bytes)]), "rootfs.qcow2");
      const headers = key.headers({ method: "POST", path, domain: "localhost", nowMs: Date.now() });
      const url = `${node.compute.node.apiUrl}${path}`;
      const { status } = await fetch(url, { method: "POST", headers, body: form });
      assert.equal(status, 400, what);
    }
    assert.equal(await bootAfter(""), boot);
    assert.ok(!(await node.leftOf(vmHash)).includes("restore.qcow2"));
  });

  test("mends it from a rescue system, which reaches its disk; what is on it stays", async () => {
    assert.equal((await ask("POST", "rescue", `?item_hash=${image}`))[0], 202);
    const [status, text] = await rescued();
    assert.deepEqual([status, JSON.parse(text).status], [200, "rescue"]);
    boot = await bootAfter(boot);
    const [root, own] = ["/root/kept", "/own/root/kept"];
    assert.equal(
      await run(`mkdir /own; mount -t ext4 /dev/vdb1 /own; ls ${root} 2>/dev/null; cat ${own}`),
      "mine",
    );
    await run(`echo mended >>${own}; umount /own; sync`);
    for (const name of ["reinstall", "erase"]) assert.equal((await ask("POST", name))[0], 409, name);

    await ask("POST", "reboot");
    boot = await bootAfter(boot);
    assert.equal(await run("cat /root/boots"), "2", "it still boots the rescue system");
    const [left, said] = await ask("DELETE", "rescue");
    assert.deepEqual([left, JSON.parse(said).status], [200, "normal"]);
    boot = await bootAfter(boot);
    assert.equal(await onDisks(), "mine mended data");
    assert.equal((await ask("GET", "rescue"))[0], 404);
    assert.ok(!(await node.leftOf(vmHash)).includes("rescue.qcow2"));
  });

  test("makes it anew and keeps its volumes, or makes those anew as well", async () => {
    const answer = [200, `Reinstalled VM with ref ${vmHash}`];
    assert.deepEqual(await ask("POST", "reinstall", "?erase_volumes=false"), answer);
    boot = await bootAfter(boot);
    assert.equal(await onDisks(), "data");
    await run("echo again >/root/kept; sync");
    assert.deepEqual(await ask("POST", "reinstall"), answer);
    boot = await bootAfter(boot);
    assert.equal(await onDisks(), "");
  });

  test("lets it end after a time, starts it again, and erases it without a trace", async () => {
    await run("echo last >/root/kept; sync");
    const [status, text] = await ask("POST", "expire", "?timeout=1");
    assert.deepEqual([status, text], [200, `Expiring VM with ref ${vmHash} in 1 seconds`]);
    const signal = AbortSignal.timeout(BOOT_MS);
    while ((await node.listed(vmHash))?.state !== "stopped") await sleep(200, undefined, { signal });
    assert.equal((await node.listed(vmHash))?.reason?.code, "EXPIRED");
    assert.deepEqual(await ask("POST", "start"), [200, `Started VM with ref ${vmHash}`]);
    boot = await bootAfter(boot);
    assert.equal(await onDisks(), "last");
    assert.deepEqual(await ask("POST", "erase"), [200, `Erased VM with ref ${vmHash}`]);
    assert.equal(await node.listed(vmHash), null);
    assert.deepEqual(await node.leftOf(vmHash), []);
  });
});
