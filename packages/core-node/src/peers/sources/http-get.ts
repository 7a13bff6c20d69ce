import { lookup as resolve } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { NetworkError } from "@twentysix/network";
import { isPublicAddress } from "@twentysix/platform";

export interface HttpGetOptions {
  readonly signal: AbortSignal;
  /** Addresses of this machine and of private networks are called too. */
  readonly allowsPrivate: boolean;
  /** The media type that is wanted; any by default. */
  readonly accept?: string;
}

/**
 * GET without redirects and without a proxy, of a URL that somebody else told. The address is checked as it is called,
 * so that a name cannot lead elsewhere between a check and the call.
 *
 * @throws NetworkError NETWORK_PEER_FAILED
 */
export async function httpGet(
  url: URL,
  { signal, allowsPrivate, accept = "*/*" }: HttpGetOptions,
): Promise<IncomingMessage> {
  const isLiteral = isIP(hostOf(url)) !== 0;
  if (isLiteral && !allowsPrivate && !isPublicAddress(hostOf(url))) throw refused(url);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  const lookup = allowsPrivate ? resolve : publicLookup(url);
  return await new Promise((answer, fail) => {
    const call = request(url, { signal, lookup, agent: false, headers: { accept } }, answer);
    call.on("error", (cause) =>
      fail(
        cause instanceof NetworkError
          ? cause
          : new NetworkError("NETWORK_PEER_FAILED", `${url.origin} does not answer`, { cause }),
      ),
    );
    call.end();
  });
}

/** Without the brackets that URLs put around IPv6. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

function publicLookup(url: URL): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const [first, ...others] = (found ?? []).filter(({ address }) => isPublicAddress(address));
      if (error !== null) done(error, "");
      else if (first === undefined) done(refused(url), "");
      else if (options.all === true) done(null, [first, ...others]);
      else done(null, first.address, first.family);
    });
  };
}

const refused = (url: URL): NetworkError =>
  new NetworkError(
    "NETWORK_PEER_FAILED",
    `${url.origin} leads into a private network, where nodes of a public one are not called`,
  );
