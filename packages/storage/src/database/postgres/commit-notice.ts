/** The channel on which the writer tells replicas of its commits. */
export const COMMITS_CHANNEL = "twentysix_commits";

/** Tells them, in the transaction that it is about: the server passes it on after the commit. */
export const TELL_COMMIT = `SELECT pg_notify('${COMMITS_CHANNEL}', '')`;
