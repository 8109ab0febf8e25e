/** For one delivery, repetitions included. */
export const EXPORT_TIMEOUT_MS = 2000;

/** `http://host:4318` or `http://host:4318/prefix/` with `v1/traces` behind it. */
export function below(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path}`;
}
