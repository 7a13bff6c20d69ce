import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { clientSignal, ownedExecution } from "../http/machine-route.ts";
import { sendJson } from "../http/send.ts";
import type { RestoreSource } from "../instance-services.ts";

const MAX_JSON_BYTES = 65_536;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Puts another root file system in place of an instance's. The upload streams: needs an instance of the server with
 * `@fastify/multipart`, and no other parser. Source: aleph-vm `views/operator.py` (restore).
 */
export function addRestoreRoute(app: FastifyInstance, services: ControlServices): void {
  app.post("/control/machine/:ref/restore", { config: { isUpload: true } }, async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await ownedExecution(request, services, signal);
    if (execution.kind !== "instance") throw new ControlError(400, "only instances can be restored");
    const source = await readSource(request);
    const { oldRootfsBackup } = await services.instances.restores.restore(execution, source, signal);
    return sendJson(reply, {
      status: "restored",
      vm_hash: execution.vmHash,
      old_rootfs_backup: oldRootfsBackup,
    });
  });
}

async function readSource(request: FastifyRequest): Promise<RestoreSource> {
  if (request.isMultipart()) {
    // The service bounds what it reads: by the root file system of the machine.
    const part = await request.file({ limits: { fileSize: Number.MAX_SAFE_INTEGER, files: 1, fields: 8 } });
    if (part === undefined || part.fieldname !== "rootfs") {
      throw new ControlError(400, "send the image as the field rootfs of a form");
    }
    return { kind: "upload", bytes: part.file };
  }
  const ref = readVolumeRef(await readAll(request.raw));
  if (ref === null) {
    throw new ControlError(
      400,
      'send a form with rootfs, or {"volume_ref": "<item hash of a STORE message>"}',
    );
  }
  return { kind: "volume", storeHash: ref };
}

function readVolumeRef(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    const ref = typeof body === "object" && body !== null && "volume_ref" in body ? body.volume_ref : null;
    return typeof ref === "string" && HASH.test(ref) ? ref : null;
  } catch {
    return null;
  }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_JSON_BYTES) throw new ControlError(413, "the body is too long; send an image as a form");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
