import { rawAccount, type SignedText, signRaw } from "../support/raw-messages.ts";

/** Who sends it. */
export const PEOPLE = ["ann", "bob", "cid"].map(rawAccount);

/** Some hundred messages of most types, by a few people, about each other. */
export async function corpus(): Promise<SignedText[]> {
  const made: SignedText[] = [];
  const sign = async (...parts: Parameters<typeof signRaw>): Promise<SignedText> => {
    const signed = await signRaw(...parts);
    made.push(signed);
    return signed;
  };
  for (const [who, account] of PEOPLE.entries()) {
    const at = (n: number): string => String(1_700_000_000 + who * 7 + n * 13);
    const shared = { account, channel: who === 0 ? null : `CHANNEL ${who % 2}` };
    for (let n = 0; n < 25; n += 1) {
      const tags = n % 4 === 0 ? `,"tags":["t${n % 3}","näme"]` : "";
      const members = `"type":"kind ${n % 3}","content":{"n":${n},"big":9007199254740993,"text":"é\\"${who}"${tags}}`;
      const post = await sign({ ...shared, type: "POST", members, time: at(n) });
      const amend = `"type":"amend","ref":"${post.itemHash}","content":{"n":${n},"amended":true}`;
      if (n % 3 === 0) await sign({ ...shared, type: "POST", members: amend, time: at(n + 100) });
      if (n % 5 === 4) {
        const forget = `"hashes":["${post.itemHash}"],"reason":"no more"`;
        await sign({ ...shared, type: "FORGET", members: forget, time: at(n + 200) });
      }
      if (n % 6 === 1) {
        const reply = `"type":"kind 0","ref":"not a hash ${who}","content":"plain"`;
        await sign({ ...shared, type: "POST", members: reply, time: at(n + 300) });
      }
    }
    for (let n = 0; n < 20; n += 1) {
      const members = `"key":"key ${n % 4}","content":{"field ${n % 7}":${n},"É":[${n},null],"z${who}":"${"x".repeat(n * 30)}"}`;
      await sign({ ...shared, type: "AGGREGATE", members, time: at(n + 400) });
    }
    const grant = PEOPLE.map(({ address }) => `{"address":"${address}","channels":["CHANNEL 1"]}`).join();
    const security = `"key":"security","content":{"authorizations":[${grant}]}`;
    await sign({ ...shared, type: "AGGREGATE", members: security, time: at(500) });
    const owner = PEOPLE[(who + 1) % PEOPLE.length]?.address ?? "";
    const byDelegate = '"type":"kind 1","content":"for another"';
    await sign({ account, type: "POST", owner, channel: "CHANNEL 1", members: byDelegate, time: at(600) });
    await sign({ account, type: "POST", owner, channel: "ELSEWHERE", members: byDelegate, time: at(601) });
    await sign({ ...shared, type: "FORGET", members: '"hashes":[],"aggregates":["key 3"]', time: at(602) });
  }
  return made;
}
