import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createDeferred } from "@twentysix/platform";
import type {
  BackupMetadata,
  BackupState,
  ExportJob,
  InstanceServices,
  RescueState,
  RestoreSource,
} from "../../src/control/instance-services.ts";
import { InstanceServiceError } from "../../src/control/instance-services.ts";
import { startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";
import { ethWallet } from "../support/wallets.ts";

const VM = hashOf("a");
const MACHINE = `/control/machine/${VM}`;
const FOREVER = new AbortController().signal;

let control: Awaited<ReturnType<typeof startTestControl>>;

async function open(instances: Partial<InstanceServices> = {}): Promise<void> {
  control = await startTestControl({ instances });
  const message = instanceMessage("a", { address: control.owner.address, payment: PAID });
  control.network.messages.set(VM, message);
  control.network.funds.set(control.owner.address, { tokens: "0", credits: 1_000n });
  await control.manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
}

const PAID = { chain: null, receiver: null, type: "credit" } as const;
const post = async (name: string, more: object = {}) => {
  const answer = await control.asOwner("POST", `${MACHINE}/${name}`, more);
  return [answer.statusCode, answer.body];
};
const error = (text: string) => JSON.stringify({ error: text });

describe("an owner works with a machine", () => {
  beforeEach(() => open());
  afterEach(() => control.close());

  test("stops it, starts it, reboots it", async () => {
    assert.deepEqual(await post("stop"), [200, `Stopped VM with ref ${VM}`]);
    assert.deepEqual(await post("stop"), [200, "Already stopped, nothing to do"]);
    assert.deepEqual(await post("start"), [200, `Started VM with ref ${VM}`]);
    assert.deepEqual(await post("start"), [200, "Already running, nothing to do"]);
    assert.deepEqual(await post("reboot"), [200, `Rebooted VM with ref ${VM}`]);
    await post("stop");
    assert.deepEqual(await post("reboot"), [200, `Starting VM (was not running) with ref ${VM}`]);
    assert.equal(control.manager.get(VM)?.state, "running");
  });

  test("a stop holds against strangers where its owner says so", async () => {
    const url = "/control/allocation/notify";
    const payload = JSON.stringify({ instance: VM });
    const announced = async () => (await control.inject({ method: "POST", url, payload })).statusCode;
    const signed = async (more: object = {}) =>
      (await control.asOwner("POST", url, { payload, ...more })).statusCode;
    const state = () => control.manager.get(VM)?.state;
    await post("stop");
    assert.deepEqual(await post("stop?until_owner_starts=true"), [200, `Stopped VM with ref ${VM}`]);
    assert.equal(await announced(), 409);
    assert.equal(await signed({ wallet: ethWallet("stranger") }), 403);
    await control.asScheduler("POST", "/control/allocations", { instances: [VM] });
    assert.equal(state(), "stopped");
    assert.equal(await signed(), 200);
    assert.equal(state(), "running");
    await post("stop?until_owner_starts=1");
    await post("start");
    assert.equal(state(), "running");
    // As the clients of the existing network start what they have stopped.
    await post("stop");
    assert.equal(await announced(), 200);
    assert.equal(state(), "running");
  });

  test("but has to pay when it starts again", async () => {
    await post("stop");
    control.network.funds.clear();
    const [status, body] = await post("start");
    assert.equal(status, 402);
    assert.match(String(body), /Insufficient credits/);
  });

  test("makes it anew, and removes it", async () => {
    assert.deepEqual(await post("reinstall?erase_volumes=true"), [200, `Reinstalled VM with ref ${VM}`]);
    assert.equal((await post("reinstall?erase_volumes=x"))[0], 400);
    assert.deepEqual(await post("erase"), [200, `Erased VM with ref ${VM}`]);
    assert.deepEqual(await post("erase"), [404, error(`No virtual machine with ref ${VM}`)]);
    assert.equal(control.host.disks.size, 0);
  });

  test("lets it end after a time", async () => {
    const payload = JSON.stringify({ timeout: 30 });
    assert.deepEqual(await post("expire", { payload }), [200, `Expiring VM with ref ${VM} in 30 seconds`]);
    for (const bad of [{ timeout: -1 }, { timeout: 864_000 }, { timeout: "x" }]) {
      const refused = await post("expire", { payload: JSON.stringify(bad) });
      assert.deepEqual(refused, [400, error("Invalid timeout duration")]);
    }
    assert.equal((await post("expire?timeout=5"))[0], 200);
    assert.deepEqual(await post("expire"), [200, `Expiring VM with ref ${VM} in 0 seconds`]);
    while (control.manager.get(VM)?.state !== "stopped") await new Promise((next) => setImmediate(next));
    assert.equal(control.manager.get(VM)?.reason?.code, "EXPIRED");
    await post("start");
    await post("expire?timeout=60");
    await post("stop");
    assert.equal(control.executions.store.fact("ends-of-machines"), "{}", "it is not ended twice");
  });

  test("and is answered in JSON where that is asked for", async () => {
    const answer = await control.asOwner("POST", `${MACHINE}/stop`, {
      headers: { accept: "application/json" },
    });
    assert.deepEqual(answer.json(), {
      status: "ok",
      message: `Stopped VM with ref ${VM}`,
      vm_hash: VM,
      state: "stopped",
    });
  });

  test("anybody may ask for its ports to be read again, but not often", async () => {
    const update = () => control.inject({ method: "POST", url: `${MACHINE}/update` });
    const first = await update();
    assert.deepEqual([first.statusCode, first.json()], [200, {}]);
    for (let count = 0; count < 4; count += 1) await update();
    assert.equal((await update()).statusCode, 429);
    const unknown = await control.inject({ method: "POST", url: `/control/machine/${hashOf("x")}/update` });
    assert.deepEqual([unknown.statusCode, unknown.json()], [404, { error: "VM not found" }]);
    await control.manager.stop(VM, null, FOREVER);
    assert.deepEqual((await update()).json(), { status: "ok", msg: "VM not starting yet" });
  });

  test("a hash that is none is refused", async () => {
    const answer = await control.asOwner("POST", "/control/machine/xyz/stop");
    assert.deepEqual([answer.statusCode, answer.json()], [400, { error: "Invalid ref: 'xyz'" }]);
  });

  test("nothing is confidential here, and why", async () => {
    for (const [method, name] of [
      ["POST", "initialize"],
      ["GET", "measurement"],
      ["POST", "inject_secret"],
    ] as const) {
      const answer = await control.asOwner(method, `${MACHINE}/confidential/${name}`);
      assert.deepEqual([answer.statusCode, answer.json().code], [400, "not_confidential"]);
      assert.equal(answer.json().tee_unavailable_reason, "this processor has no SEV");
    }
  });
});

describe("backups", () => {
  const metadata = (path: string): BackupMetadata => ({
    backupId: path,
    sizeBytes: 10,
    volumes: ["rootfs.qcow2"],
    expiresAtMs: 1_700_086_400_000,
    sha256: createHash("sha256").update("0123456789").digest("hex"),
    sourceSizes: { "rootfs.qcow2": 100, "data.qcow2": 20 },
  });
  const id = `${VM}-20250101T100000Z`;
  let state: BackupState | null = null;
  const asked: object[] = [];
  afterEach(() => control.close());
  beforeEach(async () => {
    state = null;
    await open({
      backups: {
        create: async (_execution, options) => {
          asked.push(options);
          state ??= { state: "in_progress" };
          return state;
        },
        status: async () => state,
        find: async (_vmHash, backupId) =>
          backupId === id ? { path: join(control.folder, "backup.tar"), metadata: metadata(id) } : null,
        remove: async (_vmHash, backupId) => backupId === id,
      },
    });
    await writeFile(join(control.folder, "backup.tar"), "0123456789");
  });

  test("are made in the background, and shown with a link", async () => {
    assert.deepEqual(await post("backup?include_volumes=true&skip_fsfreeze=true"), [
      202,
      '{"status":"in_progress"}',
    ]);
    assert.deepEqual(asked.at(-1), { includesVolumes: true, skipsFreeze: true });
    state = { state: "failed", reason: "the disk broke" };
    assert.deepEqual(await post("backup"), [500, "Backup failed: the disk broke"]);
    state = { state: "done", backup: metadata(id) };
    const { download_url, ...shown } = (await control.asOwner("GET", `${MACHINE}/backup`)).json();
    assert.deepEqual(shown, {
      backup_id: id,
      size: 10,
      volumes: ["rootfs.qcow2"],
      expires_at: "2023-11-15T22:13:20+00:00",
      checksum: `sha256:${metadata(id).sha256}`,
      source_sizes: { "rootfs.qcow2": 100, "data.qcow2": 20 },
    });
    const url = new URL(download_url);
    assert.equal(url.origin, "https://crn.test");
    const file = await control.inject({ method: "GET", url: `${url.pathname}${url.search}` });
    assert.equal(file.body, "0123456789");
    assert.equal(file.headers["content-type"], "application/x-tar");
    assert.equal(file.headers["x-backup-checksum"], `sha256:${metadata(id).sha256}`);
    assert.equal(file.headers["x-source-size"], "120");
    assert.equal(file.headers["content-disposition"], `attachment; filename="${id}.tar"`);
    assert.equal(file.headers["content-length"], "10");
    const rest = await control.inject({
      method: "GET",
      url: `${url.pathname}${url.search}`,
      headers: { range: "bytes=4-" },
    });
    assert.deepEqual(
      [rest.statusCode, rest.body, rest.headers["content-range"]],
      [206, "456789", "bytes 4-9/10"],
    );
  });

  test("are fetched by nobody without the link, or after a day", async () => {
    state = { state: "done", backup: metadata(id) };
    const { download_url } = (await control.asOwner("GET", `${MACHINE}/backup`)).json();
    const { searchParams } = new URL(download_url);
    const [signature = "", expires = ""] = [searchParams.get("signature"), searchParams.get("expires")];
    const get = async (path: string, query: string) => {
      const answer = await control.inject({ method: "GET", url: `${MACHINE}/backup/${path}?${query}` });
      return [answer.statusCode, answer.json().error];
    };
    assert.equal((await get(id, `signature=${signature}`))[0], 403);
    assert.equal((await get(id, `signature=${signature}&expires=x`))[0], 400);
    const other = `signature=${signature}&expires=${Number(expires) + 1}`;
    assert.deepEqual(await get(id, other), [403, "Invalid signature"]);
    assert.equal((await get(`${VM}..`, `signature=${signature}&expires=${expires}`))[0], 400);
    assert.equal((await get(hashOf("x"), `signature=${signature}&expires=${expires}`))[0], 403);
    await control.time.advance(86_401_000);
    assert.deepEqual(await get(id, `signature=${signature}&expires=${expires}`), [
      403,
      "Download link has expired",
    ]);
  });

  test("are deleted by their owner", async () => {
    const remove = async (backupId: string) => {
      const answer = await control.asOwner("DELETE", `${MACHINE}/backup/${backupId}`);
      return [answer.statusCode, answer.body];
    };
    assert.deepEqual(await remove(id), [200, `Deleted backup ${id}`]);
    assert.deepEqual(await remove(`${VM}-x`), [404, error("No backup found for this VM")]);
    state = null;
    const none = await control.asOwner("GET", `${MACHINE}/backup`);
    assert.deepEqual([none.statusCode, none.body], [404, error("No backup found for this VM")]);
  });
});

describe("another disk", () => {
  afterEach(() => control.close());

  test("is uploaded as a form, or named by its message", async () => {
    const received: string[] = [];
    const restore = async (_execution: unknown, source: RestoreSource) => {
      if (source.kind === "volume") received.push(source.storeHash);
      else {
        const chunks: Uint8Array[] = [];
        for await (const chunk of source.bytes) chunks.push(chunk);
        received.push(Buffer.concat(chunks).toString());
      }
      return { oldRootfsBackup: "rootfs.pre-restore-1.qcow2" };
    };
    await open({ restores: { restore } });
    const form = [
      "--x",
      'Content-Disposition: form-data; name="rootfs"; filename="rootfs.qcow2"',
      "Content-Type: application/octet-stream",
      "",
      "QFI\u00fb".repeat(3),
      "--x--",
      "",
    ].join("\r\n");
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const uploaded = await control.asOwner("POST", `${MACHINE}/restore`, { payload: form, headers });
    assert.deepEqual(uploaded.json(), {
      status: "restored",
      vm_hash: VM,
      old_rootfs_backup: "rootfs.pre-restore-1.qcow2",
    });
    const payload = JSON.stringify({ volume_ref: hashOf("volume") });
    const json = { "content-type": "application/json" };
    assert.equal(
      (await control.asOwner("POST", `${MACHINE}/restore`, { payload, headers: json })).statusCode,
      200,
    );
    assert.deepEqual(received, ["QFI\u00fb".repeat(3), hashOf("volume")]);
    const bad = await control.asOwner("POST", `${MACHINE}/restore`, { payload: "{}", headers: json });
    assert.equal(bad.statusCode, 400);
    const wrongField = form.replace('name="rootfs"', 'name="other"');
    const refused = await control.asOwner("POST", `${MACHINE}/restore`, { payload: wrongField, headers });
    assert.equal(refused.statusCode, 400);
  });

  test("is refused as the service says", async () => {
    for (const [code, status] of [
      ["IMAGE_INVALID", 400],
      ["TOO_LARGE", 413],
      ["NO_ROOM", 507],
      ["BUSY", 409],
    ] as const) {
      await open({
        restores: { restore: () => Promise.reject(new InstanceServiceError(code, `it is ${code}`)) },
      });
      const answer = await control.asOwner("POST", `${MACHINE}/restore`, {
        payload: JSON.stringify({ volume_ref: hashOf("volume") }),
        headers: { "content-type": "application/json" },
      });
      assert.deepEqual([answer.statusCode, answer.json()], [status, { error: `it is ${code}` }]);
      if (code !== "BUSY") await control.close();
    }
  });
});

describe("rescue", () => {
  let state: RescueState | null = null;
  beforeEach(() =>
    open({
      rescues: {
        enter: async () => ({ state: "in_progress" }),
        status: () => state,
        leave: async () => {},
      },
    }),
  );
  afterEach(() => control.close());

  test("has the answers that clients know", async () => {
    assert.deepEqual(await post("rescue"), [202, '{"status":"in_progress"}']);
    assert.equal((await post("rescue?item_hash=x"))[0], 400);
    const get = () => control.asOwner("GET", `${MACHINE}/rescue`);
    assert.equal((await get()).statusCode, 404);
    state = { state: "rescue", message: "original disk is /dev/vdb" };
    const answer = await get();
    assert.deepEqual(
      [answer.statusCode, answer.json()],
      [200, { status: "rescue", message: "original disk is /dev/vdb" }],
    );
    state = { state: "failed", reason: "no image" };
    assert.deepEqual([(await get()).statusCode, (await get()).body], [500, "no image"]);
    const left = await control.asOwner("DELETE", `${MACHINE}/rescue`);
    assert.deepEqual(left.json(), { status: "normal", message: "Instance restored to normal boot." });
  });
});

describe("migration", () => {
  const job: ExportJob = {
    vmHash: VM,
    state: "exported",
    startedAtMs: 1_700_000_000_000,
    finishedAtMs: 1_700_000_060_500,
    error: null,
    diskFiles: [
      {
        name: "rootfs.qcow2",
        sizeBytes: 4,
        sha256: hashOf("disk"),
        downloadPath: `${MACHINE}/migration/disk/x`,
      },
    ],
    exportToken: "token",
  };
  let released = 0;
  afterEach(() => control.close());
  beforeEach(() =>
    open({
      migrations: {
        startExport: async () => ({ job: { ...job, state: "exporting" }, isNew: true }),
        exportJob: (vmHash) => (vmHash === VM ? job : null),
        openDisk: async (_vmHash, name, token) => {
          if (token !== "token") throw new InstanceServiceError("TOKEN_INVALID", "the export token is wrong");
          const path = join(control.folder, "disk");
          await writeFile(path, "disk");
          const release = () => {
            released += 1;
          };
          return name === "rootfs.qcow2" ? { path, sizeBytes: 4, release } : null;
        },
        startImport: async (request) => ({
          job: {
            vmHash: request.vmHash,
            state: "imported",
            startedAtMs: 1_700_000_000_000,
            finishedAtMs: null,
            bytesDownloaded: 1,
            totalBytesExpected: 4,
            currentStep: null,
            error: null,
            transferTimeMs: null,
          },
          isNew: false,
        }),
        importJob: () => null,
        cancelExport: async (vmHash) => {
          if (vmHash !== VM) throw new InstanceServiceError("NOT_EXPORTED", "No export to cancel");
        },
        cleanUp: async (vmHash) => {
          if (vmHash !== VM)
            throw new InstanceServiceError("NOT_EXPORTED", "No completed export to clean up");
        },
      },
    }),
  );

  test("exports are driven by a scheduler", async () => {
    const started = await control.asScheduler("POST", `${MACHINE}/migration/export`);
    assert.equal(started.statusCode, 202);
    assert.deepEqual(started.json(), {
      state: "exporting",
      vm_hash: VM,
      started_at: "2023-11-14T22:13:20+00:00",
      status_url: `${MACHINE}/migration/export/status`,
    });
    const status = (await control.asScheduler("GET", `${MACHINE}/migration/export/status`)).json();
    assert.equal(status.finished_at, "2023-11-14T22:14:20.500000+00:00");
    assert.deepEqual(status.disk_files[0], {
      name: "rootfs.qcow2",
      size_bytes: 4,
      sha256: hashOf("disk"),
      download_path: `${MACHINE}/migration/disk/x`,
    });
    assert.equal(status.export_token, "token");
    const none = await control.asScheduler("GET", `/control/machine/${hashOf("x")}/migration/export/status`);
    assert.deepEqual([none.statusCode, none.json()], [404, { error: "No export job" }]);
    const unsigned = await control.inject({ method: "POST", url: `${MACHINE}/migration/export` });
    assert.equal(unsigned.statusCode, 401);
    const done = await control.asScheduler("POST", `${MACHINE}/migration/cleanup`);
    assert.deepEqual(done.json(), { status: "completed", vm_hash: VM });
    const cancelled = await control.asScheduler("POST", `${MACHINE}/migration/cancel`);
    assert.deepEqual(cancelled.json(), { status: "cancelled", vm_hash: VM });
    const anonymous = await control.inject({ method: "POST", url: `${MACHINE}/migration/cancel` });
    assert.equal(anonymous.statusCode, 401);
    const early = await control.asScheduler("POST", `/control/machine/${hashOf("x")}/migration/cleanup`);
    assert.deepEqual([early.statusCode, early.json().error], [409, "No completed export to clean up"]);
  });

  test("disks go to whoever has the token", async () => {
    const get = (name: string, token: string) =>
      control.inject({ method: "GET", url: `${MACHINE}/migration/disk/${name}?token=${token}` });
    assert.equal((await get("rootfs.qcow2", "x")).statusCode, 401);
    assert.equal((await get("other", "token")).statusCode, 404);
    const disk = await get("rootfs.qcow2", "token");
    assert.deepEqual([disk.body, disk.headers["content-type"]], ["disk", "application/octet-stream"]);
    assert.equal(released, 1);
  });

  test("a disk is let go when its reader has left before the answer began", async () => {
    await control.close();
    const [asked, answer, left] = [createDeferred<void>(), createDeferred<void>(), createDeferred<void>()];
    const released = createDeferred<void>();
    await open({
      migrations: {
        ...control.services.instances.migrations,
        openDisk: async () => {
          asked.resolve();
          await answer.promise;
          const path = join(control.folder, "disk");
          await writeFile(path, "disk");
          return { path, sizeBytes: 4, release: () => released.resolve() };
        },
      },
    });
    control.api.server.server.on("request", (_request, response) => {
      response.once("close", () => left.resolve());
    });
    const url = new URL(await control.api.listen({ host: "127.0.0.1", port: 0 }));
    const reader = connect(Number(url.port), url.hostname);
    reader.write(`GET ${MACHINE}/migration/disk/rootfs.qcow2?token=token HTTP/1.1\r\nhost: crn.test\r\n\r\n`);
    await asked.promise;
    reader.destroy();
    await left.promise;
    answer.resolve();
    await released.promise;
  });

  test("imports are asked for with what the source said", async () => {
    const migrate = (body: object) => control.asScheduler("POST", "/control/migrate", body);
    const file = { name: "rootfs.qcow2", size_bytes: 4, sha256: hashOf("disk"), download_path: "/x" };
    const request = { vm_hash: VM, source_host: "crn2.test", export_token: "token", disk_files: [file] };
    assert.equal((await migrate(request)).statusCode, 409);
    const wrong = await migrate({ ...request, source_host: "", source_port: 0, disk_files: [] });
    assert.equal(wrong.statusCode, 400);
    assert.equal(JSON.parse(wrong.json()).length, 3);
    const status = await control.asScheduler("GET", `/control/migrate/${VM}/status`);
    assert.deepEqual([status.statusCode, status.json()], [404, { error: "No import job" }]);
  });
});
