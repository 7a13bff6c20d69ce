import { encodeGossip } from "@twentysix/network";
import { pick } from "@twentysix/platform";
import { between } from "../random-for.ts";
import { again, type Fault, type Ground } from "./fault.ts";

const MAX_BURST = 30;

/**
 * Liars gossip to their neighbours what no node would: bytes that are no text, forged signatures, contents that do not
 * have their hash, and real messages again and again.
 */
export function gossipFloods(liars: readonly string[], known: () => readonly string[]): Fault {
  return (ground) => {
    const { world, random } = ground;
    again(
      ground,
      () => between(random, 500, 5_000),
      () => {
        const host = world.network.host(pick(random, liars) ?? "");
        for (const neighbour of host?.neighbours() ?? []) {
          for (let count = random.uniform(MAX_BURST); count > 0; count -= 1)
            host?.toss(junk(ground, pick(random, known()) ?? "{}"), neighbour);
        }
      },
    );
  };
}

function junk({ random }: Ground, text: string): Uint8Array {
  switch (random.uniform(5)) {
    case 0:
      return random.randomBytes(1 + random.uniform(400));
    case 1:
      return encodeGossip(`${text.slice(0, random.uniform(text.length + 1))}`);
    case 2:
      return encodeGossip(text.replace(/"signature":"0x..../, '"signature":"0xbad0'));
    case 3:
      return encodeGossip(text.replace("note", "Note"));
    default:
      return encodeGossip(`${text}${" ".repeat(random.uniform(64))}`);
  }
}
