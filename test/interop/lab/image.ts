import { rootImage } from './guest.ts';

/** Once before all tests: what takes a minute on a new machine counts against no test's time. */
export default async function setup(): Promise<void> {
  await rootImage();
}
