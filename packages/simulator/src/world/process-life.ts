/** Whether a process still runs. Once it has ended nothing may wake it any more. */
export interface ProcessLife {
  readonly isEnded: boolean;
}
