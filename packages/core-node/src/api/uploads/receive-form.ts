import type { FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import { ReadGuard, type ReadLimits } from "../http/read-guard.ts";
import { bodyPieces, readBody } from "../http/request-body.ts";

export interface FormLimits extends ReadLimits {
  readonly maxFileBytes: number;
  readonly maxMetadataBytes: number;
}

/** What is done with the parts as they come; both may throw to refuse the rest. */
export interface FormHandlers<File extends AsyncDisposable> {
  /** Receives the bytes of the `file` part. */
  stage(source: AsyncIterable<Uint8Array>): Promise<File>;
  metadata(bytes: Buffer): Promise<void>;
}

export interface ReceivedFile<File> {
  readonly file: File;
  /** As the client named it. */
  readonly name: string;
}

type Part = { fieldname: string; filename: string; file: import("node:stream").Readable };

/**
 * Reads the `file` and `metadata` parts of a multipart form, in any order and of any content type; others are
 * skipped. Returns null when there is no file. When it throws, the file that was staged is gone.
 */
export async function receiveForm<File extends AsyncDisposable>(
  request: FastifyRequest,
  limits: FormLimits,
  handlers: FormHandlers<File>,
): Promise<ReceivedFile<File> | null> {
  let received: ReceivedFile<File> | null = null;
  let seenMetadata = false;
  try {
    for await (const part of partsOf(request, limits)) {
      if (part.fieldname === "file" && received === null) {
        const source = pieces(part, request, { ...limits, maxBytes: limits.maxFileBytes });
        received = { file: await handlers.stage(source), name: part.filename };
      } else if (part.fieldname === "metadata" && !seenMetadata) {
        seenMetadata = true;
        await handlers.metadata(await readPart(part, request, limits));
      } else {
        await readPart(part, request, limits);
      }
    }
  } catch (error) {
    // The parser waits for somebody to read a part that nobody will: what still comes is thrown away instead.
    request.raw.unpipe();
    await received?.file[Symbol.asyncDispose]();
    throw error;
  }
  return received;
}

/** Everything that the form parser itself complains of is a malformed form. */
async function* partsOf(request: FastifyRequest, limits: ReadLimits): AsyncGenerator<Part, void, undefined> {
  using guard = new ReadGuard(request.raw, limits);
  const parts = request.parts({
    limits: { fileSize: Number.POSITIVE_INFINITY, parts: 20, headerPairs: 100 },
    // A client may leave the file name out; every part is read as a stream.
    isPartAFile: () => true,
  });
  for (;;) {
    const step = await guard.race(parts.next()).catch(malformed);
    if (step.done === true) return;
    const part = step.value;
    if (part.type === "file")
      yield { fieldname: part.fieldname, filename: part.filename ?? "file", file: part.file };
    guard.restart();
  }
}

async function* pieces(
  part: Part,
  request: FastifyRequest,
  limits: ReadLimits & { readonly maxBytes: number },
): AsyncGenerator<Buffer, void, undefined> {
  const source = bodyPieces(part.file, request.raw, limits);
  for (;;) {
    const step = await source.next().catch(malformed);
    if (step.done === true) return;
    yield step.value;
  }
}

function readPart(part: Part, request: FastifyRequest, limits: FormLimits): Promise<Buffer> {
  return readBody(part.file, request.raw, { ...limits, maxBytes: limits.maxMetadataBytes }).catch(malformed);
}

function malformed(error: unknown): never {
  if (error instanceof ApiError) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  throw new ApiError("API_MULTIPART_MALFORMED", `400: malformed multipart form: ${reason}`);
}
