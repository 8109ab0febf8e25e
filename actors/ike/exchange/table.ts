/**
 * The exchanges of one ISAKMP SA as its keeper sees them: RFC 2408 §3.1 tells them apart by Message ID
 * (0 for Main Mode), and a duplicate of a question is answered with the very octets of the first answer.
 */
export interface Exchange {
  readonly messageId: number;
  /** Digest of the message that was answered. */
  readonly request: string;
  /** Address and port that the answer went to: a duplicate from elsewhere gets none. */
  readonly to: string;
  readonly answer: Uint8Array;
  /** IV for the exchange's next message (RFC 2409 appendix B); empty for one in the clear. */
  readonly iv: Uint8Array;
}

export interface ExchangeTable {
  /** The oldest first. */
  readonly exchanges: readonly Exchange[];
  /** Message IDs that verified messages have used: a second use is a replay. The oldest first. */
  readonly seen: readonly number[];
  /** Those of Quick Modes, apart: no number of other messages may make a recorded one run again. */
  readonly begun: readonly number[];
}

/** Tuning: a client runs one Quick Mode at a time, a few at most. */
export const EXCHANGES_MAX = 4;
/** Of each kind: a Quick Mode an hour is far less; old probes and deletes are harmless when they come again. */
export const SEEN_MAX = 256;

export const NO_EXCHANGES: ExchangeTable = { exchanges: [], seen: [], begun: [] };

export function exchangeOf(table: ExchangeTable, messageId: number): Exchange | undefined {
  return table.exchanges.find((exchange) => exchange.messageId === messageId);
}

/** The stored exchange whose question these octets repeat. */
export function duplicateOf(table: ExchangeTable, messageId: number, request: string): Exchange | undefined {
  const exchange = exchangeOf(table, messageId);
  return exchange?.request === request ? exchange : undefined;
}

/** With the answer to a question; an earlier answer of the same exchange is forgotten. */
export function answered(table: ExchangeTable, exchange: Exchange): ExchangeTable {
  const others = table.exchanges.filter((other) => other.messageId !== exchange.messageId);
  return { ...table, exchanges: [...others, exchange].slice(-EXCHANGES_MAX) };
}

/** After an exchange's last message: nothing of it is answered again, but its Message ID stays used. */
export function concluded(table: ExchangeTable, messageId: number): ExchangeTable {
  return { ...table, exchanges: table.exchanges.filter((exchange) => exchange.messageId !== messageId) };
}

export function hasSeen(table: ExchangeTable, messageId: number): boolean {
  return table.seen.includes(messageId) || table.begun.includes(messageId);
}

export function withSeen(table: ExchangeTable, messageId: number): ExchangeTable {
  return { ...table, seen: [...table.seen, messageId].slice(-SEEN_MAX) };
}

export function withBegun(table: ExchangeTable, messageId: number): ExchangeTable {
  return { ...table, begun: [...table.begun, messageId].slice(-SEEN_MAX) };
}
