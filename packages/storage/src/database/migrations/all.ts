import { initial } from "./0001-initial.ts";
import { standingForgets } from "./0002-standing-forgets.ts";
import { fewerPages } from "./0003-fewer-pages.ts";
import { fileLifecycle } from "./0004-file-lifecycle.ts";
import { ledger } from "./0005-ledger.ts";
import { fairQueue } from "./0006-fair-queue.ts";
import { paymentRecords } from "./0007-payment-records.ts";
import { toldToAuthorities } from "./0008-told-to-authorities.ts";
import { uniquePins } from "./0009-unique-pins.ts";
import { fileProofs } from "./0010-file-proofs.ts";
import { anchoringTables } from "./0011-anchoring.ts";
import { fileShards } from "./0012-file-shards.ts";
import { undecidedSignatures } from "./0013-undecided-signatures.ts";
import type { Migration } from "./migration.ts";

/** All migrations in order; a published one never changes. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  standingForgets,
  fewerPages,
  fileLifecycle,
  ledger,
  fairQueue,
  paymentRecords,
  toldToAuthorities,
  uniquePins,
  fileProofs,
  anchoringTables,
  fileShards,
  undecidedSignatures,
];
