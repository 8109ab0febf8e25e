/** Names of the machines of a session. An ISAKMP SA is named by our cookie, an IPsec SA by its exchange. */
export const SESSION = 'session';

export function isakmpSaId(cookie: string): string {
  return `isakmp-sa/${cookie}`;
}

export function informationalId(cookie: string): string {
  return `informational/${cookie}`;
}

export function quickModeId(cookie: string, messageId: number): string {
  return `quick-mode/${cookie}.${messageId.toString(16).padStart(8, '0')}`;
}
