import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{shared,actors,services,deploy,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/interop/**', 'test/failover/**', 'test/bench/**'],
    pool: 'forks',
    testTimeout: 30_000,
    // A busy machine may take a while to start a process.
    expect: { poll: { timeout: 15_000 } },
  },
});
