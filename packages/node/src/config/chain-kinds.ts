import { isChain } from "@twentysix/protocol";
import type { OptionKind } from "./option-kind.ts";
import { listOf } from "./text-kinds.ts";

/** RPC servers, each after the chain that it is for; several of one chain in the order of preference. */
export function rpcUrls(): OptionKind<readonly string[]> {
  return listOf("chains with URLs such as ETH=https://rpc.example, separated by commas", (text) => {
    const { chain, url } = splitRpc(text);
    return isChain(chain) && ["http:", "https:"].includes(URL.parse(url)?.protocol ?? "");
  });
}

/** `ETH=https://…` */
export function splitRpc(text: string): { readonly chain: string; readonly url: string } {
  const at = text.indexOf("=");
  return { chain: text.slice(0, Math.max(0, at)), url: text.slice(at + 1) };
}
