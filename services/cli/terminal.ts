import { styleText as style, type styleText } from 'node:util';
import { ConfigFaults } from '@culvert/config';
import { CommanderError } from 'commander';
import { CommandFailed } from './failure.ts';

type Style = Parameters<typeof styleText>[0];

/** Where a command's words go. `paint` leaves text alone unless a person looks at it. */
export interface Terminal {
  readonly json: boolean;
  readonly interactive: boolean;
  out(text: string): void;
  error(text: string): void;
  paint(how: Style, text: string): string;
  /** The process's exit status, once the command has said what it has to say. */
  fail(): void;
}

export function processTerminal(): Terminal {
  const json = process.argv.includes('--json');
  return {
    json,
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    out: (text) => void process.stdout.write(`${text}\n`),
    error: (text) => void process.stderr.write(`${text}\n`),
    // Checks the stream itself: no colour in files and pipes, nor with NO_COLOR.
    paint: (how, text) => style(how, text, { stream: process.stdout }),
    fail() {
      process.exitCode = 1;
    },
  };
}

/** One answer, for a person or, with --json, as one JSON document. */
export function answer(terminal: Terminal, data: unknown, text: () => string): void {
  terminal.out(terminal.json ? JSON.stringify(data, undefined, 2) : text());
}

const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Says what went wrong and answers the exit status (sysexits.h where it has one). */
export function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EX_USAGE;
  const message = messageOf(error);
  if (terminal.json) terminal.out(JSON.stringify({ error: described(error, message) }));
  else terminal.error(message);
  return error instanceof ConfigFaults ? EX_CONFIG : 1;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const forbidden = 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  return forbidden ? `${error.message}; run it as root, or see --state and --config` : error.message;
}

function described(error: unknown, message: string): object {
  if (error instanceof ConfigFaults) return { message, source: error.source, faults: error.faults };
  if (!(error instanceof CommandFailed)) return { message };
  const { field, value, remedy } = error;
  return { message, field, ...(value === undefined ? {} : { value }), remedy };
}
