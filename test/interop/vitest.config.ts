import { defineConfig } from 'vitest/config';

/** Real clients against a real gateway: one file after the other, each with a lab of its own. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: 'lab/image.ts',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 600_000,
  },
});
