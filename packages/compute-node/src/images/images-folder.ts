import { homedir } from "node:os";
import { join } from "node:path";

/** Where images are built unless somebody says otherwise: in the cache of this user, for every node and network of theirs. */
export function defaultImagesFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const cache = environment.XDG_CACHE_HOME ?? join(environment.HOME ?? homedir(), ".cache");
  return join(cache, "twentysix", "images");
}
