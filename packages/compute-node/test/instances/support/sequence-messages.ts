import { hashOf } from "../../support/vm-messages.ts";

export const PARENT = hashOf("tiny-disk");

export const OPERATIONS = [
  "start",
  "stop",
  "reboot",
  "reinstall",
  "erase",
  "backup",
  "export",
  "clean-up",
] as const;

export interface SequenceRequest {
  readonly id: number;
  readonly operation: (typeof OPERATIONS)[number];
  readonly name: string;
}

export interface SequenceAnswer {
  readonly id: number;
  /** Code of the refusal; null: done. */
  readonly error: string | null;
}
