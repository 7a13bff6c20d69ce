import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadPeerKey } from "../src/index.ts";

const folder = await mkdtemp(join(tmpdir(), "twentysix-peer-key-"));
after(() => rm(folder, { recursive: true }));

test("a key is made once, readable by its owner alone, and names the peer from then on", async () => {
  for (const [kind, name] of [
    ["rsa", /^Qm[1-9A-HJ-NP-Za-km-z]{44}$/],
    ["ed25519", /^12D3Koo[1-9A-HJ-NP-Za-km-z]{45}$/],
  ] as const) {
    const keys = join(folder, kind);
    const made = await loadPeerKey(keys, kind);
    assert.match(made.peerId, name);
    const { mode } = await stat(join(keys, "node-secret.pkcs8.der"));
    assert.equal(mode & 0o777, 0o600);
    assert.equal((await loadPeerKey(keys, kind)).peerId, made.peerId);
  }
});

test("a key of another node is taken over, whatever its kind", async () => {
  const keys = join(folder, "openssl");
  await loadPeerKey(keys, "ed25519");
  const path = join(keys, "node-secret.pkcs8.der");
  const pem = execFileSync("openssl", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  execFileSync("openssl", ["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-out", path], { input: pem });
  const { peerId } = await loadPeerKey(keys, "ed25519");
  assert.match(peerId, /^Qm/);
});

test("a broken key is said to be one, and left alone", async () => {
  const keys = join(folder, "broken");
  await loadPeerKey(keys, "ed25519");
  const path = join(keys, "node-secret.pkcs8.der");
  await writeFile(path, "no key");
  await assert.rejects(loadPeerKey(keys, "ed25519"), {
    code: "NETWORK_KEY_INVALID",
    message: /restore it from a backup/,
  });
  assert.equal(await readFile(path, "utf8"), "no key");
});
