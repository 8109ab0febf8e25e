import type { AuthQuestion } from '@culvert/contracts';
import {
  chapResponse,
  createSealer,
  ntPasswordHash,
  ntResponse,
  papPasswordPlace,
  Secret,
} from '@culvert/crypto';
import { memoryTelemetry } from '@culvert/telemetry';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configAccount } from './account.ts';
import { createAuthenticator } from './authenticate.ts';
import type { Directory } from './directory.ts';
import { offer } from './offer.ts';
import { shownName } from './shown-name.ts';

const sealer = createSealer({ current: Secret.random(32), earlier: [] });
const SESSION = '0123456789abcdef';
const utf8 = (text: string) => new TextEncoder().encode(text);
const challenge = new Uint8Array(16).fill(7);
const peerChallenge = new Uint8Array(16).fill(9);

type Proof = AuthQuestion['proof'];

const pap = (password: string | Uint8Array, session = SESSION): Proof => ({
  method: 'pap',
  sealedPassword: sealer.seal(
    papPasswordPlace(session),
    typeof password === 'string' ? utf8(password) : password,
  ),
});
const chap = (password: string): Proof => ({
  method: 'chap-md5',
  identifier: 3,
  challenge,
  response: chapResponse(3, utf8(password), challenge),
});
const msChap = (user: string, password: string): Proof => ({
  method: 'ms-chap-v2',
  authenticatorChallenge: challenge,
  peerChallenge,
  ntResponse: ntResponse(
    { authenticatorChallenge: challenge, peerChallenge, userName: utf8(user) },
    ntPasswordHash(password),
  ),
});

function setUp() {
  const users = [
    {
      name: 'alice',
      password: Secret.fromText('wonder pässword'),
      chap: true,
      ipv4: '10.98.0.50',
      sessionTimeoutSeconds: 3600,
    },
    { name: 'bob', password: Secret.fromText('builder'), chap: false },
  ].map(configAccount);
  const carol = {
    ...configAccount({ name: 'carol', password: Secret.fromText('c'), chap: true }),
    disabled: true,
  };
  const accounts = new Map([...users, carol].map((account) => [account.name, account]));
  const directory: Pick<Directory, 'find' | 'anyChap'> = {
    find: (name) => accounts.get(name) ?? accounts.get(name.slice(name.lastIndexOf('\\') + 1)),
    anyChap: true,
  };
  const telemetry = memoryTelemetry('aaa');
  let now = 1_000_000;
  const clock = { now: () => now, elapsed: () => now, after: () => () => {} };
  const authenticator = createAuthenticator({
    methods: ['ms-chap-v2', 'chap-md5', 'pap'],
    directory: directory as Directory,
    clock,
    sealer,
    telemetry,
  });
  let serial = 0;
  const ask = (user: string, proof: Proof, callingStation = '192.0.2.7') => {
    serial += 1;
    return authenticator.authenticate({ id: `q${serial}`, session: SESSION, callingStation, user, proof });
  };
  const refusals = () => telemetry.lines.filter((line) => line.message === 'login refused');
  const pass = (ms: number) => {
    now += ms;
  };
  return { ask, refusals, telemetry, authenticator, pass };
}

describe('good logins', () => {
  test('MS-CHAPv2 answers with the authenticator response and the policy', async () => {
    const { ask } = setUp();
    const answer = await ask('alice', msChap('alice', 'wonder pässword'));
    expect(answer).toMatchObject({
      accepted: true,
      user: 'alice',
      policy: { staticIpv4: '10.98.0.50', sessionTimeoutMs: 3_600_000 },
    });
    expect(answer.accepted && answer.authenticatorResponse).toMatch(/^S=[0-9A-F]{40}$/);
  });

  test('a domain before the name is no part of it (RFC 2759 §8.2)', async () => {
    const { ask } = setUp();
    expect(await ask('CORP\\bob', msChap('bob', 'builder'))).toMatchObject({ accepted: true, user: 'bob' });
  });

  test('CHAP-MD5 and PAP', async () => {
    const { ask, refusals } = setUp();
    expect(await ask('alice', chap('wonder pässword'))).toMatchObject({ accepted: true, user: 'alice' });
    expect(await ask('bob', pap('builder'))).toEqual({ accepted: true, user: 'bob', policy: {} });
    expect(refusals()).toEqual([]);
  });
});

