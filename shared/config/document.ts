import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { Fault, Path } from './faults.ts';

/** A YAML file as data, with the line of everything in it. */
export interface SourceText {
  readonly data: unknown;
  /** Line of the value at `path`, or of its nearest enclosing section that is written. */
  lineOf(path: Path): number | undefined;
  /** Line of the key `name` in the section at `path`. */
  lineOfKey(path: Path, name: string): number | undefined;
}

/** Alias expansion is bounded, so that a small file cannot become a large one. */
const ALIASES_MAX = 50;

/**
 * The library's messages quote the text around a mistake, and that may be a key: only the place and a
 * message of our own are kept.
 */
export function readYaml(text: string): SourceText | readonly Fault[] {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    uniqueKeys: true,
  });
  if (document.errors.length > 0) {
    return document.errors.map((error) => ({
      field: '',
      problem: SYNTAX[error.code] ?? 'is not valid YAML',
      remedy: 'check indentation, quotes and colons there',
      line: lines.linePos(error.pos[0]).line,
    }));
  }
  const line = (node: Node | undefined) =>
    node?.range ? Math.max(1, lines.linePos(node.range[0]).line) : undefined;
  try {
    return {
      data: document.toJS({ maxAliasCount: ALIASES_MAX }),
      lineOf: (path) => line(deepest(document, path)),
      lineOfKey: (path, name) => line(keyNode(document, path, name)) ?? line(deepest(document, path)),
    };
  } catch {
    return [
      {
        field: '',
        problem: 'uses an alias that cannot be resolved',
        remedy: 'write the value out, in quotes',
      },
    ];
  }
}

const SYNTAX: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'has a key twice in one section',
  TAB_AS_INDENT: 'is indented with a tab',
  BAD_INDENT: 'is indented wrongly',
  MULTIPLE_DOCS: 'holds more than one document',
  BAD_SCALAR_START: 'has a value that must be in quotes',
};

function deepest(document: Document, path: Path): Node | undefined {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node)) return node;
  }
  return undefined;
}

function keyNode(document: Document, path: Path, name: string): Node | undefined {
  const section = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(section)) return undefined;
  const pair = section.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === name,
  );
  return isNode(pair?.key) ? pair.key : undefined;
}
