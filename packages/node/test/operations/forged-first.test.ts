import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { getJson, post, rawAccount, type SignedText, signRaw } from "../support/raw-messages.ts";
import { storedEnvelope, uploadContent } from "../support/stored-envelope.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

/* A copy that its author did not make, or that is no message at all, comes before the genuine one. */

const author = rawAccount("author who comes second");
const stranger = rawAccount("stranger who comes first");

interface View {
  readonly status: string;
  readonly message?: { readonly sender: string; readonly signature: string; readonly content: unknown };
  readonly error_code?: number;
}

const viewOf = (node: TestNode, { itemHash }: SignedText): Promise<View> =>
  getJson<View>(node, `/api/v0/messages/${itemHash}`);

const submit = (node: TestNode, envelope: string, sync = true) =>
  post(node, "/api/v0/messages", `{"sync":${sync},"message":${envelope}}`);

let count = 0;
const newMessage = (): Promise<SignedText> => {
  count += 1;
  return signRaw({ type: "POST", members: `"type":"t","content":{"n":${count}}`, account: author });
};

/** Copies of a message that must be refused, with the code of the refusal. */
const FORGERIES: Readonly<Record<string, { code: number; forge: (genuine: SignedText) => Promise<object> }>> =
  {
    "signed by another key": {
      code: 1,
      forge: async () => {
        const other = await newMessage();
        return { signature: other.signature };
      },
    },
    "without a known chain": { code: 0, forge: async () => ({ chain: "NONE" }) },
    "without a signature": { code: 1, forge: async () => ({ signature: null }) },
    "with a time that is no number": { code: 0, forge: async () => ({ time: "soon" }) },
    "signed by a stranger in his own name": {
      code: 2,
      forge: async ({ itemHash }) => ({
        sender: stranger.address,
        signature: await stranger.sign({ type: "POST", itemHash, timeMicros: 1_700_000_000_500_000n }),
      }),
    },
  };

for (const network of ["mainnet", "local"]) {
  describe(`on ${network} a copy that comes before the genuine message`, () => {
    let node: TestNode;
    before(async () => {
      node = await startTestNode({ network });
    });
    after(() => node.remove());

    const assertRefused = async (envelope: string, code: number): Promise<void> => {
      const { status, text } = await submit(node, envelope);
      assert.equal(status, 422, text);
      const { error_code, message_status } = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual({ error_code, message_status }, { error_code: code, message_status: "rejected" });
    };
    const assertGenuine = async (genuine: SignedText): Promise<void> => {
      const { status, message } = await viewOf(node, genuine);
      assert.equal(status, "processed");
      assert.equal(message?.sender, author.address);
      assert.equal(message?.signature, genuine.signature);
      assert.deepEqual(message?.content, JSON.parse(genuine.content));
    };
    // On the existing network a processed message takes no other signature, whoever has what right.
    const codeAfter = (code: number): number => (network === "mainnet" && code === 2 ? 1 : code);
    const forgedOf = async (genuine: SignedText, envelope: string, name: string): Promise<string> =>
      JSON.stringify({ ...(JSON.parse(envelope) as object), ...(await FORGERIES[name]?.forge(genuine)) });

    for (const [name, { code }] of Object.entries(FORGERIES)) {
      test(`${name} neither blocks nor replaces an inline one`, async () => {
        const genuine = await newMessage();
        const forged = await forgedOf(genuine, genuine.envelope, name);
        await assertRefused(forged, code);
        const refused = await viewOf(node, genuine);
        assert.deepEqual([refused.status, refused.error_code], ["rejected", code]);
        assert.equal((await submit(node, genuine.envelope)).status, 200);
        await assertGenuine(genuine);
        await assertRefused(forged, codeAfter(code));
        await assertGenuine(genuine);
      });

      test(`${name} neither blocks nor replaces one whose content is a file`, async () => {
        const genuine = await newMessage();
        const envelope = storedEnvelope(genuine);
        const forged = await forgedOf(genuine, envelope, name);
        await uploadContent(node, genuine.content);
        await assertRefused(forged, code);
        assert.equal((await submit(node, envelope)).status, 200);
        await assertGenuine(genuine);
        await assertRefused(forged, codeAfter(code));
        await assertGenuine(genuine);
      });

      test(`${name} neither blocks nor replaces one whose content is still to come`, async () => {
        const genuine = await newMessage();
        const envelope = storedEnvelope(genuine);
        const forged = await forgedOf(genuine, envelope, name);
        // Whether a stranger may sign it is told by the content alone.
        const isJudgedLater = code === 2;
        if (isJudgedLater) assert.equal((await submit(node, forged, false)).status, 202);
        else await assertRefused(forged, code);
        assert.equal((await submit(node, envelope, false)).status, 202);
        assert.equal((await viewOf(node, genuine)).status, "pending");
        if (!isJudgedLater) await assertRefused(forged, code);
        assert.equal((await viewOf(node, genuine)).status, "pending");
        await uploadContent(node, genuine.content);
        await eventually(async () => (await viewOf(node, genuine)).status !== "pending");
        await assertGenuine(genuine);
      });
    }
  });
}
