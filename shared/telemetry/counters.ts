/** Monotone counters since start, as `culvert status` shows them. */
export interface Counters {
  add(name: string, attributes: Readonly<Record<string, string>> | undefined, by: number): void;
  read(): Readonly<Record<string, number>>;
}

/** Attribute values come from closed sets; should one not, memory stays bounded all the same. */
const SERIES_MAX = 4096;

export function counters(): Counters {
  const series = new Map<string, number>();
  return {
    add(name, attributes, by) {
      let key = seriesKey(name, attributes);
      if (!series.has(key) && series.size >= SERIES_MAX) key = `${name}{overflow=true}`;
      series.set(key, (series.get(key) ?? 0) + by);
    },
    read: () => Object.fromEntries([...series].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** `name{a=b,c=d}`, attributes in the order of their names. */
export function seriesKey(name: string, attributes: Readonly<Record<string, string>> | undefined): string {
  if (attributes === undefined) return name;
  const pairs = Object.entries(attributes);
  if (pairs.length === 0) return name;
  if (pairs.length > 1) pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([key, value]) => `${key}=${value}`).join(',')}}`;
}
