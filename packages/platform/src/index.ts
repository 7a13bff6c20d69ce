export { isAbortOf, onAbort, raceAbort } from "./abort.ts";
export { afterTurn } from "./after-turn.ts";
export {
  BoundedQueue,
  type BoundedQueueOptions,
  type DropPolicy,
  type DropReason,
  type QueueHooks,
} from "./bounded-queue.ts";
export { budgetKey, isLoopback } from "./client-address.ts";
export { type Clock, createSystemClock } from "./clock.ts";
export { createDeferred, type Deferred } from "./deferred.ts";
export { PlatformError, type PlatformErrorCode } from "./errors.ts";
export { createEventLoopMonitor, type EventLoopDelay, type EventLoopMonitor } from "./event-loop-delay.ts";
export { Latch } from "./latch.ts";
export { LOG_LEVELS, type LogFields, type Logger, type LogLevel, type RecordLevel } from "./logger.ts";
export { createMemoryLogger, type LogRecord, type MemoryLogger } from "./memory-logger.ts";
export { createPinoLogger, type LogDestination, type PinoLoggerOptions } from "./pino-logger.ts";
export { isPublicAddress } from "./public-address.ts";
export { pick, type Random, shuffled } from "./random.ts";
export { createSeededRandom } from "./seeded-random.ts";
export { type Permit, Semaphore, type SemaphoreOptions } from "./semaphore.ts";
export { listenForShutdown, type ShutdownHandlers, type ShutdownSignal } from "./shutdown-signals.ts";
export { keepHeapSmall } from "./small-heap.ts";
export { createSystemRandom } from "./system-random.ts";
export { createSystemTimers } from "./system-timers.ts";
export { createTimers, type EveryOptions, type Schedule, type Timers } from "./timers.ts";
export { createVirtualTime, type VirtualTime } from "./virtual-time.ts";
