import { defineConfig } from 'vitest/config';

/** CULVERT_INTEROP=full: every file with each of the ciphers. */
const ciphers = process.env.CULVERT_INTEROP === 'full' ? ['auto', 'openssl'] : [];

/** Real clients against a real gateway: two files at a time, each with a lab of its own. They wait more than they work. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts', '../failover/**/*.test.ts'],
    globalSetup: 'lab/image.ts',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 600_000,
    ...(ciphers.length > 0 && {
      projects: ciphers.map((cipher) => ({
        extends: true as const,
        test: { name: cipher, env: { CULVERT_INTEROP_CIPHER: cipher } },
      })),
    }),
  },
});
