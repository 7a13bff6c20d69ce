/** What can go wrong with the pipeline itself, as opposed to a message. */
export const PIPELINE_ERROR_CODES = [
  "PIPELINE_QUEUE_FULL",
  "PIPELINE_CLOSED",
  "PIPELINE_THREAD_FAILED",
  "PIPELINE_DEFECT",
] as const;
export type PipelineErrorCode = (typeof PIPELINE_ERROR_CODES)[number];

/** The pipeline cannot take or finish a job; `message` says what to do. */
export class PipelineError extends Error {
  readonly code: PipelineErrorCode;

  constructor(code: PipelineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PipelineError";
    this.code = code;
  }
}
