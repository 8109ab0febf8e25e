import type { Rule, SourceFile, Violation } from '../tree.ts';

const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 70;
const CLOSURE_LINES_MAX = 100;

export const fileLength: Rule = {
  name: 'file-length',
  check: ({ sources }) =>
    sources.flatMap(({ path, text, isTest }) => {
      const lines = text.split('\n').length - 1;
      const max = isTest ? TEST_LINES_MAX : SOURCE_LINES_MAX;
      return lines > max ? [{ path, line: max, problem: `${lines} lines; the most is ${max}` }] : [];
    }),
};

export const functionLength: Rule = {
  name: 'function-length',
  check: ({ sources }) => sources.filter(({ path }) => !path.endsWith('.test.ts')).flatMap(longFunctions),
};

interface Span {
  readonly start: number;
  /** After the last line. */
  readonly end: number;
}

/** What encloses other functions is judged by its own lines, and in all like a small class. */
function longFunctions(file: SourceFile): Violation[] {
  const spans = functionsOf(file.code.split('\n'));
  return spans.flatMap((span) => {
    const inner = spans.filter((other) => other !== span && encloses(span, other));
    const outermost = inner.filter((one) => !inner.some((other) => other !== one && encloses(other, one)));
    const total = span.end - span.start;
    const own = total - outermost.reduce((sum, { start, end }) => sum + (end - start), 0);
    const problem =
      own > FUNCTION_LINES_MAX
        ? `a function of ${own} lines; the most is ${FUNCTION_LINES_MAX}`
        : total > CLOSURE_LINES_MAX
          ? `a function of ${total} lines with those inside it; the most is ${CLOSURE_LINES_MAX}`
          : undefined;
    return problem === undefined ? [] : [{ path: file.path, line: span.start + 1, problem }];
  });
}

function encloses(outer: Span, inner: Span): boolean {
  return (
    outer.start <= inner.start && inner.end <= outer.end && inner.end - inner.start < outer.end - outer.start
  );
}

/**
 * The formatter indents evenly, so a function's body ends at the first line that is no deeper than the line
 * on which it began.
 */
function functionsOf(lines: readonly string[]): Span[] {
  return lines.flatMap((line, index) => {
    const start = opensFunction(lines, index);
    if (start === undefined) return [];
    const end = lines.findIndex(
      (later, place) => place > index && later.trim() !== '' && indent(later) <= indent(line),
    );
    return [{ start, end: end === -1 ? lines.length : end + 1 }];
  });
}

const NOT_FUNCTIONS = /^\s*(\}\s*)?(else|if|for|while|switch|catch|do|try|finally|class|interface|with)\b/;
const METHOD =
  /^\s*((public|private|protected|static|async|get|set|override)\s+)*\*?[\w$#]+(<[^>]*>)?\(.*\)(\s*:.*)?\s*\{\s*$/;

/** The line on which the function begins whose body opens at the end of line `index`. */
function opensFunction(lines: readonly string[], index: number): number | undefined {
  const line = lines[index] ?? '';
  if (!/\{\s*$/.test(line) || NOT_FUNCTIONS.test(line)) return undefined;
  if (/=>\s*\{\s*$/.test(line) || /\bfunction\b/.test(line)) return index;
  if (METHOD.test(line)) return index;
  if (!/^\s*\)/.test(line)) return undefined;
  // A parameter list of several lines: the function begins where it was opened.
  const start = lines.findLastIndex(
    (earlier, place) => place < index && earlier.trim() !== '' && indent(earlier) <= indent(line),
  );
  return start === -1 || NOT_FUNCTIONS.test(lines[start] ?? '') ? undefined : start;
}

function indent(line: string): number {
  return line.length - line.trimStart().length;
}
