export { LARGE, readArguments, replayCommand, type SimulateArguments } from "./command/arguments.ts";
export { outcomesOfSeeds, type SeedOutcome } from "./command/seed-outcome.ts";
export { simulateMany, simulateOne, surviveOrTell } from "./command/simulate.ts";
export { runStorm, type StormReport } from "./storm.ts";
export type { StormSize } from "./storm-plan.ts";
export { type SurvivalOptions, survive } from "./survival/survive.ts";
export type { TraceSink } from "./trace.ts";
export { SimulationFailure } from "./world/world.ts";
