import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError, FILE_SERVER_REFUSALS } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { assertAnnouncedSize, bodyPieces, tooLarge } from "../http/request-body.ts";
import { addPost } from "../http/route.ts";
import { SIGNED_UPLOAD_ANSWERS, UPLOADED } from "../schemas/submission.ts";
import { BYTES, formSchema } from "../schemas/upload-form.ts";
import type { StagedFile, UploadEngine } from "../services.ts";
import { publishUpload, registerForGracePeriod, sendUploaded } from "../uploads/finish-upload.ts";
import { assertFunds, assertFundsForAnnounced } from "../uploads/funds.ts";
import { ipfsDisabled } from "../uploads/ipfs-disabled.ts";
import { type FormLimits, receiveForm } from "../uploads/receive-form.ts";
import { stallLimits } from "../uploads/stall-limits.ts";
import { assertIpfsItemType, readStoreMetadata, type SignedUpload } from "../uploads/store-metadata.ts";
import { UploadSlots } from "../uploads/upload-slot.ts";

/** What surrounds the parts of a form. */
const FORM_OVERHEAD_BYTES = 64 * 1024;

interface Upload {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly engine: UploadEngine;
  readonly context: ApiContext;
}

/** Uploads of files, with or without the signed message that stores them. Needs the multipart parser. */
export function addFileUploadRoutes(api: FastifyInstance, context: ApiContext): void {
  const slots = new UploadSlots(context.settings.uploads.maxConcurrent);
  for (const engine of ["storage", "ipfs"] as const) {
    addPost(
      api,
      `/api/v0/${engine}/add_file`,
      {
        cost: "upload",
        tag: "Storage",
        summary: `Upload a file (${engine})`,
        body: {
          "multipart/form-data": formSchema(false),
          ...(engine === "storage" ? { "application/octet-stream": BYTES } : {}),
        },
        response: UPLOADED,
        refusals: [
          "API_MULTIPART_MALFORMED",
          "API_PAYMENT_REQUIRED",
          "API_SIGNATURE_INVALID",
          ...FILE_SERVER_REFUSALS,
          ...(engine === "ipfs" ? (["API_IPFS_DISABLED"] as const) : []),
        ],
        answers: SIGNED_UPLOAD_ANSWERS,
      },
      async (request, reply) => {
        using _slot = slots.take();
        const upload = { request, reply, engine, context };
        if (engine === "ipfs" && !context.services.uploads.ipfsEnabled) throw ipfsDisabled();
        // Awaited here: what `using` holds ends with this function.
        if (request.isMultipart()) return await uploadForm(upload);
        if (engine === "storage") return await uploadRaw(upload);
        throw new ApiError("API_MULTIPART_MALFORMED", "400: send the file as multipart/form-data");
      },
    );
  }
}

/** The body itself is the file. */
async function uploadRaw({ request, reply, engine, context }: Upload): Promise<FastifyReply> {
  const { services, settings } = context;
  const signal = disconnectSignal(reply);
  const maxBytes = settings.uploads.maxUnauthenticatedFileBytes;
  assertAnnouncedSize(request.raw, maxBytes);
  const pieces = bodyPieces(request.raw, request.raw, { ...stallLimits(context, signal), maxBytes });
  await using staged = await services.uploads.stageFile(pieces, { engine, signal });
  return await keepWithoutMessage({ request, reply, engine, context }, staged, "file");
}

async function uploadForm(upload: Upload): Promise<FastifyReply> {
  const { request, reply, engine, context } = upload;
  const { services, settings } = context;
  const signal = disconnectSignal(reply);
  const maxFileBytes =
    engine === "storage" ? settings.uploads.maxStorageFileBytes : settings.uploads.maxIpfsFileBytes;
  assertAnnouncedSize(request.raw, maxFileBytes + settings.uploads.maxMetadataBytes + FORM_OVERHEAD_BYTES);
  const limits: FormLimits = {
    ...stallLimits(context, signal),
    maxFileBytes,
    maxMetadataBytes: settings.uploads.maxMetadataBytes,
  };
  let signed: SignedUpload | undefined;
  const received = await receiveForm(request, limits, {
    stage: (source) => services.uploads.stageFile(source, { engine, signal }),
    metadata: async (bytes) => {
      signed = await readStoreMetadata(bytes, services.uploads.inspectStore);
      if (engine === "ipfs") assertIpfsItemType(signed);
      await assertFundsForAnnounced(context, signed, request.raw, bytes.length);
    },
  });
  if (received === null) throw missingFile(engine);
  await using staged = received.file;
  if (signed === undefined) return await keepWithoutMessage(upload, staged, received.name);
  return await keepWithMessage(upload, staged, received.name, signed);
}

async function keepWithoutMessage(
  { reply, engine, context }: Upload,
  staged: StagedFile,
  name: string,
): Promise<FastifyReply> {
  const { maxUnauthenticatedFileBytes } = context.settings.uploads;
  if (staged.sizeBytes > maxUnauthenticatedFileBytes) throw tooLarge(maxUnauthenticatedFileBytes);
  using _room = await context.services.uploads.reserveGrace(staged);
  const file = await staged.keep();
  await registerForGracePeriod(context, file, { isSigned: false });
  context.metrics.uploadBytes.inc({ engine }, staged.sizeBytes);
  return sendUploaded(reply, 200, { status: "success", ...uploadMembers(engine, staged, name) });
}

async function keepWithMessage(
  { reply, engine, context }: Upload,
  staged: StagedFile,
  name: string,
  signed: SignedUpload,
): Promise<FastifyReply> {
  const isNamed = signed.store.fileHash === staged.hash;
  // The order of the reference: an ipfs file is pinned before its name is compared, a storage file after.
  if (engine === "storage" && !isNamed) throw hashMismatch(signed, staged);
  await assertFunds(context.services.uploads.checkFunds, signed.store, staged.sizeBytes);
  const file = await staged.keep();
  await registerForGracePeriod(context, file, { isSigned: isNamed });
  context.metrics.uploadBytes.inc({ engine }, staged.sizeBytes);
  if (!isNamed) throw hashMismatch(signed, staged);
  return publishUpload(reply, context, signed, uploadMembers(engine, staged, name));
}

function uploadMembers(engine: UploadEngine, { hash, sizeBytes }: StagedFile, name: string) {
  return engine === "storage" ? { hash } : { hash, name, size: sizeBytes };
}

function hashMismatch({ store }: SignedUpload, { hash }: StagedFile): ApiError {
  return new ApiError(
    "API_FILE_HASH_MISMATCH",
    `422: File hash does not match (${hash} != ${store.fileHash}): sign the hash of the file that is sent`,
    { uploaded: hash, signed: store.fileHash },
  );
}

function missingFile(engine: UploadEngine): ApiError {
  return engine === "storage"
    ? new ApiError("API_MULTIPART_MALFORMED", "400: Missing 'file' part in the form")
    : new ApiError("API_UNPROCESSABLE", "422: Missing 'file' part in the form");
}
