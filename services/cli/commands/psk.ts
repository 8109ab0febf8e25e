import { writeFileSync } from 'node:fs';
import { newPsk } from '@culvert/config';
import { CommandFailed } from '../failure.ts';
import { answer, type Terminal } from '../terminal.ts';

export function newPskCommand(file: string | undefined, terminal: Terminal): void {
  const psk = newPsk();
  if (file === undefined) {
    answer(terminal, { psk }, () => psk);
    return;
  }
  try {
    writeFileSync(file, `${psk}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const remedy =
      code === 'EEXIST' ? 'name a new file: a key in use is not replaced' : 'name a file that can be written';
    throw new CommandFailed({ field: '--file', value: file, problem: `cannot be made: ${code}`, remedy });
  }
  answer(terminal, { file }, () => `${file}: name it as secretFile of a PSK`);
}
