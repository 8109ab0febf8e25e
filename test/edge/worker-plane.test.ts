import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Seen {
  readonly pings: readonly string[];
  readonly gateway: string;
  readonly sixth: string;
  readonly ike: readonly unknown[];
  readonly ikeAnswer?: string;
  readonly rules: string;
  readonly routes: string;
  readonly forwarding: string;
  readonly after: {
    readonly rules: string;
    readonly links: string;
    readonly forwarding: string;
    readonly files: readonly string[];
    readonly marks: number;
  };
  readonly counters: Readonly<Record<string, number>>;
  readonly lines: readonly unknown[];
}

/** Devices, raw sockets and rules need root; everything happens in namespaces of the script's own. */
function run(workers: number, mode: 'routed' | 'snat'): Seen {
  const stateDir = mkdtempSync(join(tmpdir(), 'culvert-edge-'));
  try {
    const script = new URL('./plane-script.ts', import.meta.url).pathname;
    const args = ['--net', process.execPath, script, stateDir, String(workers), mode];
    const out = execFileSync('unshare', args, { encoding: 'utf8', timeout: 40_000 });
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Seen;
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

const ECHO_REPLY = /^45.{38}0000fffd00010001$/;

describe.runIf(process.getuid?.() === 0)('the edge with real sockets, tun and threads', () => {
  test.each([
    [1, 'routed'],
    [2, 'routed'],
    [1, 'snat'],
  ] as const)('%i workers, %s', (workers, mode) => {
    const seen = run(workers, mode);
    expect(seen.lines).toEqual([]);
    // Three behind one address, one without encapsulation, one on IPv6.
    expect(seen.pings.length).toBe(5);
    for (const ping of seen.pings) expect(ping).toMatch(ECHO_REPLY);
    if (mode === 'routed') expect(seen.sixth).toMatch(/^6.*8100.{4}00010001$/);
    expect(seen.gateway).toBe('silence');
    expect(seen.counters).toMatchObject({ 'edge.drops{reason=inner-to-gateway}': 1 });
    expect(seen.ike).toEqual([
      [false, 28, 'main'],
      [true, 28, 'main'],
    ]);
    expect(seen.ikeAnswer).toBe(`00000000${'09'.repeat(8)}${'00'.repeat(20)}`);
    // From the corporate host past the gateway to the outer network: no client's, so dropped and counted.
    expect(seen.rules).toMatch(/iiftype .*oiftype .*nfproto ipv4 counter packets [1-9]/);
    expect(seen.forwarding).toBe('1');
    expect(seen.after.forwarding).toBe('0');
    expect(seen.after.files.toSorted()).toEqual(['edge-identity.json', 'edge-marks']);
    // Twelve octets for each of five SAs.
    expect(seen.after.marks).toBe(80);
    expect(seen.routes).toContain('10.99.0.0/16');
    expect(seen.after.rules).not.toContain('culvert');
    expect(seen.after.links).not.toContain('cvtest0');
  });
});
