import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import type { NodeRegistration } from "../model/node.ts";

/** Nodes of the aggregate `corechannel`; what has no usable hash is passed over, the rest stays. */
export function readRegistrations(corechannel: JsonObject): readonly NodeRegistration[] {
  const nodes = memberOf(corechannel, "resource_nodes");
  if (!Array.isArray(nodes)) return [];
  return (nodes as readonly JsonValue[]).flatMap((node) => {
    const registration = isJsonObject(node) ? readRegistration(node) : null;
    return registration === null ? [] : [registration];
  });
}

function readRegistration(node: JsonObject): NodeRegistration | null {
  const nodeHash = text(node, "hash");
  if (nodeHash === null || !/^[0-9a-zA-Z]{40,128}$/.test(nodeHash)) return null;
  const score = memberOf(node, "score");
  return {
    nodeHash,
    name: text(node, "name"),
    owner: text(node, "owner"),
    address: readAddress(text(node, "address")),
    isLinked: memberOf(node, "status") === "linked",
    score: typeof score === "number" && score >= 0 && score <= 1 ? score : null,
    streamReward: text(node, "stream_reward"),
    termsAndConditions: text(node, "terms_and_conditions"),
  };
}

/** The base URL of a node as it was registered; null when it is none. */
export function readAddress(address: string | null): string | null {
  if (address === null || address.length > 1_024 || !URL.canParse(address)) return null;
  const { protocol, username, password, search, hash } = new URL(address);
  const isPlain = username === "" && password === "" && search === "" && hash === "";
  return /^https?:$/.test(protocol) && isPlain ? address : null;
}

function text(node: JsonObject, key: string): string | null {
  const value = memberOf(node, key);
  return typeof value === "string" && value.trim() !== "" && value.length <= 4_096 ? value : null;
}
