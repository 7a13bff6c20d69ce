import assert from "node:assert/strict";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const MACHINE = `/control/machine/${VM}`;
const FOREVER = new AbortController().signal;

describe("an owner reads the console of a machine", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  beforeEach(async () => {
    control = await startTestControl();
    const message = instanceMessage("a", { address: control.owner.address });
    await control.manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
  });
  afterEach(() => control.close());

  test("or a part of it: by time, by kind, the newest lines", async () => {
    const folder = join(control.folder, "run", VM);
    const path = join(folder, "serial.log");
    await mkdir(folder);
    await writeFile(path, "one\ntwo\nthree\n");
    const ask = async (query: string) => {
      const answer = await control.asOwner("GET", `${MACHINE}/logs${query}`);
      return { status: answer.statusCode, json: answer.json() };
    };
    const lines = async (query: string) => {
      const { status, json } = await ask(query);
      assert.equal(status, 200, JSON.stringify(json));
      return json.map(({ MESSAGE }: { MESSAGE: string }) => MESSAGE);
    };
    const looking = new AbortController();
    const looks = control.services.logs.run(looking.signal);
    const timeOfLast = async () => (await ask("")).json.at(-1).__REALTIME_TIMESTAMP;
    while (!(await timeOfLast()).startsWith("2023")) await new Promise((next) => setImmediate(next));
    await control.time.advance(3_600_000);
    const later = new Date(control.nowMs() - 1_000).toISOString();
    await appendFile(path, "four\nfive\n");
    const seen = await timeOfLast();
    while ((await timeOfLast()) === seen) await new Promise((next) => setTimeout(next, 20));
    looking.abort();
    await looks;
    assert.deepEqual(await lines(`?since=${later}`), ["four", "five"]);
    assert.deepEqual(await lines(`?since=${later.replace("Z", "+00:00")}`), ["four", "five"]);
    assert.deepEqual(await lines(`?until=${Date.parse(later) / 1_000}`), ["one", "two", "three"]);
    assert.deepEqual(await lines(`?since=${later}&until=${later}`), []);
    assert.deepEqual(await lines("?limit=2"), ["four", "five"]);
    assert.deepEqual(await lines(`?limit=2&until=${later}`), ["two", "three"]);
    assert.deepEqual(await lines("?limit=100&type=stdout"), ["one", "two", "three", "four", "five"]);
    assert.deepEqual(await lines("?type=stderr"), [], "a console is one stream");
    for (const wrong of ["since=yesterday", "until=", "limit=0", "limit=x", "limit=-1", "type=all"]) {
      const { status, json } = await ask(`?${wrong}`);
      assert.equal(status, 400, wrong);
      assert.ok(json.error.startsWith(wrong.split("=")[0]), json.error);
    }
  });

  test("as an array, one entry a line", async () => {
    const folder = join(control.folder, "run", VM);
    await mkdir(folder);
    const logs = () => control.asOwner("GET", `${MACHINE}/logs`);
    assert.deepEqual((await logs()).json(), []);
    await writeFile(join(folder, "serial.log.1"), "first\r\n");
    await writeFile(join(folder, "serial.log"), "second \u00fc\n\nlast without end");
    const answer = await logs();
    const entries = answer.json();
    assert.deepEqual(
      entries.map(({ MESSAGE }: { MESSAGE: string }) => MESSAGE),
      ["first", "second \u00fc", "", "last without end"],
    );
    assert.equal(answer.body.split(",\n").length, 4);
    const { SYSLOG_IDENTIFIER, file, __REALTIME_TIMESTAMP } = entries[0];
    assert.deepEqual([SYSLOG_IDENTIFIER, file], [`vm-${VM}-stdout`, "stdout"]);
    assert.match(__REALTIME_TIMESTAMP, /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}/);
    const unknown = await control.asOwner("GET", `/control/machine/${hashOf("x")}/logs`);
    const expected = [404, { error: "No execution found for this VM" }];
    assert.deepEqual([unknown.statusCode, unknown.json()], expected);
    // Who owned a machine that is gone may still ask.
    await control.manager.erase(VM, null, FOREVER);
    assert.equal((await logs()).statusCode, 200);
  });
});
