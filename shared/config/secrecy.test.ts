import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigFaults, parseConfig } from './index.ts';

/** Long and odd enough that it occurs in a message only if it was copied there. */
const canary = fc
  .stringMatching(/^[A-Za-z0-9@%*&!:{}[\],"'#|>?-]{12,40}$/)
  .filter((text) => text.trim() === text && text.length >= 12);

const places: readonly ((secret: string) => string)[] = [
  (secret) => `psks: [{ name: a, secret: ${secret} }]`,
  (secret) => `psks: [{ name: a, secret: "${secret}" }]`,
  (secret) => `psks:\n  - name: a\n    secret: ${secret}`,
  (secret) => `psks:\n  - name: a\n    secret: '${secret}'\n    extra: '${secret}'`,
  (secret) => `psks:\n  - name: '${secret}'\n    secret: '${secret}'`,
  (secret) => `psks: '${secret}'`,
  (secret) => `psks: ['${secret}']`,
  (secret) => `psks: [{ name: a, secretFile: '${secret}' }]`,
  (secret) => `users:\n  - name: bob\n    password: ${secret}\n    password2: ${secret}`,
  (secret) => `users: { bob: '${secret}' }`,
  (secret) => `users:\n  - '${secret}': bob`,
  (secret) => `users: [{ name: bob, password: ['${secret}'] }]`,
  (secret) => `l2tp: { tunnelSecret: { a: '${secret}' } }`,
  (secret) => `l2tp: '${secret}'`,
  (secret) => `nats: { url: "nats://u:${secret}@host:4222" }`,
  (secret) => `nats: { url: "natss://u:${secret}@host:4222", password: '${secret}' }`,
  (secret) => `nats: { user: u, password: '${secret}' }`,
  (secret) => `telemetry: { otlp: "htp://token:${secret}@host" }`,
  (secret) => secret,
  (secret) => `'${secret}'`,
];

test('no fault ever shows a secret', () => {
  fc.assert(
    fc.property(
      canary,
      fc.array(fc.integer({ min: 0, max: places.length - 1 }), { minLength: 1, maxLength: 3 }),
      (secret, chosen) => {
        const text = chosen.map((index) => places[index]?.(secret) ?? '').join('\n');
        try {
          parseConfig(text, '/');
        } catch (error) {
          if (!(error instanceof ConfigFaults)) throw error;
          const everything = `${error.message}\n${error.stack}\n${JSON.stringify(error.faults)}`;
          expect(everything).not.toContain(secret);
          expect(everything).not.toContain(JSON.stringify(secret).slice(1, -1));
        }
      },
    ),
    { numRuns: 600 },
  );
});
