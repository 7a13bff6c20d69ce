import type { MessageFacts, MessageFilter } from "../types.ts";

/**
 * Does a message pass a filter? The same answer as the SQL that lists are made with, for live frames: values of
 * one member are alternatives, the members must all hold.
 */
export function matchesFilter(filter: MessageFilter, facts: MessageFacts): boolean {
  return matchesOrigin(filter, facts) && matchesContent(filter, facts) && matchesMoment(filter, facts);
}

function matchesOrigin(filter: MessageFilter, facts: MessageFacts): boolean {
  return (
    (facts.status === "processed" || facts.status === "removing") &&
    has(filter.statuses, facts.status) &&
    has(filter.types, facts.type) &&
    has(filter.senders, facts.sender) &&
    has(filter.owners, facts.owner) &&
    has(filter.chains, facts.chain) &&
    has(filter.channels, facts.channel) &&
    has(filter.itemHashes, facts.itemHash)
  );
}

function matchesContent(filter: MessageFilter, facts: MessageFacts): boolean {
  const isAggregate = facts.type === "AGGREGATE";
  return (
    has(filter.refs, facts.ref) &&
    has(filter.contentHashes, facts.contentHash) &&
    (filter.contentKeys === undefined || (isAggregate && has(filter.contentKeys, facts.label))) &&
    (filter.contentTypes === undefined || (!isAggregate && has(filter.contentTypes, facts.label))) &&
    has(filter.paymentTypes, facts.paymentType) &&
    (filter.tags === undefined || filter.tags.some((tag) => facts.tags.includes(tag)))
  );
}

function matchesMoment(filter: MessageFilter, facts: MessageFacts): boolean {
  const { startMicros, endMicros, startBlock, endBlock, confirmed } = filter;
  const height = facts.confirmedHeight;
  return (
    (startMicros === undefined || facts.timeMicros >= startMicros) &&
    (endMicros === undefined || facts.timeMicros < endMicros) &&
    (startBlock === undefined || height === null || height >= startBlock) &&
    (endBlock === undefined || (height !== null && height < endBlock)) &&
    (confirmed === undefined || confirmed === (height !== null))
  );
}

function has<T>(wanted: readonly T[] | undefined, value: T | null): boolean {
  return wanted === undefined || (value !== null && wanted.includes(value));
}
