import { Type } from "@sinclair/typebox";
import type { FileReferenceView } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, pathValue } from "../http/route.ts";
import { sendRefusal } from "../http/send-error.ts";

const FILE_REFERENCE = Type.Object({
  ref: Type.String(),
  owner: Type.String(),
  file_hash: Type.String(),
  download_url: Type.String({ description: "A path of this node." }),
  size: Type.Integer({ description: "Bytes." }),
});

const FILE_METADATA = Type.Object({
  file_hash: Type.String(),
  type: Type.String(),
  size: Type.Integer({ description: "Bytes." }),
  download_url: Type.String({ description: "A path of this node." }),
});

const UPLOAD_LIMITS = Type.Object({
  storage: Type.Object({
    max_file_size: Type.Integer(),
    max_unauthenticated_upload_file_size: Type.Integer(),
  }),
  ipfs: Type.Object({
    max_upload_file_size: Type.Integer(),
    max_upload_car_size: Type.Integer(),
    max_unauthenticated_upload_file_size: Type.Integer(),
  }),
});

/** What is known of files without reading them: references, metadata, pins, limits. */
export function addFileReferenceRoutes(
  api: FastifyInstance,
  { services: { reads }, settings }: ApiContext,
): void {
  const describe = (summary: string) => ({ cost: "point" as const, tag: "Storage", summary });

  addPlainGet(
    api,
    "/api/v0/storage/by-message-hash/:message_hash",
    {
      ...describe("The file of a STORE message"),
      response: FILE_REFERENCE,
      refusals: ["API_INVALID_HASH", "API_NOT_FOUND"],
    },
    async (request, reply) => {
      const itemHash = pathValue(request, "message_hash");
      if (!isAnyItemHash(itemHash)) {
        throw new ApiError(
          "API_INVALID_HASH",
          `400: Invalid hash: ${itemHash.slice(0, 100)} is not an item hash`,
        );
      }
      return sendReference(request, reply, await reads.fileOfMessage(itemHash));
    },
  );
  addPlainGet(
    api,
    "/api/v0/storage/by-ref/:ref",
    {
      ...describe("Latest version of a file by its first STORE"),
      response: FILE_REFERENCE,
      refusals: ["API_BAD_REQUEST", "API_NOT_FOUND"],
    },
    async (request, reply) => {
      const ref = pathValue(request, "ref");
      if (!isAnyItemHash(ref)) {
        throw new ApiError(
          "API_BAD_REQUEST",
          "400: a user-defined reference belongs to an address: use /api/v0/storage/by-ref/{address}/{ref}",
        );
      }
      return sendReference(request, reply, await reads.fileByRef(ref, null));
    },
  );
  addPlainGet(
    api,
    "/api/v0/storage/by-ref/:address/:ref",
    {
      ...describe("Latest file with a user-defined reference"),
      response: FILE_REFERENCE,
      refusals: ["API_NOT_FOUND"],
    },
    async (request, reply) =>
      sendReference(
        request,
        reply,
        await reads.fileByRef(pathValue(request, "ref"), pathValue(request, "address")),
      ),
  );
  addPlainGet(
    api,
    "/api/v0/storage/metadata/:file_hash",
    { ...describe("Type and size of a file"), response: FILE_METADATA, refusals: ["API_NOT_FOUND"] },
    async (request, reply) => {
      const file = await reads.file(pathValue(request, "file_hash"));
      if (file === null) return fileUnknown(reply);
      const { fileHash, type, sizeBytes } = file;
      const body = { file_hash: fileHash, type, size: sizeBytes, download_url: downloadUrl(fileHash) };
      return sendJson(request, reply, JSON.stringify(body));
    },
  );
  addPlainGet(
    api,
    "/api/v0/storage/count/:file_hash",
    { ...describe("Number of pins of a file"), response: Type.Integer() },
    async (request, reply) =>
      sendJson(request, reply, String(await reads.pinCount(pathValue(request, "file_hash")))),
  );
  const { uploads } = settings;
  const limits = JSON.stringify({
    storage: {
      max_file_size: uploads.maxStorageFileBytes,
      max_unauthenticated_upload_file_size: uploads.maxUnauthenticatedFileBytes,
    },
    ipfs: {
      max_upload_file_size: uploads.maxIpfsFileBytes,
      max_upload_car_size: uploads.maxCarBytes,
      max_unauthenticated_upload_file_size: uploads.maxUnauthenticatedFileBytes,
    },
  });
  addPlainGet(
    api,
    "/api/v0/storage/limits.json",
    { ...describe("Limits of uploads, in bytes"), response: UPLOAD_LIMITS },
    (request, reply) => sendJson(request, reply, limits),
  );
}

function sendReference(
  request: FastifyRequest,
  reply: FastifyReply,
  view: FileReferenceView | null,
): FastifyReply | Promise<FastifyReply> {
  if (view === null) return fileUnknown(reply);
  const { ref, owner, fileHash, sizeBytes } = view;
  const body = { ref, owner, file_hash: fileHash, download_url: downloadUrl(fileHash), size: sizeBytes };
  return sendJson(request, reply, JSON.stringify(body));
}

function fileUnknown(reply: FastifyReply): FastifyReply {
  return sendRefusal(reply, "API_NOT_FOUND", "404: Not Found. This node knows no such file");
}

function downloadUrl(fileHash: string): string {
  return `/api/v0/storage/raw/${fileHash}`;
}