describe('refusals, one line each', () => {
  const cases: readonly (readonly [string, string, () => Proof, string])[] = [
    ['wrong password, MS-CHAPv2', 'bob', () => msChap('bob', 'guess'), 'wrong-password'],
    ['wrong password, CHAP', 'alice', () => chap('guess'), 'wrong-password'],
    ['wrong password, PAP', 'bob', () => pap('guess'), 'wrong-password'],
    ['empty password, PAP', 'bob', () => pap(''), 'wrong-password'],
    ['not UTF-8, PAP', 'bob', () => pap(Uint8Array.of(0xff, 0xfe, 0x00)), 'wrong-password'],
    ['a NUL after the password', 'bob', () => pap('builder\0'), 'wrong-password'],
    ['unknown user, MS-CHAPv2', 'mallory', () => msChap('mallory', 'builder'), 'unknown-user'],
    ['unknown user, PAP', 'mallory', () => pap('builder'), 'unknown-user'],
    ['unknown user, CHAP', 'mallory', () => chap('builder'), 'unknown-user'],
    ['empty name', '', () => pap('builder'), 'unknown-user'],
    ['CHAP without a kept secret', 'bob', () => chap('builder'), 'method-not-allowed'],
    ['disabled, right password', 'carol', () => pap('c'), 'disabled'],
    ['disabled, wrong password', 'carol', () => pap('d'), 'wrong-password'],
    ['another user in the hash', 'bob', () => msChap('alice', 'builder'), 'wrong-password'],
    ['reflected challenge', 'bob', () => reflected(), 'wrong-password'],
    [
      'short peer challenge',
      'bob',
      () => ({ ...msChap('bob', 'builder'), peerChallenge: new Uint8Array(15) }) as Proof,
      'wrong-password',
    ],
    [
      'long response',
      'bob',
      () => ({ ...msChap('bob', 'builder'), ntResponse: new Uint8Array(49) }) as Proof,
      'wrong-password',
    ],
    [
      'empty response',
      'bob',
      () => ({ ...msChap('bob', 'builder'), ntResponse: new Uint8Array() }) as Proof,
      'wrong-password',
    ],
    [
      'CHAP response of 15 octets',
      'alice',
      () => ({ ...chap('x'), response: new Uint8Array(15) }) as Proof,
      'wrong-password',
    ],
    [
      'CHAP with an empty challenge',
      'alice',
      () => ({ ...chap('x'), challenge: new Uint8Array() }) as Proof,
      'wrong-password',
    ],
    ['password sealed for another session', 'bob', () => pap('builder', 'fedcba9876543210'), 'unavailable'],
  ];
  for (const [name, user, proof, reason] of cases) {
    test(name, async () => {
      const { ask, refusals } = setUp();
      expect(await ask(user, proof())).toEqual({ accepted: false, reason });
      expect(refusals()).toHaveLength(1);
      expect(refusals()[0]).toMatchObject({
        fields: { reason, session: SESSION, callingStation: '192.0.2.7' },
      });
    });
  }

  function reflected(): Proof {
    const exchange = { authenticatorChallenge: challenge, peerChallenge: challenge, userName: utf8('bob') };
    return {
      method: 'ms-chap-v2',
      authenticatorChallenge: challenge,
      peerChallenge: challenge,
      ntResponse: ntResponse(exchange, ntPasswordHash('builder')),
    };
  }

  test('no line holds a password, a hash or a response', async () => {
    const { ask, telemetry } = setUp();
    await ask('bob', pap('canary-guess'));
    await ask('bob', pap('builder'));
    const proof = msChap('bob', 'canary-guess');
    await ask('bob', proof);
    const text = JSON.stringify(telemetry.lines) + JSON.stringify(telemetry.counters());
    const response = proof.method === 'ms-chap-v2' ? Buffer.from(proof.ntResponse).toString('hex') : '';
    for (const secret of [
      'canary',
      'builder',
      Buffer.from(ntPasswordHash('builder')).toString('hex'),
      response,
    ]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('hostile names', () => {
  const NAMES = [
    '`reboot`',
    '$(reboot)',
    'a;b',
    "' or 1=1 --",
    'x\ny',
    'x\r\n[warn] forged',
    '\u001b[31mred',
    '\0',
    '\u202e',
    '%s%n',
    '../../etc',
    'é'.repeat(1000),
  ];
  for (const name of NAMES) {
    test(JSON.stringify(name).slice(0, 30), async () => {
      const { ask, refusals } = setUp();
      expect(await ask(name, msChap('x', 'y'), name)).toEqual({ accepted: false, reason: 'unknown-user' });
      const line = JSON.stringify(refusals()[0]);
      expect([..."`$;'\r\n\0%/\u202e\u001b"].filter((character) => line.includes(character))).toEqual([]);
      expect(line.length).toBeLessThan(2000);
    });
  }

  test('any text is shown short and plain, and plain names as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        expect(shownName(name)).toMatch(/^(?:[\p{L}\p{N}@._:+-]|\\(?:u\{[0-9a-f]+\})?|…)*$/u);
        expect(shownName(name).length).toBeLessThan(64 * 12);
      }),
    );
    expect(shownName('CORP\\anna.müller@example.com')).toBe('CORP\\anna.müller@example.com');
  });
});

describe('guessing', () => {
  test('a user is locked after five wrong passwords, for the right one too, and admitted again later', async () => {
    const { ask, refusals, pass } = setUp();
    for (let count = 0; count < 5; count += 1)
      await ask('bob', msChap('bob', `guess${count}`), `192.0.2.${count}`);
    expect(await ask('bob', msChap('bob', 'builder'))).toEqual({ accepted: false, reason: 'locked-out' });
    expect(await ask('CORP\\bob', msChap('bob', 'builder'))).toEqual({
      accepted: false,
      reason: 'locked-out',
    });
    expect(await ask('alice', chap('wonder pässword'))).toMatchObject({ accepted: true });
    expect(refusals()).toHaveLength(7);
    pass(10_000);
    expect(await ask('bob', msChap('bob', 'builder'))).toMatchObject({ accepted: true });
  });

  test('a source is locked after twenty, whatever names it uses, and one good login does not help it', async () => {
    const { ask } = setUp();
    for (let count = 0; count < 19; count += 1) await ask(`user${count}`, msChap('x', 'y'), '2001:db8::1');
    expect(await ask('bob', msChap('bob', 'builder'), '2001:db8::2')).toMatchObject({ accepted: true });
    await ask('user20', msChap('x', 'y'), '2001:db8::3');
    expect(await ask('bob', msChap('bob', 'builder'), '2001:db8::4')).toEqual({
      accepted: false,
      reason: 'locked-out',
    });
    expect(await ask('bob', msChap('bob', 'builder'), '2001:db8:0:1::4')).toMatchObject({ accepted: true });
  });

  test('good logins of one user all at once are all judged; guesses all at once are still locked', async () => {
    const { ask } = setUp();
    const many = <T>(make: (index: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 40 }, (_, i) => make(i)));
    const good = await many((i) =>
      ask('bob', i % 2 === 0 ? msChap('bob', 'builder') : pap('builder'), '192.0.2.1'),
    );
    expect(good.filter((answer) => answer.accepted)).toHaveLength(40);
    const guesses = await many((i) => ask('bob', msChap('bob', `guess${i}`), `192.0.2.${i}`));
    const reasons = guesses.map((answer) => (answer.accepted ? 'accepted' : answer.reason));
    expect(reasons.filter((reason) => reason === 'wrong-password')).toHaveLength(5);
    expect(reasons.filter((reason) => reason === 'locked-out')).toHaveLength(35);
  });

  test('a question that is repeated while it is judged is judged once', async () => {
    const { authenticator, refusals, ask } = setUp();
    const [proof, callingStation] = [pap('wrong'), '192.0.2.7'];
    const question = { id: 'same', session: SESSION, callingStation, user: 'alice', proof };
    const answers = await Promise.all(Array.from({ length: 6 }, () => authenticator.authenticate(question)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(refusals()).toHaveLength(1);
    expect(await ask('alice', pap('wonder pässword'))).toMatchObject({ accepted: true });
  });

  test('an unknown user is locked like a known one', async () => {
    const { ask } = setUp();
    for (let count = 0; count < 5; count += 1) await ask('ghost', msChap('ghost', 'x'), `192.0.2.${count}`);
    expect(await ask('ghost', msChap('ghost', 'x'))).toEqual({ accepted: false, reason: 'locked-out' });
  });

  test('a flood of PAP costs a bounded amount and answers everybody', async () => {
    const { ask } = setUp();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => ask('bob', pap('x'), `198.51.100.${index}`)),
    );
    const reasons = answers.map((answer) => (answer.accepted ? 'accepted' : answer.reason));
    expect(reasons.filter((reason) => reason === 'wrong-password')).toHaveLength(5);
    expect(reasons.filter((reason) => reason === 'locked-out')).toHaveLength(55);
  });

  test('an unknown user takes as long as a wrong password (PAP)', async () => {
    const time = async (user: string) => {
      const started = performance.now();
      for (let count = 0; count < 4; count += 1) await setUp().ask(user, pap('guess'));
      return performance.now() - started;
    };
    await time('bob');
    const [known, unknown] = [await time('bob'), await time('mallory')];
    expect(unknown / known).toBeGreaterThan(0.4);
    expect(unknown / known).toBeLessThan(2.5);
  });
});

describe('offer', () => {
  test('configured order, CHAP-MD5 only where somebody has it', () => {
    expect(offer(['pap', 'chap-md5', 'ms-chap-v2'], { anyChap: true }).methods).toEqual([
      'pap',
      'chap-md5',
      'ms-chap-v2',
    ]);
    expect(offer(['pap', 'chap-md5', 'ms-chap-v2'], { anyChap: false }).methods).toEqual([
      'pap',
      'ms-chap-v2',
    ]);
    expect(offer(['chap-md5'], { anyChap: false }).methods).toEqual([]);
  });
});
