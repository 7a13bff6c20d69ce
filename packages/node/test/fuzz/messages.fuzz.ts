import { test } from "node:test";
import { assertAnswer, fuzz } from "./fuzz-node.ts";
import { MessageMaker } from "./message-maker.ts";
import { mutateText, pickOf } from "./mutate.ts";

const NO_TIME_LIMIT = { timeout: Number.POSITIVE_INFINITY };

test("no message, whatever its envelope and its content, makes the node fail", NO_TIME_LIMIT, () =>
  fuzz("messages", async ({ node }) => {
    const maker = new MessageMaker(await MessageMaker.uploadFiles(node.apiUrl));
    const post = async (path: string, body: string): Promise<void> => {
      const response = await fetch(`${node.apiUrl}${path}`, { method: "POST", body });
      await assertAnswer(response, `POST ${path} ${body}`);
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
      if (random.uniform(10) > 0) await post("/api/v0/messages", `{${sync}"message":${text}}`);
      else {
        const body = JSON.stringify({ topic: "ALEPH-QUEUE", data: text });
        await post("/api/v0/p2p/pubsub/pub", random.uniform(2) === 0 ? body : mutateText(random, body));
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
