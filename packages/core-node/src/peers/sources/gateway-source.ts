import { itemTypeOfHash } from "@twentysix/protocol";
import { boundedBody } from "./bounded-body.ts";
import type { ContentSource } from "./content-source.ts";
import { httpGet } from "./http-get.ts";

const CAR_TYPE = "application/vnd.ipld.car";

/**
 * A trustless gateway that the operator named: what a CID names, as a CAR whose blocks are verified here. Source: IPFS
 * Trustless Gateway Specification.
 */
export function gatewaySource(gatewayUrl: string, maxBytes: number): ContentSource {
  return {
    name: gatewayUrl,
    async ask(hash, signal) {
      const url = URL.parse(`${gatewayUrl.replace(/\/+$/, "")}/ipfs/${hash}?format=car`);
      if (url === null || itemTypeOfHash(hash) !== "ipfs") return null;
      const stop = new AbortController();
      // Whoever names a gateway may name one of their own network.
      const options = {
        signal: AbortSignal.any([signal, stop.signal]),
        allowsPrivate: true,
        accept: CAR_TYPE,
      };
      const answer = await httpGet(url, options);
      const isCar = answer.statusCode === 200 && (answer.headers["content-type"] ?? "").startsWith(CAR_TYPE);
      if (!isCar) {
        answer.destroy();
        return null;
      }
      const bytes = boundedBody(answer, maxBytes, gatewayUrl);
      return { form: "car", isWhole: true, bytes, end: () => stop.abort() };
    },
  };
}
