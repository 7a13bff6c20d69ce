import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAnswer, fuzz } from "./fuzz-node.ts";
import { MessageMaker } from "./message-maker.ts";
import { mutateText, pickOf } from "./mutate.ts";

const PUBSUB_PATHS = ["/api/v0/ipfs/pubsub/pub", "/api/v0/p2p/pubsub/pub"] as const;
const NO_TIME_LIMIT = { timeout: Number.POSITIVE_INFINITY };

test("no message, whatever its envelope and its content, makes the node fail", NO_TIME_LIMIT, () =>
  fuzz("messages", async ({ node, messageTopic }) => {
    const maker = new MessageMaker(await MessageMaker.uploadFiles(node.apiUrl));
    const post = async (path: string, body: string): Promise<number> => {
      const response = await fetch(`${node.apiUrl}${path}`, { method: "POST", body });
      await assertAnswer(response, `POST ${path} ${body}`);
      return response.status;
    };
    return async (random) => {
      const { text, itemHash, content } = maker.make(random);
      const upload = async (): Promise<void> => {
        const form = new FormData();
        form.append("file", new Blob([content ?? ""]));
        const response = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, {
          method: "POST",
          body: form,
        });
        await assertAnswer(response, `the content of ${itemHash}`);
      };
      const isEarly = random.uniform(2) === 0;
      if (content !== undefined && isEarly) await upload();
      const sync = pickOf(random, [
        "",
        '"sync":true,"timeout":0.05,',
        '"sync":false,',
        '"sync":1,"timeout":"1",',
      ]);
      if (random.uniform(4) > 0) await post("/api/v0/messages", `{${sync}"message":${text}}`);
      else {
        const path = pickOf(random, PUBSUB_PATHS);
        const body = JSON.stringify({ topic: messageTopic, data: text });
        const isMutated = random.uniform(2) === 0;
        const status = await post(path, isMutated ? mutateText(random, body) : body);
        // A refused topic would keep everything behind it from being fuzzed.
        if (!isMutated) assert.notEqual(status, 403, `POST ${path} ${body.slice(0, 4_000)}`);
      }
      if (content !== undefined && !isEarly) await upload();
      const paths = [
        `/api/v0/messages/${itemHash}`,
        `/api/v0/messages/${itemHash}/content`,
        "/api/v1/state-root",
      ];
      const path = pickOf(random, paths);
      await assertAnswer(await fetch(`${node.apiUrl}${path}`), path);
    };
  }),
);
