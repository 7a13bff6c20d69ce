import { endlessAnswers, wrongBytes } from "./answers.ts";
import type { Attack, Target } from "./attack.ts";
import { connectionStorm, idleConnections, silentSockets } from "./connections.ts";
import {
  announcedIds,
  garbage,
  graftFlood,
  invalidSignatures,
  malformed,
  oversize,
  replays,
  spam,
} from "./gossip.ts";
import { emptyStreams, hammeredContent, hammeredVisits, hangingStreams, identifyPushes } from "./streams.ts";

/** What a hostile peer can do, by name. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  burn: { what: "nothing but a processor kept busy beside the node", run: burn },
  spam: { what: "valid messages of new senders, as fast as they are taken", run: spam },
  signatures: { what: "messages whose signatures are wrong", run: invalidSignatures },
  garbage: { what: "gossip that is no message", run: garbage },
  replays: { what: "one old message with blanks at its end, each time another number of them", run: replays },
  oversize: { what: "frames beyond the limit, a new stream for each", run: oversize },
  malformed: { what: "frames that are no protobuf", run: malformed },
  ihave: { what: "announcements of messages that do not exist", run: announcedIds },
  graft: { what: "GRAFT and PRUNE in turn", run: graftFlood },
  hanging: { what: "as many streams as it can have, left open", run: hangingStreams },
  streams: { what: "streams opened and closed again", run: emptyStreams },
  pushes: {
    what: "new descriptions of itself (identify push, which a node does not speak)",
    run: identifyPushes,
  },
  connections: { what: "connections under ever new names, closed again", run: connectionStorm },
  idle: { what: "connections under ever new names, kept", run: idleConnections },
  sockets: { what: "TCP connections on which nothing is said", run: silentSockets },
  visits: { what: "visits: everything asked for, as fast as it is answered", run: hammeredVisits },
  content: { what: "the same large file asked for over and over", run: hammeredContent },
  wrongBytes: { what: "wrong bytes for the files that messages wait for", run: wrongBytes },
  endless: { what: "visits answered with more and more", run: endlessAnswers },
};

/** The control: what an attacker takes from the machine by being on it. */
async function burn({ ready }: Target): Promise<void> {
  await ready();
  for (;;) {
    const untilMs = performance.now() + 50;
    while (performance.now() < untilMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
