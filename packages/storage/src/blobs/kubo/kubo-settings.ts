/** A Kubo daemon that keeps the blobs of one node. */
export interface KuboSettings {
  /** Of its RPC API, without a path: `http://127.0.0.1:5001`. */
  readonly url: string;
}
