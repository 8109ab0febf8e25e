import { fileURLToPath } from 'node:url';
import { RULES } from './rules/index.ts';
import { readTree } from './tree.ts';

/** `npm run tidy`: every violation of a house rule, a line each. */
const tree = readTree(fileURLToPath(new URL('../../', import.meta.url)));
const found = RULES.flatMap((rule) =>
  rule.check(tree).map((violation) => ({ rule: rule.name, ...violation })),
);
for (const { path, line, rule, problem } of found) console.log(`${path}:${line} ${rule}: ${problem}`);
const many = found.length === 1 ? '1 violation' : `${found.length} violations`;
console.log(`${RULES.length} rules, ${tree.sources.length} source files, ${many}`);
if (found.length > 0) process.exitCode = 1;
