import { ReadError, type Status } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { pathValue } from "../http/route.ts";
import { sendRefusal } from "../http/send-error.ts";
import type { Connection } from "../live/connection.ts";
import { CLOSE_TRY_AGAIN } from "../live/connections.ts";
import { refusePlainGet } from "../live/upgrade-only.ts";
import { renderStatus } from "../render-status.ts";
import type { ApiServices } from "../services.ts";

const CLOSE_NORMAL = 1000;
const FINAL_STATUSES: ReadonlySet<Status> = new Set(["processed", "rejected", "forgotten", "removed"]);

/**
 * `/api/ws0/message/{item_hash}`: the status of one message now and after each change, with the error of a
 * rejected one; closed after a final status. A message that is not known yet is waited for.
 */
export function addOutcomeSocketRoute(api: FastifyInstance, { services, connections }: ApiContext): void {
  api.route({
    method: "GET",
    url: "/api/ws0/message/:item_hash",
    config: { cost: "point" },
    preHandler: async (request, reply) => {
      if (!request.ws || isAnyItemHash(pathValue(request, "item_hash"))) return;
      await sendRefusal(reply, "API_NOT_FOUND", "404: Not Found. This is not an item hash");
    },
    handler: refusePlainGet,
    wsHandler: (socket, request) => {
      const connection = connections.open("messages", socket);
      if (connection === null) return;
      const itemHash = pathValue(request, "item_hash");
      const report = createReport(connection, () => outcomeOf(services.reads, itemHash));
      // Listens first: a change between the two would be lost otherwise.
      connection.onClose(services.live.onItem(itemHash, report));
      report();
    },
  });
}

interface Outcome {
  readonly status: Status;
  readonly text: string;
}

/** Reads and sends the outcome; asked for again meanwhile, once more after that. */
function createReport(connection: Connection, read: () => Promise<Outcome | null>): () => void {
  let lastSent = "";
  let isWanted = false;
  let isReading = false;
  const sendWhileWanted = async (): Promise<void> => {
    while (isWanted && connection.isOpen) {
      isWanted = false;
      const outcome = await read();
      if (outcome === null || outcome.text === lastSent) continue;
      lastSent = outcome.text;
      connection.send(outcome.text);
      if (FINAL_STATUSES.has(outcome.status)) connection.close(CLOSE_NORMAL, outcome.status);
    }
  };
  return () => {
    isWanted = true;
    if (isReading) return;
    isReading = true;
    sendWhileWanted()
      .catch((error: unknown) => {
        if (!(error instanceof ReadError)) throw error;
        connection.close(CLOSE_TRY_AGAIN, "The message could not be read");
      })
      .finally(() => {
        isReading = false;
      });
  };
}

async function outcomeOf(reads: ApiServices["reads"], itemHash: string): Promise<Outcome | null> {
  const status = await reads.statusOf(itemHash);
  if (status === null) return null;
  const text = renderStatus(status);
  if (status.status !== "rejected") return { status: status.status, text };
  const view = await reads.messageView(itemHash);
  if (view?.status !== "rejected") return { status: status.status, text };
  const error = `"error_code":${view.errorCode},"details":${view.detailsJson ?? "null"}`;
  return { status: view.status, text: `${text.slice(0, -1)},${error}}` };
}
