import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { createVirtualTime } from "@twentysix/platform";
import { createNodeCrypto } from "@twentysix/protocol/node";
import Fastify from "fastify";
import { SchedulerAuth } from "../../src/control/auth/scheduler-auth.ts";
import { ControlError } from "../../src/control/errors.ts";
import { ethWallet, schedulerHeader } from "../support/wallets.ts";

const NOW_SECONDS = 1_735_725_600;
const PATH = "/control/allocations";
const KNOWN = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

async function open(options: { signer?: string; token?: string } = {}) {
  const { clock } = createVirtualTime(BigInt(NOW_SECONDS) * 1_000_000n);
  let contacts = 0;
  const auth = new SchedulerAuth({
    signers: async () => [options.signer ?? KNOWN],
    tokenHash: options.token === undefined ? null : createHash("sha256").update(options.token).digest("hex"),
    maxAgeSeconds: 300,
    crypto: createNodeCrypto(),
    clock,
    onContact: () => {
      contacts += 1;
    },
  });
  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof ControlError ? error.status : 500).send({ error: (error as Error).message }),
  );
  app.post("/control/allocations", async (request) => {
    await auth.authenticate(request, new AbortController().signal);
    return "in";
  });
  app.get("/about/executions/list", async (request) => {
    await auth.noteContact(request, new AbortController().signal);
    return "{}";
  });
  const list = async (headers: Record<string, string>): Promise<number> =>
    (await app.inject({ method: "GET", url: "/about/executions/list", headers })).statusCode;
  const status = async (headers: Record<string, string>, body = "{}", url = PATH): Promise<number> => {
    const answer = await app.inject({ method: "POST", url, headers, payload: body });
    return answer.statusCode;
  };
  return { status, list, contacts: () => contacts };
}

