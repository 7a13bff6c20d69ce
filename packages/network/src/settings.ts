/** What settings are checked with, without the host itself. */
export { type DenyList, denyListOf } from "./deny-list.ts";
