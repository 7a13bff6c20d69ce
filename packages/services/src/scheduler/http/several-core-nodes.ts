import type { ConnectionOptions } from "@twentysix/sdk";

/** What a connection takes to go on with another core node when one falls. */
export type SeveralCoreNodes = Required<Pick<ConnectionOptions, "apiUrl" | "fetch" | "webSocket">>;

/**
 * One connection to several core nodes that hold the same: the one that answered last is asked first, the next ones when
 * it cannot be reached or answers with an error of its own. What is read so is checked by whoever reads it: a node that
 * lacks most of what another one had is not believed.
 *
 * @param urls base URLs; at least one
 */
export function severalCoreNodes(urls: readonly string[]): SeveralCoreNodes {
  const apiUrls = urls.map((url) => url.replace(/\/+$/, ""));
  const [apiUrl = ""] = apiUrls;
  let current = 0;
  const at = (index: number): string => apiUrls[index % apiUrls.length] ?? apiUrl;
  const tryAll = async (path: string, init: RequestInit, first: number): Promise<Response> => {
    for (let tried = 0; ; tried += 1) {
      const index = (first + tried) % apiUrls.length;
      const isLast = tried === apiUrls.length - 1;
      try {
        const answer = await fetch(`${at(index)}${path}`, init);
        if (answer.status < 500 || isLast) {
          current = index;
          return answer;
        }
        await answer.body?.cancel();
      } catch (error) {
        // The platform reports every loss of the connection as a TypeError.
        if (isLast || !(error instanceof TypeError)) throw error;
      }
    }
  };
  return {
    apiUrl,
    fetch: (url, init) => tryAll(url.slice(apiUrl.length), init, current),
    webSocket: class extends WebSocket {
      constructor(url: string) {
        const path = url.slice(apiUrl.replace(/^http/, "ws").length);
        super(`${at(current).replace(/^http/, "ws")}${path}`);
        // A node that is gone is not asked for its events again: each reconnection takes the next one.
        this.addEventListener("error", () => {
          current = (current + 1) % apiUrls.length;
        });
      }
    },
  };
}
