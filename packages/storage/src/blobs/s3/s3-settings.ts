/** Access keys of S3. They show themselves to nobody who prints or logs them. */
export class S3Credentials {
  readonly #keys: S3Keys;

  constructor(keys: S3Keys) {
    this.#keys = keys;
  }

  reveal(): S3Keys {
    return this.#keys;
  }

  toJSON(): string {
    return "[hidden]";
  }
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A bucket, or a part of it, that one node keeps its blobs in. */
export interface S3Settings {
  readonly bucket: string;
  /** Absent: the one of AWS for the region. */
  readonly endpoint?: string;
  readonly region: string;
  /** What the keys of this node begin with: empty, or ending in a slash. */
  readonly prefix: string;
  /** The bucket is in the path of the URL, not in its host. */
  readonly pathStyle: boolean;
  readonly credentials: S3Credentials;
}
