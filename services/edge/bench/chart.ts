import type { BenchResult, PacketRow, Spread, TunnelRow } from './result.ts';
import { introduction, tunnels } from './summary.ts';

/** A drawing of the figures, as SVG of plain bars, that can be read on white and on black. */
export function chart(result: BenchResult): string {
  const panels = [cryptoPanel(result), tunnelPanel(result), packetPanel(result)];
  const lines = introduction(result);
  const parts: string[] = [text(MARGIN, 34, 'Culvert on this machine', 'title')];
  let y = 58;
  for (const line of lines.flatMap(folded)) {
    parts.push(text(MARGIN, y, line, 'note'));
    y += NOTE_STEP;
  }
  for (const panel of panels.filter(({ groups }) => groups.length > 0)) {
    y += PANEL_GAP;
    const drawn = draw(panel, y);
    parts.push(...drawn.parts);
    y = drawn.end;
  }
  const height = Math.ceil(y + MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(`Culvert ${result.version}: figures of one machine`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

interface Bar {
  readonly label: string;
  readonly value: Spread;
  readonly tone: 'first' | 'second';
}

interface Group {
  readonly label: string;
  readonly detail: string;
  readonly bars: readonly Bar[];
}

interface Panel {
  readonly title: string;
  readonly subtitle: string;
  readonly legend: readonly string[];
  readonly groups: readonly Group[];
  readonly shown: (value: number) => string;
}

const WIDTH = 860;
const MARGIN = 28;
const LABEL_WIDTH = 250;
/** Right of the bars stands the figure, with its range. */
const FIGURE_WIDTH = 150;
const BAR_HEIGHT = 13;
const BAR_STEP = 16;
const GROUP_GAP = 12;
const PANEL_GAP = 34;
const LEGEND_STEP = 60;
const NOTE_STEP = 18;
const NOTE_CHARACTERS = 120;

const STYLE = `
text { font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-size: 13px; fill: #1f2328; }
.paper { fill: #ffffff; }
.title { font-size: 20px; font-weight: 600; }
.heading { font-size: 15px; font-weight: 600; }
.note { font-size: 12px; fill: #59636e; }
.figure { font-size: 12px; font-variant-numeric: tabular-nums; }
.first { fill: #0969da; }
.second { fill: #bc6c00; }
.range { stroke: #1f2328; stroke-width: 1.2; fill: none; }
.axis { stroke: #d1d9e0; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.paper { fill: #0d1117; }
.note { fill: #9198a1; }
.first { fill: #4493f8; }
.second { fill: #e3a13b; }
.range { stroke: #f0f6fc; }
.axis { stroke: #3d444d; }
}
`;

const gigabits = (value: number) => (value / 1e9).toFixed(value < 1e10 ? 2 : 1);
const thousands = (value: number) => (value / 1e3).toFixed(0);
const exact = (value: number): Spread => ({ median: value, min: value, max: value });

function cryptoPanel({ crypto, settings }: BenchResult): Panel {
  const octets = Math.max(0, ...crypto.map((row) => row.octets));
  return {
    title: 'Encryption alone, Gbit/s',
    subtitle: `one processor, packets of ${octets} octets; median of ${settings.runs}`,
    legend: ['seal', 'open'],
    shown: gigabits,
    groups: crypto
      .filter((row) => row.octets === octets)
      .map((row) => ({
        label: row.suite,
        detail: row.backend,
        bars: [
          { label: 'seal', value: exact(row.sealBitsPerSecond), tone: 'first' },
          { label: 'open', value: exact(row.openBitsPerSecond), tone: 'second' },
        ],
      })),
  };
}

function tunnelPanel({ tunnel, settings }: BenchResult): Panel {
  const bar = (row: TunnelRow): Bar => ({
    label: row.direction,
    value: row.bitsPerSecond,
    tone: row.direction === 'up' ? 'first' : 'second',
  });
  return {
    title: 'TCP through the gateway, Gbit/s',
    subtitle: `${tunnels(settings.sessions)}; clients, gateway and load on this machine; median, worst and best of ${settings.runs}`,
    legend: ['up', 'down'],
    shown: gigabits,
    groups: tunnel
      .filter(({ direction }) => direction === 'up')
      .map((up) => ({
        label: up.suite,
        detail: workersText(up.workers),
        bars: tunnel.filter(({ suite, workers }) => suite === up.suite && workers === up.workers).map(bar),
      })),
  };
}

function packetPanel({ packets, settings }: BenchResult): Panel {
  return {
    title: 'Small packets through the gateway, thousands a second',
    subtitle: `UDP from the clients, ${settings.smallPacketOctets} octets with IP header; ${tunnels(settings.sessions)}; median, worst and best of ${settings.runs}`,
    legend: [],
    shown: thousands,
    groups: packets.map((row: PacketRow) => ({
      label: row.suite,
      detail: workersText(row.workers),
      bars: [{ label: 'up', value: row.packetsPerSecond, tone: 'first' }],
    })),
  };
}

function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`;
}

function draw(panel: Panel, top: number): { readonly parts: readonly string[]; readonly end: number } {
  const parts = [
    text(MARGIN, top, panel.title, 'heading'),
    text(MARGIN, top + NOTE_STEP, panel.subtitle, 'note'),
    ...legend(panel.legend, top),
  ];
  const most = Math.max(...panel.groups.flatMap(({ bars }) => bars.map(({ value }) => value.max)));
  const left = MARGIN + LABEL_WIDTH;
  const scale = most > 0 ? (WIDTH - left - FIGURE_WIDTH - MARGIN) / most : 0;
  const first = top + NOTE_STEP + GROUP_GAP;
  let y = first;
  for (const group of panel.groups) {
    const height = Math.max(group.bars.length, 2) * BAR_STEP;
    const middle = y + height / 2;
    parts.push(text(left - 10, middle - 3, group.label, 'label', 'end'));
    parts.push(text(left - 10, middle + 11, group.detail, 'note', 'end'));
    let at = middle - (group.bars.length * BAR_STEP) / 2 + (BAR_STEP - BAR_HEIGHT) / 2;
    for (const bar of group.bars) {
      parts.push(...barParts(bar, left, at, scale, panel.shown));
      at += BAR_STEP;
    }
    y += height + GROUP_GAP;
  }
  const end = y - GROUP_GAP;
  parts.push(`<path class="axis" d="M${left} ${first - 2}V${end + 2}"/>`);
  return { parts, end };
}

function barParts(
  { label, value, tone }: Bar,
  left: number,
  y: number,
  scale: number,
  shown: (value: number) => string,
): string[] {
  const length = (rate: number) => round(rate * scale);
  const middle = round(y + BAR_HEIGHT / 2);
  const parts = [
    `<rect class="${tone}" x="${left}" y="${round(y)}" width="${length(value.median)}" height="${BAR_HEIGHT}"><title>${escaped(`${label} ${shown(value.median)}`)}</title></rect>`,
  ];
  const ranged = value.max > value.min;
  if (ranged) {
    const [from, to] = [left + length(value.min), left + length(value.max)];
    parts.push(
      `<path class="range" d="M${from} ${middle}H${to}M${from} ${middle - 3}v6M${to} ${middle - 3}v6"/>`,
    );
  }
  const figure = ranged
    ? `${shown(value.median)} (${shown(value.min)} to ${shown(value.max)})`
    : shown(value.median);
  parts.push(text(left + length(value.max) + 8, middle + 4, figure, 'figure'));
  return parts;
}

function legend(names: readonly string[], y: number): string[] {
  return names.flatMap((name, index) => {
    const x = WIDTH - MARGIN - (names.length - index) * LEGEND_STEP;
    return [
      `<rect class="${index === 0 ? 'first' : 'second'}" x="${x}" y="${y - 10}" width="11" height="11"/>`,
      text(x + 17, y, name, 'figure'),
    ];
  });
}

function text(x: number, y: number, words: string, style: string, anchor = 'start'): string {
  return `<text class="${style}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

/** A machine's description may be long; it is folded at its commas. */
function folded(line: string): string[] {
  const lines: string[] = [];
  for (const part of line.split(/(?<=, )/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length <= NOTE_CHARACTERS)
      lines[lines.length - 1] = last + part;
    else lines.push(part);
  }
  return lines.map((whole) => whole.trimEnd());
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Also without what XML cannot hold, however it is written. */
function escaped(words: string): string {
  const codes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return words
    .replaceAll(/[^\x20-\x7e\u00a0-\ud7ff]/g, '?')
    .replaceAll(/[&<>"]/g, (found) => codes[found] ?? '');
}
