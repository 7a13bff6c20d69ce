import type { FastifyInstance, FastifyReply } from "fastify";
import { objectOf } from "../auth/auth-packet.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { isoDate } from "../http/dates.ts";
import { clientSignal, findExecution, readRef, whenAnswered } from "../http/machine-route.ts";
import { queryText } from "../http/query.ts";
import { encodedSchemaRefusal, jsonBody, type SchemaProblem } from "../http/read-body.ts";
import { sendJson } from "../http/send.ts";
import { sendFile } from "../http/send-file.ts";
import type { ExportedFile, ExportJob, ImportJob, ImportRequest } from "../instance-services.ts";

const MAX_DISKS = 64;

/** Cold migration, driven by a scheduler. Source: aleph-vm `views/migration.py`. */
export function addMigrationRoutes(app: FastifyInstance, services: ControlServices): void {
  const { schedulerAuth, instances } = services;
  const { migrations } = instances;
  app.post("/control/machine/:ref/migration/export", async (request, reply) => {
    const signal = clientSignal(request, reply);
    await schedulerAuth.authenticate(request, signal);
    const execution = findExecution(readRef(request), services);
    const { job, isNew } = await migrations.startExport(execution, signal);
    return sendExport(reply, job, isNew);
  });
  app.get("/control/machine/:ref/migration/export/status", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    const job = migrations.exportJob(readRef(request));
    if (job === null) throw new ControlError(404, "No export job");
    return sendJson(reply, exportJson(job));
  });
  app.get("/control/machine/:ref/migration/disk/:filename", async (request, reply) => {
    const vmHash = readRef(request);
    const { filename = "" } = request.params as { readonly filename?: string };
    const disk = await migrations.openDisk(vmHash, filename, queryText(request, "token") ?? "");
    if (disk === null) throw new ControlError(404, "no such disk is exported");
    whenAnswered(reply, () => disk.release());
    return sendFile(request, reply.type("application/octet-stream"), disk.path);
  });
  app.post("/control/migrate", async (request, reply) => {
    const signal = clientSignal(request, reply);
    await schedulerAuth.authenticate(request, signal);
    const { job, isNew } = await migrations.startImport(readImport(jsonBody(request)), signal);
    const status = isNew || job.state === "importing" ? 202 : 409;
    const statusUrl = `/control/migrate/${job.vmHash}/status`;
    return sendJson(reply, { ...startedJson(job, statusUrl) }, status);
  });
  app.get("/control/migrate/:ref/status", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    const job = migrations.importJob(readRef(request));
    if (job === null) throw new ControlError(404, "No import job");
    return sendJson(reply, importJson(job));
  });
  // Ours: the reference has no way back but to wait.
  app.post("/control/machine/:ref/migration/cancel", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    const vmHash = readRef(request);
    await migrations.cancelExport(vmHash);
    return sendJson(reply, { status: "cancelled", vm_hash: vmHash });
  });
  app.post("/control/machine/:ref/migration/cleanup", async (request, reply) => {
    const signal = clientSignal(request, reply);
    await schedulerAuth.authenticate(request, signal);
    const vmHash = readRef(request);
    await migrations.cleanUp(vmHash, signal);
    return sendJson(reply, { status: "completed", vm_hash: vmHash });
  });
}

function sendExport(reply: FastifyReply, job: ExportJob, isNew: boolean): FastifyReply {
  const status = isNew || job.state === "exporting" ? 202 : 409;
  return sendJson(reply, startedJson(job, `/control/machine/${job.vmHash}/migration/export/status`), status);
}

function startedJson(
  { state, vmHash, startedAtMs, error }: ExportJob | ImportJob,
  statusUrl: string,
): object {
  const job = { state, vm_hash: vmHash, started_at: isoDate(startedAtMs), status_url: statusUrl };
  return error === null ? job : { ...job, error };
}

function exportJson(job: ExportJob): object {
  return {
    ...timesJson(job),
    error: job.error,
    disk_files:
      job.diskFiles?.map(({ name, sizeBytes, sha256, downloadPath }) => ({
        name,
        size_bytes: sizeBytes,
        sha256,
        download_path: downloadPath,
      })) ?? null,
    export_token: job.exportToken,
  };
}

function importJson(job: ImportJob): object {
  return {
    ...timesJson(job),
    bytes_downloaded: job.bytesDownloaded,
    total_bytes_expected: job.totalBytesExpected,
    current_step: job.currentStep,
    error: job.error,
    transfer_time_ms: job.transferTimeMs,
  };
}

function timesJson({ vmHash, state, startedAtMs, finishedAtMs }: ExportJob | ImportJob): object {
  return {
    vm_hash: vmHash,
    state,
    started_at: isoDate(startedAtMs),
    finished_at: finishedAtMs === null ? null : isoDate(finishedAtMs),
  };
}

/** Shapes alone: hosts and names are checked by the service. */
function readImport(body: unknown): ImportRequest {
  const fields = objectOf(body) ?? {};
  const problems: SchemaProblem[] = [];
  const text = (key: string): string => {
    const value = fields[key];
    if (typeof value === "string" && value !== "") return value;
    problems.push({ type: "string_type", loc: [key], msg: "Input should be a valid string" });
    return "";
  };
  const request = {
    vmHash: text("vm_hash"),
    sourceHost: text("source_host"),
    exportToken: text("export_token"),
    sourcePort: readPort(fields.source_port, problems),
    diskFiles: readFiles(fields.disk_files, problems),
  };
  if (problems.length > 0) throw encodedSchemaRefusal(problems);
  return request;
}

function readPort(value: unknown, problems: SchemaProblem[]): number {
  const port = value ?? 443;
  if (typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  problems.push({ type: "int_type", loc: ["source_port"], msg: "Input should be a port, 1 to 65535" });
  return 0;
}

function readFiles(value: unknown, problems: SchemaProblem[]): readonly ExportedFile[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_DISKS) {
    problems.push({
      type: "list_type",
      loc: ["disk_files"],
      msg: `Input should be a list of 1 to ${MAX_DISKS}`,
    });
    return [];
  }
  return value.flatMap((item, index) => {
    const { name, size_bytes: sizeBytes, sha256, download_path: downloadPath } = objectOf(item) ?? {};
    const isFile =
      typeof name === "string" &&
      typeof sizeBytes === "number" &&
      Number.isSafeInteger(sizeBytes) &&
      sizeBytes >= 0 &&
      typeof sha256 === "string" &&
      typeof downloadPath === "string";
    if (isFile) return [{ name, sizeBytes, sha256, downloadPath }];
    problems.push({ type: "model_type", loc: ["disk_files", index], msg: "Input should be a disk file" });
    return [];
  });
}
