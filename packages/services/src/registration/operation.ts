/** Content of a post that changes the registry. Source: aleph-nodestatus `src/aleph_nodestatus/status.py`. */
export const operation = (action: string, tag: string, details: Readonly<Record<string, string>>) => ({
  tags: [action, tag],
  action,
  details,
});
