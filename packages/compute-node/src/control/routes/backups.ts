import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { publicUrlOf } from "../../compute-settings.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { isoDate } from "../http/dates.ts";
import { clientSignal, ownedExecution, readRef } from "../http/machine-route.ts";
import { queryFlag, queryText } from "../http/query.ts";
import { sendJson, sendText } from "../http/send.ts";
import { sendFile } from "../http/send-file.ts";
import type { BackupMetadata, BackupState } from "../instance-services.ts";

const LINK_SECONDS = 86_400;

/** Backups of instances: made in the background, fetched by a signed link. Source: aleph-vm `views/operator.py`. */
export function addBackupRoutes(app: FastifyInstance, services: ControlServices): void {
  const { backups } = services.instances;
  app.post("/control/machine/:ref/backup", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await ownedExecution(request, services, signal);
    const options = {
      includesVolumes: queryFlag(request, "include_volumes", false),
      skipsFreeze: queryFlag(request, "skip_fsfreeze", false),
    };
    return sendState(reply, await backups.create(execution, options, signal), execution.vmHash, services);
  });
  app.get("/control/machine/:ref/backup", async (request, reply) => {
    const execution = await ownedExecution(request, services, clientSignal(request, reply));
    const state = await backups.status(execution.vmHash);
    if (state === null) throw new ControlError(404, "No backup found for this VM");
    return sendState(reply, state, execution.vmHash, services);
  });
  app.get("/control/machine/:ref/backup/:backupId", async (request, reply) => {
    const vmHash = readRef(request);
    const backupId = readBackupId(request, vmHash);
    assertLink(request, backupId, vmHash, services);
    const backup = await backups.find(vmHash, backupId);
    if (backup === null) throw new ControlError(404, "the backup is gone: it was kept for a day");
    const { sha256, sourceSizes } = backup.metadata;
    const sourceBytes = Object.values(sourceSizes).reduce((sum, size) => sum + size, 0);
    reply
      .type("application/x-tar")
      .header("content-disposition", `attachment; filename="${backupId}.tar"`)
      .header("x-backup-checksum", `sha256:${sha256}`)
      .header("x-source-size", String(sourceBytes));
    return sendFile(request, reply, backup.path);
  });
  app.delete("/control/machine/:ref/backup/:backupId", async (request, reply) => {
    const execution = await ownedExecution(request, services, clientSignal(request, reply));
    const backupId = readBackupId(request, execution.vmHash);
    if (!(await backups.remove(execution.vmHash, backupId))) {
      throw new ControlError(404, "No backup found for this VM");
    }
    return sendText(reply, `Deleted backup ${backupId}`);
  });
}

function sendState(
  reply: FastifyReply,
  state: BackupState,
  vmHash: string,
  services: ControlServices,
): FastifyReply {
  if (state.state === "in_progress") return sendJson(reply, { status: "in_progress" }, 202);
  if (state.state === "failed") return sendText(reply, `Backup failed: ${state.reason}`, 500);
  return sendJson(reply, backupJson(state.backup, vmHash, services));
}

function backupJson(backup: BackupMetadata, vmHash: string, services: ControlServices): object {
  return {
    backup_id: backup.backupId,
    size: backup.sizeBytes,
    volumes: backup.volumes,
    expires_at: isoDate(backup.expiresAtMs),
    checksum: `sha256:${backup.sha256}`,
    source_sizes: backup.sourceSizes,
    download_url: linkTo(backup.backupId, vmHash, services),
  };
}

/** The signature covers no address: whoever reaches the node under another one may change it. */
function linkTo(backupId: string, vmHash: string, services: ControlServices): string {
  const nowSeconds = Math.floor(Number(services.clock.nowMicros() / 1_000_000n));
  const expires = nowSeconds + LINK_SECONDS;
  const signature = linkSignature(backupId, vmHash, expires, services);
  const path = `/control/machine/${vmHash}/backup/${backupId}`;
  return `${publicUrlOf(services.settings.identity)}${path}?signature=${signature}&expires=${expires}`;
}

function linkSignature(
  backupId: string,
  vmHash: string,
  expires: number,
  { linkSecret }: Pick<ControlServices, "linkSecret">,
): string {
  return createHmac("sha256", linkSecret).update(`${backupId}:${vmHash}:${expires}`).digest("hex");
}

/** The id names a file. */
function readBackupId(request: FastifyRequest, vmHash: string): string {
  const { backupId = "" } = request.params as { readonly backupId?: string };
  if (/[/\\]|\.\./.test(backupId)) throw new ControlError(400, "Invalid backup id");
  if (!backupId.startsWith(vmHash)) throw new ControlError(403, "the backup is not one of this machine");
  return backupId;
}

function assertLink(
  request: FastifyRequest,
  backupId: string,
  vmHash: string,
  services: ControlServices,
): void {
  const signature = queryText(request, "signature");
  const text = queryText(request, "expires");
  if (signature === null || text === null) throw new ControlError(403, "Missing signature or expires");
  if (!/^\d{1,12}$/.test(text)) throw new ControlError(400, "Invalid expires");
  const expires = Number(text);
  if (expires * 1_000 < Number(services.clock.nowMicros() / 1_000n)) {
    throw new ControlError(403, "Download link has expired");
  }
  const expected = Buffer.from(linkSignature(backupId, vmHash, expires, services));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new ControlError(403, "Invalid signature");
  }
}
