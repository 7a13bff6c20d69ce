import { type MessagesQuery, ReadError } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { queryTextOf } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import type { Connection } from "../live/connection.ts";
import { LiveHub } from "../live/live-hub.ts";
import { MessageSender } from "../live/message-sender.ts";
import { historyOf, replayAfter } from "../live/stored-messages.ts";
import { refusePlainGet } from "../live/upgrade-only.ts";
import {
  contentFormat,
  filterProblems,
  MESSAGE_FILTER_PARAMETERS,
  messageFilter,
} from "../query/message-filter.ts";
import { integer, text } from "../query/parameter.ts";
import { readQuery } from "../query/read-query.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";

const MAX_HISTORY = 199;
const CLOSE_TRY_AGAIN = 1013;
const CLOSE_INTERNAL = 1011;

const PARAMETERS = {
  ...MESSAGE_FILTER_PARAMETERS,
  history: integer(["history"], 10, { minimum: 0, maximum: MAX_HISTORY }),
  sinceCursor: text(["since_cursor", "sinceCursor"]),
} as const;

/** What a client asked for; found good before the upgrade. */
interface Wish {
  readonly query: MessagesQuery;
  readonly history: number;
  readonly sinceCursor: string | null;
}

/**
 * `/api/ws0/messages`: stored messages that match, oldest first, then each new one. With `since_cursor` (a cursor
 * of the message list for the same filters and `sortOrder=1`) everything after it instead of the history.
 * Source: pyaleph `src/aleph/web/controllers/messages.py`.
 */
export function addMessageSocketRoute(api: FastifyInstance, context: ApiContext): void {
  const { services, connections } = context;
  const hub = new LiveHub(services.live, () => connections.countBroadcast());
  const wishes = new WeakMap<FastifyRequest["raw"], Wish>();
  api.route({
    method: "GET",
    url: "/api/ws0/messages",
    config: { cost: "list" },
    preHandler: async (request, reply) => {
      if (!request.ws) return;
      const wish = await readWish(request, context);
      if (!("problems" in wish)) wishes.set(request.raw, wish);
      else return refuse(reply, wish.problems);
    },
    handler: refusePlainGet,
    wsHandler: (socket, request) => {
      const connection = connections.open("messages", socket);
      const wish = wishes.get(request.raw);
      if (connection === null || wish === undefined) return;
      const onFailure = (error: unknown): void => {
        if (connection.signal.aborted) return;
        const isForNow = error instanceof ReadError;
        if (!isForNow) {
          context.metrics.internalErrors.inc();
          services.log.error("a message websocket failed unexpectedly", { error });
        }
        connection.close(isForNow ? CLOSE_TRY_AGAIN : CLOSE_INTERNAL, "A stored message could not be read");
      };
      serve(connection, wish, hub, context, onFailure).catch(onFailure);
    },
  });
}

async function refuse(reply: FastifyReply, problems: readonly ValidationProblem[]): Promise<void> {
  await sendProblems(reply, problems);
}

async function readWish(
  request: FastifyRequest,
  { services }: ApiContext,
): Promise<Wish | { problems: readonly ValidationProblem[] }> {
  const reading = readQuery(PARAMETERS, queryTextOf(request));
  if (!reading.ok) return { problems: reading.problems };
  const { values } = reading;
  const problems = filterProblems(values);
  if (problems.length > 0) return { problems };
  const { sinceCursor, history } = values;
  const query: MessagesQuery = {
    filter: messageFilter(values),
    sortBy: "time",
    direction: sinceCursor === null ? "desc" : "asc",
    // A frame either has the whole content or none.
    contentFormat: contentFormat(values) === "full" ? "full" : "none",
  };
  if (sinceCursor !== null) {
    try {
      await services.lists.messages.cursor(query, { cursor: sinceCursor, pageSize: 1 });
    } catch (error) {
      if (!(error instanceof ReadError) || error.code !== "CURSOR_INVALID") throw error;
      return {
        problems: [{ type: "cursor_invalid", loc: ["since_cursor"], msg: error.message, input: null }],
      };
    }
  }
  return { query, history, sinceCursor };
}

/** Subscribes first, then sends what is stored, then what came meanwhile, without gap and without duplicate. */
async function serve(
  connection: Connection,
  { query, history, sinceCursor }: Wish,
  hub: LiveHub,
  { services, settings }: ApiContext,
  onFailure: (error: unknown) => void,
): Promise<void> {
  const { messages, pieces } = services.lists;
  const { signal } = connection;
  const sender = new MessageSender({
    connection,
    variant: query.contentFormat === "full" ? "full" : "withoutContent",
    limits: settings.websocket,
    readPieces: (text) => pieces(text, { signal }),
    onFailure,
  });
  connection.onClose(await hub.subscribe(query.filter, (frame) => sender.deliver(frame)));
  const stored =
    sinceCursor === null
      ? historyOf(messages, query, history, signal)
      : replayAfter(messages, query, sinceCursor, signal);
  for await (const { itemHash, text } of stored) {
    if (!(await sender.sendStored(itemHash, text))) return;
  }
  await sender.goLive();
}
