/** How a machine came to run: from a template, from its disks, or it ran already when the node was started again. */
export type StartWay = "resumed" | "booted" | "adopted";

export const START_WAYS: readonly StartWay[] = ["resumed", "booted", "adopted"];