describe("a scheduler proves who it is", () => {
  const wallet = ethWallet("scheduler");
  const signed = (changes: object = {}) =>
    schedulerHeader(wallet, { method: "POST", path: PATH, body: "{}", iat: NOW_SECONDS, ...changes });

  test("also where nobody has to: what it signs counts, and nothing else is refused", async () => {
    const { list, contacts } = await open({ signer: wallet.address });
    const path = "/about/executions/list";
    const headers = async (changes: object = {}) => ({
      "content-length": "0",
      authorization: await schedulerHeader(wallet, {
        method: "GET",
        path,
        body: "",
        iat: NOW_SECONDS,
        ...changes,
      }),
    });
    assert.equal(await list({}), 200);
    assert.equal(await list({ authorization: "Bearer x" }), 200);
    assert.equal(await list(await headers({ iat: NOW_SECONDS - 301 })), 200);
    assert.equal(contacts(), 0);
    const once = await headers();
    assert.equal(await list(once), 200);
    assert.equal(contacts(), 1);
    assert.equal(await list(once), 200, "the same signature proves nothing twice");
    assert.equal(contacts(), 1);
  });

  test("by the vector of the specification", async () => {
    const { status, contacts } = await open();
    const body = `{"persistent_vms":[],"instances":["${"deca".repeat(16)}"]}`;
    const bodyHash = "9150d3e04a93032020d2bf464226f474e3c4cd3beea4fda809774b522ea9d669";
    assert.equal(createHash("sha256").update(body).digest("hex"), bodyHash);
    const payload = `{"method":"POST","path":"/control/allocations","body_sha256":"${bodyHash}","iat":1735725600}`;
    const sig =
      "0x43db74ce4faa5a0e9ff4bcaf47c623d55c5211cb386f4e56b4b8afefc9256055522322da7ac5bd0bee74315fd394fe4a8f11d09be7eb4b0b4b07cc4df25edcf51b";
    const authorization = `Aleph-EIP191-V1 sig=${sig},payload=${Buffer.from(payload).toString("hex")}`;
    assert.equal(await status({ authorization }, body), 200);
    assert.equal(contacts(), 1);
  });

  test("within 300 seconds, inclusive, and only by a whole number of them", async () => {
    const { status } = await open({ signer: wallet.address });
    for (const iat of [NOW_SECONDS - 300, NOW_SECONDS + 300]) {
      assert.equal(await status({ authorization: await signed({ iat }) }), 200);
    }
    for (const iat of [NOW_SECONDS - 301, NOW_SECONDS + 301, true, NOW_SECONDS + 0.5, String(NOW_SECONDS)]) {
      assert.equal(await status({ authorization: await signed({ iat }) }), 401, String(iat));
    }
    const asFloat = JSON.stringify({
      method: "POST",
      path: PATH,
      body_sha256: createHash("sha256").update("{}").digest("hex"),
      iat: 0,
    }).replace('"iat":0', `"iat":${NOW_SECONDS}.0`);
    const payload = Buffer.from(asFloat);
    const authorization = `Aleph-EIP191-V1 sig=${await wallet.sign(payload)},payload=${payload.toString("hex")}`;
    assert.equal(await status({ authorization }), 401);
  });

  test("for one request: another body, path, method or query is refused", async () => {
    const { status } = await open({ signer: wallet.address });
    assert.equal(await status({ authorization: await signed({ body: "other" }) }), 401);
    assert.equal(await status({ authorization: await signed({ path: "/control/allocation" }) }), 401);
    assert.equal(await status({ authorization: await signed({ method: "GET" }) }), 401);
    const withQuery = await signed({ path: `${PATH}?x=1` });
    assert.equal(await status({ authorization: withQuery }, "{}", `${PATH}?x=1`), 401);
  });

  test("once: the same payload again is refused, also with the other form of the signature", async () => {
    const { status } = await open({ signer: wallet.address });
    const authorization = await signed();
    assert.equal(await status({ authorization }), 200);
    assert.equal(await status({ authorization }), 401);
    assert.equal(await status({ authorization: malleated(authorization) }), 401);
    // The same second, another body.
    const other = await signed({ body: '{"instances":[]}' });
    assert.equal(await status({ authorization: other }, '{"instances":[]}'), 200);
    assert.equal(await status({ authorization: await signed({ nonce: "0123456789abcdef" }) }), 200);
  });

  test("with exactly two parameters, under the scheme in any case of letters", async () => {
    const { status } = await open({ signer: wallet.address });
    const authorization = await signed();
    assert.equal(
      await status({ authorization: authorization.replace("Aleph-EIP191-V1", "aleph-eip191-v1") }),
      200,
    );
    const fresh = await signed({ nonce: "1" });
    for (const broken of [
      `${fresh},extra=1`,
      fresh.replace(/payload=.*/, "payload="),
      fresh.replace(/sig=[^,]*,/, ""),
      fresh.replace("Aleph-EIP191-V1", "Bearer"),
      `${fresh},sig=00`,
    ]) {
      assert.equal(await status({ authorization: broken }), 401, broken.slice(0, 40));
    }
    assert.equal(await status({ authorization: fresh.replace("sig=0x", "sig=") }), 200);
  });

  test("by no other key", async () => {
    const { status, contacts } = await open();
    assert.equal(await status({ authorization: await signed() }), 401);
    assert.equal(contacts(), 0);
  });

  test("or by the older token, where the node has one; never by an empty one", async () => {
    const { status } = await open({ token: "secret", signer: wallet.address });
    assert.equal(await status({ "x-auth-signature": "secret" }), 200);
    assert.equal(await status({ "x-auth-signature": "other" }), 401);
    assert.equal(await status({ "x-auth-signature": "" }), 401);
    assert.equal(await status({}), 401);
    // With the newer header the older one is not looked at.
    assert.equal(await status({ authorization: "x", "x-auth-signature": "secret" }), 401);
    const empty = await open({ token: "" });
    assert.equal(await empty.status({ "x-auth-signature": "" }), 401);
    const none = await open();
    assert.equal(await none.status({ "x-auth-signature": "secret" }), 401);
  });
});

/** s becomes n - s, and v the other one: the same signature, written otherwise. */
function malleated(header: string): string {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  return header.replace(/sig=0x([0-9a-f]{64})([0-9a-f]{64})([0-9a-f]{2})/, (_all, r, s, v) => {
    const other = (order - BigInt(`0x${s}`)).toString(16).padStart(64, "0");
    return `sig=0x${r}${other}${v === "1b" ? "1c" : "1b"}`;
  });
}
