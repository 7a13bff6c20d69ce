import { isItemHash } from "@twentysix/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Execution } from "../../executions/execution.ts";
import { assertMayAct } from "../auth/delegation.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";

/** Aborts when the client has gone. */
export function clientSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  whenAnswered(reply, () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new ControlError(499, `the client of ${request.method} ${request.url} has gone`));
    }
  });
  return controller.signal;
}

/** Calls when the answer is sent or its client has gone: at once when that was before. */
export function whenAnswered(reply: FastifyReply, done: () => void): void {
  if (reply.raw.closed) done();
  else reply.raw.once("close", done);
}

/** @throws ControlError 400 */
export function readRef(request: FastifyRequest): string {
  const ref = (request.params as { readonly ref?: unknown }).ref;
  if (typeof ref === "string" && isItemHash(ref)) return ref;
  throw new ControlError(400, `Invalid ref: '${String(ref).slice(0, 256)}'`);
}

/** @throws ControlError 404 */
export function findExecution(
  vmHash: string,
  { executions }: Pick<ControlServices, "executions">,
): Execution {
  const execution = executions.get(vmHash);
  if (execution !== null) return execution;
  throw new ControlError(404, `No virtual machine with ref ${vmHash}`);
}

/**
 * The machine of a request whose sender may act on it.
 *
 * @throws ControlError 400, 401, 403, 404, 429, 503
 */
export async function ownedExecution(
  request: FastifyRequest,
  services: Pick<ControlServices, "executions" | "ownerAuth" | "coreNodes">,
  signal: AbortSignal,
): Promise<Execution> {
  const vmHash = readRef(request);
  const caller = services.ownerAuth.authenticate(request);
  const execution = findExecution(vmHash, services);
  await assertMayAct(caller, execution.owner, execution.kind, services.coreNodes, signal);
  services.ownerAuth.acceptOnce(caller, execution.owner, "machine");
  return execution;
}
