import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DOMAIN, startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";
import { ClientKey, ethWallet, solWallet, type Wallet } from "../support/wallets.ts";

const VM = hashOf("a");
const PATH = `/control/machine/${VM}/logs`;

describe("owners prove who they are", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  const solana = solWallet();

  before(async () => {
    control = await startTestControl();
    await run("a", control.owner.address);
    await run("sol", solana.address);
  });
  after(() => control.close());

  async function run(name: string, address: string): Promise<void> {
    const message = instanceMessage(name, { address });
    control.network.messages.set(message.itemHash, message);
    const options = { source: "owner", isPersistent: true } as const;
    await control.manager.ensureRunning(message, options, new AbortController().signal);
  }

  const operation = (changes: object = {}) => ({
    method: "GET",
    path: PATH,
    domain: DOMAIN,
    nowMs: control.nowMs(),
    ...changes,
  });
  const ask = (headers: Record<string, string>, url = PATH) =>
    control.inject({ method: "GET", url, headers });

  test("with a wallet of Ethereum, which the reference's clients call ETH or leave out", async () => {
    for (const claims of [{}, { chain: "ETH" }, { domain: "another.node" }, { domain: undefined }]) {
      const key = await ClientKey.create(control.owner, control.nowMs(), claims);
      assert.equal((await ask(key.headers(operation()))).statusCode, 200);
    }
  });

  test("with a wallet of Solana, which signs the hexadecimal text", async () => {
    const path = `/control/machine/${hashOf("sol")}/logs`;
    const key = await ClientKey.create(solana, control.nowMs());
    assert.equal((await ask(key.headers(operation({ path })), path)).statusCode, 200);
    const forged: Wallet = { ...solWallet(), address: solana.address };
    const other = await ClientKey.create(forged, control.nowMs());
    const refused = await ask(other.headers(operation({ path })), path);
    assert.deepEqual([refused.statusCode, refused.json()], [401, { error: "Invalid signature" }]);
  });

  test("or are told what is wrong, in the words of the reference", async () => {
    const key = await ClientKey.create(control.owner, control.nowMs());
    const good = key.headers(operation());
    const expired = await ClientKey.create(control.owner, control.nowMs(), {
      expires: "2020-01-01T00:00:00Z",
    });
    const otherChain = await ClientKey.create(control.owner, control.nowMs(), { chain: "NULS" });
    const stranger: Wallet = { ...ethWallet("x"), address: control.owner.address };
    const forged = await ClientKey.create(stranger, control.nowMs());
    const swapped = await ClientKey.create(control.owner, control.nowMs());
    const minutesAgo = control.nowMs() - 120_001;
    const { "x-signedpubkey": signedPubKey = "", "x-signedoperation": signedOperation = "" } = good;
    const cases: [Record<string, string>, number, string][] = [
      [{}, 400, "Missing X-SignedPubKey header"],
      [{ "x-signedpubkey": "" }, 400, "Missing X-SignedPubKey header"],
      [{ "x-signedpubkey": "{" }, 400, "Invalid X-SignedPubKey format"],
      [{ "x-signedpubkey": "{}" }, 400, "Invalid X-SignedPubKey data"],
      [{ "x-signedpubkey": signedPubKey }, 400, "Missing X-SignedOperation header"],
      [
        { "x-signedpubkey": signedPubKey, "x-signedoperation": "{}" },
        400,
        "Invalid X-SignedOperation fields",
      ],
      [expired.headers(operation()), 401, "Token expired"],
      [otherChain.headers(operation()), 400, "Invalid X-SignedPubKey data"],
      [forged.headers(operation()), 401, "Invalid signature"],
      [key.headers(operation({ nowMs: minutesAgo })), 400, "Invalid X-SignedOperation fields"],
      [key.headers(operation(), { time: "2023-11-14T22:13:20" }), 400, "Invalid X-SignedOperation fields"],
      [key.headers(operation({ method: "PUT" })), 400, "Invalid X-SignedOperation fields"],
      [
        key.headers(operation({ domain: "evil.test" })),
        401,
        "Invalid domain: Signed: 'evil.test' != Request: 'crn.test'",
      ],
      [
        key.headers(operation({ path: "/x" })),
        401,
        `Invalid path. Signed: '/x' !=  requested path: '${PATH}'`,
      ],
      [key.headers(operation({ method: "POST" })), 401, "Invalid method. Signed: 'POST' !=  request:'GET"],
      [
        { ...swapped.headers(operation()), "x-signedoperation": signedOperation },
        401,
        "Signature could not verified",
      ],
    ];
    for (const [headers, status, error] of cases) {
      const answer = await ask(headers);
      assert.deepEqual([answer.statusCode, answer.json()], [status, { error }]);
    }
  });

  test("the query is not part of the path that is signed", async () => {
    const path = `/control/machine/${VM}/reinstall`;
    const answer = await control.asOwner("POST", `${path}?erase_volumes=false`);
    assert.deepEqual([answer.statusCode, answer.body], [200, `Reinstalled VM with ref ${VM}`]);
  });

  test("an operation is accepted once, reading as often as one likes", async () => {
    const key = await ClientKey.create(control.owner, control.nowMs());
    const reading = key.headers(operation());
    assert.equal((await ask(reading)).statusCode, 200);
    assert.equal((await ask(reading)).statusCode, 200);
    const url = `/control/machine/${VM}/reboot`;
    const headers = key.headers(operation({ method: "POST", path: url }));
    assert.equal((await control.inject({ method: "POST", url, headers })).statusCode, 200);
    const again = await control.inject({ method: "POST", url, headers });
    assert.equal(again.statusCode, 401);
    assert.match(again.json().error, /accepted before/);
  });

  test("and strangers who sign a lot keep no owner out, nor does one owner another", async () => {
    const url = `/control/machine/${VM}/reboot`;
    const stranger = ethWallet("stranger");
    const key = await ClientKey.create(stranger, control.nowMs());
    for (let count = 0; count < 1_100; count += 1) {
      const headers = key.headers(operation({ method: "POST", path: url }), { count });
      assert.equal((await control.inject({ method: "POST", url, headers })).statusCode, 403);
    }
    const own = await ClientKey.create(control.owner, control.nowMs());
    const reboot = async (count: number) => {
      const headers = own.headers(operation({ method: "POST", path: url }), { count });
      return (await control.inject({ method: "POST", url, headers })).statusCode;
    };
    const statuses: number[] = [];
    for (let count = 0; count < 1_001; count += 1) statuses.push(await reboot(count));
    assert.deepEqual([statuses[0], statuses.at(-1)], [200, 429]);
    const solanas = `/control/machine/${hashOf("sol")}/reboot`;
    const other = await ClientKey.create(solana, control.nowMs());
    const headers = other.headers(operation({ method: "POST", path: solanas }));
    assert.equal((await control.inject({ method: "POST", url: solanas, headers })).statusCode, 200);
    await control.time.advance(240_001);
    const later = await ClientKey.create(control.owner, control.nowMs());
    const again = later.headers(operation({ method: "POST", path: url }));
    assert.equal((await control.inject({ method: "POST", url, headers: again })).statusCode, 200);
  });

  test("who says what the body is must send that body", async () => {
    const key = await ClientKey.create(control.owner, control.nowMs());
    const url = `/control/machine/${VM}/expire`;
    const headers = key.headers(operation({ method: "POST", path: url }), { body_sha256: hashOf("x") });
    assert.equal((await control.inject({ method: "POST", url, headers, payload: "y" })).statusCode, 401);
    const good = key.headers(operation({ method: "POST", path: url }), { body_sha256: hashOf("{}") });
    assert.equal(
      (await control.inject({ method: "POST", url, headers: good, payload: "{}" })).statusCode,
      200,
    );
  });

  describe("or that the owner has authorised them", () => {
    const delegate = ethWallet("delegate");
    const authorise = (authorization: object): void => {
      control.network.aggregates.set(`${control.owner.address} security`, {
        authorizations: [{ address: delegate.address.toLowerCase(), ...authorization }],
      });
    };
    const status = async () => (await control.asOwner("GET", PATH, { wallet: delegate })).statusCode;

    test("for instances, or for everything; in any case of letters", async () => {
      assert.equal(await status(), 403);
      authorise({});
      assert.equal(await status(), 200);
      authorise({ types: ["INSTANCE"], chain: "AVAX" });
      assert.equal(await status(), 200);
    });

    test("not for something else, or with another kind of wallet", async () => {
      for (const authorization of [{ types: ["POST"] }, { types: ["PROGRAM"] }, { chain: "SOL" }]) {
        authorise(authorization);
        const answer = await control.asOwner("GET", PATH, { wallet: delegate });
        assert.deepEqual([answer.statusCode, answer.body], [403, "Unauthorized sender"]);
        assert.equal(answer.headers["content-type"], "application/octet-stream");
      }
    });

    test("which is not decided while no core node answers", async () => {
      authorise({});
      control.network.isReachable = false;
      assert.equal(await status(), 503);
      assert.equal((await control.asOwner("GET", PATH)).statusCode, 200);
      control.network.isReachable = true;
    });
  });
});
