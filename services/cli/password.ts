import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { CommandFailed } from './failure.ts';

const ENTER = new Set(['\r', '\n', '\u0004']);
const ERASE = new Set(['\u007f', '\b']);
const INTERRUPT = '\u0003';

/** The first line of the file; `-` is standard input. */
export async function passwordFromFile(file: string): Promise<string> {
  const refuse = (problem: string) =>
    new CommandFailed({
      field: '--password-file',
      problem,
      remedy: 'name a file whose first line is the password',
    });
  let content: string;
  try {
    content = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(
      `cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'}`,
    );
  }
  const [first = ''] = content.split(/\r?\n/, 1);
  if (first === '') throw refuse('is empty');
  return first;
}

/** Asked twice, without echo; an empty answer wants a generated one. */
export async function promptPassword(): Promise<string> {
  const first = await askHidden('Password (empty: make one): ');
  if (first === '') return '';
  if ((await askHidden('Again: ')) === first) return first;
  throw new CommandFailed({
    field: 'password',
    problem: 'was typed differently the second time',
    remedy: 'try again',
  });
}

function askHidden(question: string): Promise<string> {
  const { stdin, stdout } = process;
  stdout.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((settle, refuse) => {
    let typed = '';
    const finish = (done: () => void) => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      stdout.write('\n');
      done();
    };
    const onData = (chunk: string) => {
      for (const character of chunk) {
        if (character === INTERRUPT) {
          return finish(() =>
            refuse(new CommandFailed({ field: 'password', problem: 'was not given', remedy: 'try again' })),
          );
        }
        if (ENTER.has(character)) return finish(() => settle(typed));
        typed = ERASE.has(character) ? typed.slice(0, -1) : typed + character;
      }
    };
    stdin.on('data', onData);
  });
}
