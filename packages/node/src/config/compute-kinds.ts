import { isIP } from "node:net";
import { type OptionKind, parsed, textKind } from "./option-kind.ts";
import { isAddressRange, listOf } from "./text-kinds.ts";

const HASH = /^[0-9a-f]{64}$/;
const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const ADDRESS = /^[A-Za-z0-9]{20,128}$/;

/** APIs, separated by commas in a flag or variable, a list of texts in the config file. */
export function urls(): OptionKind<readonly string[]> {
  return listOf("URLs such as https://node.example, separated by commas", isPlainUrl);
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  return isHttp && url.username === "" && url.search === "" && url.hash === "";
}

/** The address of a folder on a web server. */
export function url(): OptionKind<string> {
  return textKind({
    placeholder: "URL",
    describe: "a URL such as https://debian.example/debian",
    parseText: (text) =>
      isPlainUrl(text)
        ? parsed(text)
        : { ok: false, expected: "a URL such as https://debian.example/debian" },
  });
}

/** The hash of a message. */
export function itemHash(): OptionKind<string> {
  return pattern("HASH", "64 hexadecimal digits", HASH);
}

/** An account of any chain. */
export function accountAddress(): OptionKind<string> {
  return pattern("ADDRESS", "an address of an account", ADDRESS);
}

/** IP addresses, separated by commas in a flag or variable. */
export function ipAddresses(): OptionKind<readonly string[]> {
  return listOf("IP addresses, separated by commas", (text) => isIP(text) !== 0);
}

/** Accounts of Ethereum. */
export function evmAddresses(): OptionKind<readonly string[]> {
  return listOf("addresses such as 0x70997970C51812dc3A010C7d01b50e0d17dc79C8, separated by commas", (text) =>
    EVM_ADDRESS.test(text),
  );
}

/** A range of addresses of one family. */
export function cidrRange(family: 4 | 6): OptionKind<string> {
  const describe = `a range of IPv${family} addresses such as ${family === 4 ? "172.16.0.0/12" : "2001:db8::/64"}`;
  return textKind({
    placeholder: "RANGE",
    describe,
    parseText: (text) =>
      isAddressRange(text) && text.includes("/") && isIP(text.split("/")[0] ?? "") === family
        ? parsed(text)
        : { ok: false, expected: describe },
  });
}

function pattern(placeholder: string, describe: string, expression: RegExp): OptionKind<string> {
  return textKind({
    placeholder,
    describe,
    parseText: (text) => (expression.test(text) ? parsed(text) : { ok: false, expected: describe }),
  });
}
