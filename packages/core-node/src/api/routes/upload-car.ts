import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError, FILE_SERVER_REFUSALS } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { assertAnnouncedSize } from "../http/request-body.ts";
import { addPost } from "../http/route.ts";
import { SIGNED_UPLOAD_ANSWERS, UPLOADED } from "../schemas/submission.ts";
import { formSchema } from "../schemas/upload-form.ts";
import { CarRefusal, type KeptFile, type StagedCar } from "../services.ts";
import { publishUpload, registerForGracePeriod } from "../uploads/finish-upload.ts";
import { assertFunds, assertFundsForAnnounced } from "../uploads/funds.ts";
import { ipfsDisabled } from "../uploads/ipfs-disabled.ts";
import { receiveForm } from "../uploads/receive-form.ts";
import { stallLimits } from "../uploads/stall-limits.ts";
import { assertIpfsItemType, readStoreMetadata, type SignedUpload } from "../uploads/store-metadata.ts";
import { UploadSlots } from "../uploads/upload-slot.ts";

const FORM_OVERHEAD_BYTES = 64 * 1024;

/** Upload of a directory as CAR, always with its message. Source: pyaleph `src/aleph/web/controllers/ipfs.py`. */
export function addCarUploadRoute(api: FastifyInstance, context: ApiContext): void {
  const slots = new UploadSlots(context.settings.uploads.maxConcurrent);
  addPost(
    api,
    "/api/v0/ipfs/add_car",
    {
      cost: "upload",
      tag: "Storage",
      summary: "Upload a directory as CAR",
      body: { "multipart/form-data": formSchema(true) },
      response: UPLOADED,
      refusals: [
        "API_MULTIPART_MALFORMED",
        "API_PAYMENT_REQUIRED",
        "API_IPFS_DISABLED",
        "API_SIGNATURE_INVALID",
        "API_IPFS_FAILURE",
        ...FILE_SERVER_REFUSALS,
      ],
      answers: SIGNED_UPLOAD_ANSWERS,
    },
    async (request, reply) => {
      using _slot = slots.take();
      if (!context.services.uploads.ipfsEnabled) throw ipfsDisabled();
      if (!request.isMultipart()) {
        throw new ApiError("API_MULTIPART_MALFORMED", "400: send the CAR as multipart/form-data");
      }
      return await uploadCar(request, reply, context);
    },
  );
}

async function uploadCar(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
): Promise<FastifyReply> {
  const { services, settings } = context;
  const signal = disconnectSignal(reply);
  const { maxCarBytes, maxMetadataBytes } = settings.uploads;
  assertAnnouncedSize(request.raw, maxCarBytes + maxMetadataBytes + FORM_OVERHEAD_BYTES);
  let signed: SignedUpload | undefined;
  const limits = { ...stallLimits(context, signal), maxFileBytes: maxCarBytes, maxMetadataBytes };
  const received = await receiveForm(request, limits, {
    stage: (source) => services.uploads.stageCar(source, { signal }),
    metadata: async (bytes) => {
      signed = await readStoreMetadata(bytes, services.uploads.inspectStore);
      assertIpfsItemType(signed);
      await assertFundsForAnnounced(context, signed, request.raw, bytes.length);
    },
  });
  if (received === null) throw new ApiError("API_UNPROCESSABLE", "422: Missing 'file' part in the form");
  await using car = received.file;
  if (signed === undefined) {
    throw new ApiError(
      "API_UNPROCESSABLE",
      "422: metadata is required: a CAR is only taken with its signed message",
    );
  }
  const expected = signed.store.fileHash;
  const root = await car.root().catch(refused);
  if (root !== expected) {
    throw new ApiError("API_CAR_INVALID", `422: Root CID does not match (${root} != ${expected})`, {
      root,
      expected,
    });
  }
  await assertFunds(services.uploads.checkFunds, signed.store, car.sizeBytes);
  const file = await importCar(car, expected, signal);
  await registerForGracePeriod(context, file, { isSigned: true });
  context.metrics.uploadBytes.inc({ engine: "ipfs" }, car.sizeBytes);
  return await publishUpload(reply, context, signed, { hash: file.hash, size: file.sizeBytes });
}

async function importCar(car: StagedCar, expected: string, signal: AbortSignal): Promise<KeptFile> {
  const file = await car.keep(signal).catch(refused);
  if (file.hash === expected) return file;
  throw new ApiError(
    "API_CAR_INVALID",
    `422: Imported root does not match expected (${file.hash} != ${expected})`,
    {
      imported: file.hash,
      expected,
    },
  );
}

function refused(error: unknown): never {
  if (!(error instanceof CarRefusal)) throw error;
  if (error.stage === "header") throw new ApiError("API_CAR_INVALID", `422: ${error.message}`);
  throw new ApiError("API_IPFS_FAILURE", `502: Failed to import CAR into IPFS: ${error.message}`);
}
