/** What a scheduler cannot go on with. */
export type SchedulerErrorCode =
  | "SCHEDULER_BAD_SETTING"
  | "SCHEDULER_BAD_PARAMETER"
  | "SCHEDULER_BAD_ANSWER"
  | "SCHEDULER_UNREACHABLE"
  | "SCHEDULER_FORBIDDEN_ADDRESS"
  | "SCHEDULER_SNAPSHOT_REFUSED"
  | "SCHEDULER_STATE_UNREADABLE"
  | "SCHEDULER_LEASE_LOST";

export class SchedulerError extends Error {
  override readonly name = "SchedulerError";
  readonly code: SchedulerErrorCode;

  constructor(code: SchedulerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
