/** The address that means all of this machine's is none to connect to on every system. */
export function reachableUrl(apiUrl: string): string {
  return apiUrl.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
