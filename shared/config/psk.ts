import { Secret } from '@culvert/crypto';

/**
 * Main Mode with a pre-shared key is open to an offline dictionary attack by whoever once answers a client
 * in the gateway's place (Felsch et al., "The Dangers of Key Reuse", 2018). So a key must be worth 20 random
 * octets; what a person thinks up is refused.
 */
const RAW_BITS_MIN = 159;
const BITS_WITHOUT_WORDS_MIN = 112;
const OCTETS_MIN = 20;
const DISTINCT_MIN = 8;
const ENGLISH_BITS_PER_LETTER = 2.2;

const KNOWN_WORDS = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'shared',
  'preshared',
  'changeme',
  'letmein',
  'welcome',
  'qwerty',
  'asdfgh',
  'company',
  'corporate',
  'office',
  'gateway',
  'culvert',
  'softether',
  'strongswan',
  'libreswan',
  'openswan',
  'mikrotik',
  'ubiquiti',
  'fortinet',
  'watchguard',
  'cisco',
  'juniper',
  'draytek',
  'netgear',
  'zyxel',
  'synology',
  'ipsec',
  'l2tp',
  'vpn',
  'admin',
  'administrator',
  'root',
  'user',
  'test',
  'testing',
  'example',
  'default',
  'private',
  'public',
  'security',
  'secure',
  'remote',
  'access',
  'server',
  'client',
  'network',
  'internet',
  'key',
  'psk',
];
const BY_LENGTH = KNOWN_WORDS.toSorted((a, b) => b.length - a.length);

/** Why the key is too weak, or undefined. */
export function pskWeakness(key: Secret): string | undefined {
  const octets = key.expose();
  const text = Array.from(octets, (octet) => String.fromCharCode(octet)).join('');
  octets.fill(0);
  if (text.length < OCTETS_MIN) return `is shorter than ${OCTETS_MIN} octets`;
  if (new Set(text).size < DISTINCT_MIN) return 'repeats few characters';
  if (isRepetition(text)) return 'repeats itself';
  if (mostlySequences(text)) return 'runs along the alphabet or the digits';
  const bare = text.replaceAll(/[\s_.:-]/g, '');
  if (bare.length * bitsPerCharacter(bare) < RAW_BITS_MIN)
    return `is worth less than ${OCTETS_MIN} random octets`;
  if (bitsWithoutWords(text) < BITS_WITHOUT_WORDS_MIN) return 'is made of words';
  return undefined;
}

/** 32 characters of 5 bits, in groups a person can copy; digits and letters that look alike are left out. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz023456789';
const GROUPS = 8;
const GROUP_LENGTH = 4;

export function newPsk(): string {
  for (;;) {
    const octets = Secret.random(GROUPS * GROUP_LENGTH).expose();
    const characters = Array.from(octets, (octet) => ALPHABET[octet % ALPHABET.length] ?? '');
    octets.fill(0);
    const groups = Array.from({ length: GROUPS }, (_, group) =>
      characters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join(''),
    );
    const key = groups.join('-');
    // Chance may spell a word; such a key is drawn again.
    if (pskWeakness(Secret.fromText(key)) === undefined) return key;
  }
}

function bitsPerCharacter(text: string): number {
  if (/^[0-9a-f]*$/.test(text) || /^[0-9A-F]*$/.test(text)) return /^[0-9]*$/.test(text) ? Math.log2(10) : 4;
  const classes: readonly (readonly [RegExp, number])[] = [
    [/[0-9]/, 10],
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[!-/:-@[-`{-~]/, 32],
    [/[^!-~]/, 161],
  ];
  return Math.log2(classes.reduce((sum, [pattern, size]) => sum + (pattern.test(text) ? size : 0), 1));
}

function bitsWithoutWords(text: string): number {
  const plain = text.toLowerCase().replaceAll(/[013457@$]/g, (character) => LEET[character] ?? character);
  // Each known word leaves one mark, which counts like one character.
  const marked = BY_LENGTH.reduce((rest, word) => rest.replaceAll(word, ' '), plain);
  const bare = text.replaceAll(/[\s_.:-]/g, '');
  // Letters alone, in one case or in the manner of titles, are a sentence until proven otherwise.
  const sentence = text.split(/[\s_.:-]+/).every((word) => /^(?:[A-Z]?[a-z]*|[A-Z]*)$/.test(word));
  const perCharacter = sentence ? ENGLISH_BITS_PER_LETTER : bitsPerCharacter(bare);
  let bits = 0;
  for (const [run] of marked.matchAll(/[a-z]+|[^a-z]/g)) {
    const vowels = run.replaceAll(/[^aeiou]/g, '').length;
    const wordLike = run.length >= 5 && vowels / run.length >= 0.28;
    bits += run.length * (wordLike ? ENGLISH_BITS_PER_LETTER : /[_.:-]/.test(run) ? 0 : perCharacter);
  }
  return bits;
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};

function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.slice(period) === text.slice(0, text.length - period)) return true;
  }
  return false;
}

function mostlySequences(text: string): boolean {
  let steps = 0;
  for (let index = 1; index < text.length; index += 1) {
    if (Math.abs(text.charCodeAt(index) - text.charCodeAt(index - 1)) <= 1) steps += 1;
  }
  return steps > text.length / 2;
}
