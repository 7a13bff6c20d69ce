import { type DevelopmentAccount, decodeLowerHex, type LocalAccount } from "@twentysix/protocol";
import { localAccount } from "./local-account.ts";

/** The account whose private key a network publishes. */
export const developmentAccount = ({ chain, insecurePrivateKey }: DevelopmentAccount): LocalAccount =>
  localAccount(chain, decodeLowerHex(insecurePrivateKey));
