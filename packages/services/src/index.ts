/** Services around a network, each started by a role. They meet a node on its public HTTP API alone. */

export { accountAddress } from "./authority/credits/account-address.ts";
export type { CreditOutcome } from "./authority/credits/credit-post.ts";
export { CreditError, type CreditErrorDetails } from "./authority/credits/errors.ts";
export { type CreditServices, type GrantRequest, grantCredits } from "./authority/credits/grant-credits.ts";
export { type AuthoritySettings, defaultAuthoritySettings } from "./authority/settings.ts";
export { AuthoritySettingsError, readSettingsFile } from "./authority/settings-file.ts";
export { type Authority, type AuthorityOptions, startAuthority } from "./authority/start-authority.ts";
export { type AuthorityAccounts, accountAmong, authorityAccounts } from "./keys/authority-accounts.ts";
export { developmentAccount } from "./keys/development-account.ts";
export { AuthorityKeysError } from "./keys/errors.ts";
export { readKeyFile } from "./keys/key-file.ts";
export {
  fileJournal,
  type MessageJournal,
  memoryJournal,
  type UnsettledMessage,
} from "./publishing/message-journal.ts";
export { type Publication, Publisher } from "./publishing/publisher.ts";
export { keepRegistered, type SelfRegistrationOptions } from "./registration/keep-registered.ts";
export {
  type ComputeRegistrationOptions,
  type OwnedComputeNode,
  registerComputeNodes,
} from "./registration/register-compute-nodes.ts";
export {
  type OwnedNode,
  type RegistrationOptions,
  registerNodes,
} from "./registration/register-core-nodes.ts";
export { readSchedulerEnvironment, type SchedulerEnvironment } from "./scheduler/environment.ts";
export { SchedulerError, type SchedulerErrorCode } from "./scheduler/errors.ts";
export { type SchedulerKey, schedulerKey } from "./scheduler/http/signature.ts";
export type { PaymentGate } from "./scheduler/payment-gate.ts";
export { makePlan } from "./scheduler/planner/plan.ts";
export type { Decision, Plan, PlanInput } from "./scheduler/planner/plan-input.ts";
export { type ReplayReport, replayDecisions } from "./scheduler/replay.ts";
export { defaultSchedulerSettings, type SchedulerSettings } from "./scheduler/settings.ts";
export { type Scheduler, type SchedulerOptions, startScheduler } from "./scheduler/start-scheduler.ts";
