/** What went wrong with an image or a file of the network. */
export type ImageErrorCode =
  | "FILE_NOT_FOUND"
  | "FILE_TOO_LARGE"
  | "FILE_WRONG"
  | "FILES_UNREACHABLE"
  | "CACHE_FULL"
  | "BUILD_FAILED"
  | "TOOL_MISSING";

/** A failure of building or getting an image; `message` says what failed, why, and what to do. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
