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
