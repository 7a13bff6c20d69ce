import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { InstanceContent } from "@twentysix/protocol";
import { ConfidentialLaunches } from "../../src/instances/confidential/confidential-service.ts";
import { vmFolder } from "../../src/instances/disks/vm-folder.ts";
import { NODE_HASH, startTestControl } from "../support/test-control.ts";
import { hashOf, instanceContent, instanceMessage } from "../support/vm-messages.ts";
import { ethWallet } from "../support/wallets.ts";

const VM = hashOf("a");
const MACHINE = `/control/machine/${VM}`;
const FOREVER = new AbortController().signal;
const PAID = { chain: null, receiver: null, type: "credit" } as const;
const INFO = {
  ...{ enabled: true, "api-major": 1, "api-minor": 55, "build-id": 21 },
  ...{ policy: 1, state: "launch-secret", handle: 1 },
};
const CONFIDENTIAL: Pick<InstanceContent, "environment" | "requirements"> = {
  requirements: {
    ...{ cpu: null, gpu: null },
    node: { owner: null, address_regex: null, node_hash: NODE_HASH, terms_and_conditions: null },
  },
  environment: {
    ...instanceContent().environment,
    trusted_execution: {
      ...{ firmware: hashOf("firmware"), policy: 1, mode: null },
      ...{ runtime: null, measurements: null, attestation_port: null },
    },
  },
};

