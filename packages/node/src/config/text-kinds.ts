import { isIP } from "node:net";
import { resolve } from "node:path";
import { type OptionKind, parsed, textKind } from "./option-kind.ts";

const HOST_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i;
const NETWORK_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** One of a few words. */
export function choice<const V extends string>(values: readonly V[]): OptionKind<V> {
  const describe = `one of ${values.join(", ")}`;
  return textKind({
    placeholder: "WORD",
    describe,
    parseText(text) {
      const value = values.find((candidate) => candidate === text);
      return value === undefined ? { ok: false, expected: describe } : parsed(value);
    },
  });
}

/** A file or folder, made absolute. */
export function path(placeholder: "DIR" | "FILE"): OptionKind<string> {
  const describe = placeholder === "DIR" ? "the path of a folder" : "the path of a file";
  return textKind({
    placeholder,
    describe,
    parseText: (text, { baseDir }) =>
      text === "" || text.includes("\0") ? { ok: false, expected: describe } : parsed(resolve(baseDir, text)),
  });
}

/** A program by its name, or by a path (made absolute). */
export function program(): OptionKind<string> {
  const describe = "the name of a program, or its path";
  return textKind({
    placeholder: "PROGRAM",
    describe,
    parseText(text, { baseDir }) {
      if (/^\w[\w.+-]*$/.test(text)) return parsed(text);
      return text.includes("/") && !text.includes("\0")
        ? parsed(resolve(baseDir, text))
        : { ok: false, expected: describe };
    },
  });
}

/** A name or an address to listen on. */
export function host(): OptionKind<string> {
  const describe = "an IP address or a host name";
  return textKind({
    placeholder: "HOST",
    describe,
    parseText: (text) =>
      isIP(text) !== 0 || (text.length <= 253 && HOST_NAME.test(text))
        ? parsed(text)
        : { ok: false, expected: describe },
  });
}

/** The name of a shipped network, or the file of a definition (made absolute): `local`, `./my-network.json`. */
export function network(): OptionKind<string> {
  const describe = "the name of a shipped network, or the path of a network definition ending in .json";
  return textKind({
    placeholder: "NAME|FILE",
    describe,
    parseText(text, { baseDir }) {
      if (NETWORK_NAME.test(text)) return parsed(text);
      if (text.endsWith(".json") && !text.includes("\0")) return parsed(resolve(baseDir, text));
      return { ok: false, expected: describe };
    },
  });
}

/** Where a database of a server is: `postgres://user@host:5432/name`. */
export function databaseUrl(): OptionKind<string> {
  const describe = "a URL such as postgres://user@host:5432/name";
  return textKind({
    placeholder: "URL",
    describe,
    parseText(text) {
      const url = URL.parse(text);
      const isPostgres = url?.protocol === "postgres:" || url?.protocol === "postgresql:";
      return isPostgres && url.pathname.length > 1 ? parsed(text) : { ok: false, expected: describe };
    },
  });
}

/** IP addresses and ranges: separated by commas in a flag or variable, a list of texts in the config file. */
export function addressRanges(): OptionKind<readonly string[]> {
  return listOf("IP addresses or ranges such as 10.0.0.0/8, separated by commas", isAddressRange);
}

/** A list of texts of one kind. */
export function listOf(describe: string, isItem: (text: string) => boolean): OptionKind<readonly string[]> {
  const check = (items: readonly string[]) =>
    items.every(isItem) ? parsed(items) : { ok: false as const, expected: describe };
  return {
    placeholder: "LIST",
    describe: `${describe} (a list of texts in the config file)`,
    parseText: (text) => check(text.trim() === "" ? [] : text.split(",").map((item) => item.trim())),
    parseJson: (value) =>
      Array.isArray(value) && value.every((item) => typeof item === "string")
        ? check(value)
        : { ok: false, expected: `a list of texts: ${describe}` },
  };
}

/** An IP address, or a range of them. */
export function isAddressRange(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
