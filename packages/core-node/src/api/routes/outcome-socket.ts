import type { Status } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { pathValue } from "../http/route.ts";
import { sendRefusal } from "../http/send-error.ts";
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
      let lastSent = "";
      const report = (): void => {
        const outcome = outcomeOf(services.reads, itemHash);
        if (outcome === null || outcome.text === lastSent) return;
        lastSent = outcome.text;
        connection.send(outcome.text);
        if (FINAL_STATUSES.has(outcome.status)) connection.close(CLOSE_NORMAL, outcome.status);
      };
      // Listens first: a change between the two would be lost otherwise.
      connection.onClose(services.live.onItem(itemHash, report));
      report();
    },
  });
}

function outcomeOf(reads: ApiServices["reads"], itemHash: string): { status: Status; text: string } | null {
  const status = reads.statusOf(itemHash);
  if (status === null) return null;
  const text = renderStatus(status);
  if (status.status !== "rejected") return { status: status.status, text };
  const view = reads.messageView(itemHash);
  if (view?.status !== "rejected") return { status: status.status, text };
  const error = `"error_code":${view.errorCode},"details":${view.detailsJson ?? "null"}`;
  return { status: view.status, text: `${text.slice(0, -1)},${error}}` };
}