describe("the owner of a confidential machine", () => {
  let dir: string;
  let control: Awaited<ReturnType<typeof startTestControl>>;
  /** What QEMU was told, while its guest waits. */
  let injected: object | null;
  const folder = () => vmFolder(dir, VM);

  const open = async (content: Partial<InstanceContent> = CONFIDENTIAL): Promise<void> => {
    dir = mkdtempSync(join(tmpdir(), "confidential-"));
    await mkdir(folder().path, { recursive: true });
    injected = null;
    control = await startTestControl({
      hasSev: true,
      instances: { confidential: new ConfidentialLaunches({ computeDir: dir }) },
    });
    control.host.awaitsOwner = async (execution) => {
      const tee = "rootfs" in execution.content ? execution.content.environment.trusted_execution : null;
      return tee !== null && !existsSync(folder().session);
    };
    let isRunning = false;
    control.host.qmp = async (command, argumentsOf) => {
      if (command === "query-sev") return INFO;
      if (command === "query-sev-launch-measure") return { data: "bWVhc3VyZQ==" };
      if (command === "sev-inject-launch-secret") injected = argumentsOf;
      if (command === "cont") isRunning = true;
      if (command !== "query-status") return {};
      return { status: isRunning ? "running" : "prelaunch", running: isRunning, singlestep: false };
    };
    const message = instanceMessage("a", { address: control.owner.address, payment: PAID, ...content });
    control.network.messages.set(VM, message);
    control.network.funds.set(control.owner.address, { tokens: "0", credits: 1_000_000n });
  };
  beforeEach(() => open());
  afterEach(async () => {
    await control.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const notify = async () => {
    const payload = JSON.stringify({ instance: VM });
    const answer = await control.inject({ method: "POST", url: "/control/allocation/notify", payload });
    return [answer.statusCode, answer.json().success];
  };
  const ask = async (method: "GET" | "POST", name: string, more: object = {}) => {
    const answer = await control.asOwner(method, `${MACHINE}/confidential/${name}`, more);
    return [answer.statusCode, answer.body];
  };
  const form = (fields: Readonly<Record<string, string>>) => {
    const parts = Object.entries(fields).map(
      ([name, text]) =>
        `--x\r\ncontent-disposition: form-data; name="${name}"; filename="vm_${name}.b64"\r\n\r\n${text}\r\n`,
    );
    return {
      payload: `${parts.join("")}--x--\r\n`,
      headers: { "content-type": "multipart/form-data; boundary=x" },
    };
  };
  const initialize = (session = "c2Vzc2lvbg==") => ask("POST", "initialize", form({ session, godh: "a2V5" }));
  const refused = (code: string, description: string) => [400, JSON.stringify({ code, description })];
  const listed = async (version: "" | "/v2") => {
    const answer = await control.inject({ method: "GET", url: `${version}/about/executions/list` });
    return answer.json()[VM];
  };

  test("finds it prepared, and in both lists, so that nobody places it elsewhere", async () => {
    assert.deepEqual(await notify(), [200, true]);
    assert.equal(control.host.processes.size, 0);
    assert.deepEqual(
      [(await listed("")).awaiting_confidential_init, (await listed("/v2")).running],
      [true, false],
    );
    assert.equal((await listed("/v2")).awaiting_confidential_init, true);
    assert.equal((await listed("/v2")).reason.code, "AWAITING_OWNER");
    assert.deepEqual(await ask("GET", "measurement"), [
      403,
      JSON.stringify({ error: "Operation not running" }),
    ]);
  });

  test("starts it by a session, measures it, and lets it go on with a secret", async () => {
    await notify();
    assert.deepEqual(await initialize(), [200, `Started VM with ref ${VM}`]);
    assert.equal((await listed("/v2")).running, true);
    assert.equal((await listed("/v2")).awaiting_confidential_init, false);
    const [status, body] = await ask("GET", "measurement");
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(String(body)), {
      sev_info: {
        ...{ enabled: true, api_major: 1, api_minor: 55, build_id: 21 },
        ...{ policy: 1, state: "launch-secret", handle: 1 },
      },
      launch_measure: "bWVhc3VyZQ==",
    });
    const payload = JSON.stringify({ packet_header: "aGVhZA==", secret: "c2VjcmV0" });
    const status200 = { status: { status: "running", running: true, singlestep: false } };
    assert.deepEqual(await ask("POST", "inject_secret", { payload }), [200, JSON.stringify(status200)]);
    assert.deepEqual(injected, { "packet-header": "aGVhZA==", secret: "c2VjcmV0" });
    assert.equal((await ask("POST", "inject_secret", { payload }))[0], 409, "it goes on already");
    const running = refused("vm_running", "Operation not allowed, instance already running");
    assert.deepEqual(await initialize(), running);
  });

  test("is waited for again when it has ended", async () => {
    await notify();
    await initialize();
    rmSync(folder().session);
    control.host.processes.get(VM)?.end("failed", "the host failed");
    for (let second = 0; second < 30 && !(await listed("/v2")).awaiting_confidential_init; second += 1) {
      control.executions.contact.note("core-node");
      await control.time.advance(1_000);
    }
    assert.equal((await listed("/v2")).awaiting_confidential_init, true);
    assert.equal((await control.asOwner("POST", `${MACHINE}/start`)).statusCode, 200);
    assert.equal((await listed("/v2")).awaiting_confidential_init, true, "a start needs a session");
    assert.deepEqual(await initialize(), [200, `Started VM with ref ${VM}`]);
  });

  test("is told what is missing in what he sent", async () => {
    await notify();
    const missing = refused(
      "field_missing",
      "the form needs the files session and godh, of base64 and 4 KiB at most",
    );
    assert.deepEqual(await ask("POST", "initialize", form({ session: "c2Vzc2lvbg==" })), missing);
    assert.deepEqual(await ask("POST", "initialize"), missing);
    assert.deepEqual(await initialize("no base64: é"), missing);
    assert.deepEqual(await initialize("QUJD".repeat(1_025)), missing);
    assert.deepEqual(await readdir(folder().path), []);
    await initialize();
    assert.equal(await readFile(folder().session, "utf8"), "c2Vzc2lvbg==");
    const secretless = refused("field_missing", "packet_header and secret are needed, as base64");
    for (const body of [{}, { packet_header: "aGVhZA==" }, { packet_header: 1, secret: "c2VjcmV0" }]) {
      assert.deepEqual(await ask("POST", "inject_secret", { payload: JSON.stringify(body) }), secretless);
    }
  });

  test("alone may do so", async () => {
    await notify();
    for (const [method, name] of [
      ["POST", "initialize"],
      ["GET", "measurement"],
      ["POST", "inject_secret"],
    ] as const) {
      const url = `${MACHINE}/confidential/${name}`;
      assert.equal((await control.asOwner(method, url, { wallet: ethWallet("stranger") })).statusCode, 403);
      const answer = await control.inject({ method, url });
      assert.equal(answer.statusCode, 400, name);
      assert.match(answer.body, /X-SignedPubKey/, name);
    }
  });

  test("of a machine that is none is told so", async () => {
    await control.close();
    await open({});
    await control.manager.ensureRunning(
      instanceMessage("a", { address: control.owner.address, payment: PAID }),
      { source: "owner", isPersistent: true },
      FOREVER,
    );
    const none = refused("not_confidential", "Operation not allowed, instance is not confidential");
    for (const [method, name] of [
      ["POST", "initialize"],
      ["GET", "measurement"],
      ["POST", "inject_secret"],
    ] as const) {
      assert.deepEqual(await ask(method, name), none);
    }
  });

  test("finds no certificates where the tool that exports them is missing", async () => {
    const answer = await control.inject({ method: "GET", url: "/about/certificates" });
    assert.equal(answer.statusCode, 503);
    assert.match(answer.json().error, /sevctl is not installed/);
  });
});
