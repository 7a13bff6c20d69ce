import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadPeerKey, type PeerKeyKind, signaturesOf } from "../src/index.ts";

const bytes = Buffer.from("what is signed");

describe("a signature of a peer", { timeout: 60_000 }, () => {
  for (const kind of ["ed25519", "rsa"] satisfies PeerKeyKind[]) {
    test(`by a key of ${kind} is known by the name of the peer, and no other is`, async () => {
      const folders = [await mkdtemp(join(tmpdir(), "peer-")), await mkdtemp(join(tmpdir(), "peer-"))];
      await using stack = new AsyncDisposableStack();
      for (const folder of folders) stack.defer(() => rm(folder, { recursive: true, force: true }));
      const [one, other] = await Promise.all(
        folders.map(async (folder) => signaturesOf(await loadPeerKey(folder, kind))),
      );
      assert.ok(one !== undefined && other !== undefined);
      const signed = await one.sign(bytes);
      const { publicKey, signature } = signed;
      assert.ok(await other.isSignedBy(one.peerId, bytes, signed));
      const forged = [
        other.isSignedBy(other.peerId, bytes, signed),
        other.isSignedBy("nobody", bytes, signed),
        other.isSignedBy(one.peerId, Buffer.from("something else"), signed),
        other.isSignedBy(one.peerId, bytes, await other.sign(bytes)),
        other.isSignedBy(one.peerId, bytes, { publicKey: (await other.sign(bytes)).publicKey, signature }),
        other.isSignedBy(one.peerId, bytes, { publicKey, signature: signature.slice(1) }),
        other.isSignedBy(one.peerId, bytes, { publicKey, signature: new Uint8Array() }),
        other.isSignedBy(one.peerId, bytes, { publicKey: publicKey.slice(1), signature }),
        other.isSignedBy(one.peerId, bytes, { publicKey: new Uint8Array(), signature }),
      ];
      assert.deepEqual(new Set(await Promise.all(forged)), new Set([false]));
    });
  }
});
