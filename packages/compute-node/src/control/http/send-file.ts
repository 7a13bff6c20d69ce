import { type FileHandle, open } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";

/**
 * Sends a file, or the part of it that one `Range` asks for, so that a download that broke can go on. Its type is set by
 * the caller.
 *
 * @throws ControlError 404 when it has gone, 416 for a range outside of it
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
): Promise<FastifyReply> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (reply.raw.closed) {
      // The file of an answer that nobody reads would stay open.
      await file.close();
      return reply.hijack();
    }
    const range = readRange(request.headers.range, size);
    reply.header("accept-ranges", "bytes");
    const { start, end } = range ?? { start: 0, end: size };
    if (range !== null) reply.code(206).header("content-range", `bytes ${start}-${end - 1}/${size}`);
    reply.header("content-length", String(end - start));
    if (start === end) {
      await file.close();
      return reply.send("");
    }
    return reply.send(file.createReadStream({ start, end: end - 1, autoClose: true }));
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new ControlError(404, "the file is gone");
    }
    throw error;
  }
}

/** null: the whole. Forms other than one range of bytes are taken for none, as the standard allows. */
function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | null {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === undefined) return null;
  const start = Number(first);
  const end = last === undefined || last === "" ? size : Math.min(Number(last) + 1, size);
  if (start < end) return { start, end };
  throw new ControlError(416, `the file has ${size} bytes`);
}
