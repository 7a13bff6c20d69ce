import { type OptionKind, parsed, textKind } from "./option-kind.ts";
import { isAddressRange, listOf } from "./text-kinds.ts";

const MULTIADDRESS = /^(?:\/[a-z0-9-]+(?:\/[^/\s]+)?)+$/;
const NAMED = /\/p2p\/[1-9A-HJ-NP-Za-km-z]{40,64}$/;
const PEER_NAME = /^[1-9A-HJ-NP-Za-km-z]{40,64}$/;

/** Multiaddresses of other nodes, each with the name of the peer. */
export function peerAddresses(): OptionKind<readonly string[]> {
  return listOf(
    "multiaddresses such as /ip4/203.0.113.7/tcp/4025/p2p/12D3…, separated by commas",
    (text) => MULTIADDRESS.test(text) && NAMED.test(text),
  );
}

/** Multiaddresses of this node, without its name. */
export function ownAddresses(): OptionKind<readonly string[]> {
  return listOf(
    "multiaddresses such as /dns4/node.example/tcp/4025, separated by commas",
    (text) => MULTIADDRESS.test(text) && !text.includes("/p2p/"),
  );
}

/** Names of peers, addresses and ranges of addresses. */
export function deniedPeers(): OptionKind<readonly string[]> {
  return listOf(
    "names of peers, IP addresses or ranges such as 203.0.113.0/24, separated by commas",
    (text) => PEER_NAME.test(text) || isAddressRange(text),
  );
}

/** Where gateways are reached. */
export function gatewayUrls(): OptionKind<readonly string[]> {
  return listOf("URLs such as https://gateway.example, separated by commas", isBareUrl);
}

/** Where an API is reached. */
export function apiUrl(): OptionKind<string> {
  const describe = "a URL such as https://node.example";
  return textKind({
    placeholder: "URL",
    describe,
    parseText(text) {
      return isBareUrl(text) ? parsed(text.replace(/\/+$/, "")) : { ok: false, expected: describe };
    },
  });
}

function isBareUrl(text: string): boolean {
  const url = URL.parse(text);
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  return isHttp && url.username === "" && url.search === "" && url.hash === "";
}
