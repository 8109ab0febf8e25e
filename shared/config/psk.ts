import { Secret } from '@culvert/crypto';

/**
 * Main Mode with a pre-shared key is open to an offline dictionary attack by whoever once answers a client
 * in the gateway's place (Felsch et al., "The Dangers of Key Reuse", 2018). So a key must be worth 20 random
 * octets; what a person thinks up is refused.
 */
/** 20 octets are 160 bits; a random text may by chance show fewer kinds of characters than it was drawn from. */
const RAW_BITS_MIN = 140;
const BITS_WITHOUT_WORDS_MIN = 112;
const OCTETS_MIN = 20;
const DISTINCT_MIN = 8;

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
  if (bitsWithoutWords(text) < BITS_WITHOUT_WORDS_MIN || readsAsLanguage(text)) return 'is made of words';
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

/** Each known word, also in the spelling with digits for letters, leaves one mark that is worth nothing. */
function bitsWithoutWords(text: string): number {
  const plain = text.toLowerCase().replaceAll(/[013457@$]/g, (character) => LEET[character] ?? character);
  const rest = BY_LENGTH.reduce((left, word) => left.replaceAll(word, ' '), plain);
  const bare = text.replaceAll(/[\s_.:-]/g, '');
  return rest.replaceAll(/[\s_.:-]/g, '').length * bitsPerCharacter(bare);
}

/** The thirty pairs of letters that make up two fifths of English text, but one in twenty-two of random letters. */
const PAIRS = new Set(
  'th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le'.split(' '),
);
const PAIRS_MIN = 8;
const PAIRS_SHARE_MIN = 0.25;

/** Random keys of any alphabet pass this with a probability of failure below one in ten thousand. */
function readsAsLanguage(text: string): boolean {
  let pairs = 0;
  let common = 0;
  for (const [word] of text.toLowerCase().matchAll(/[a-z]{3,}/g)) {
    for (let index = 1; index < word.length; index += 1) {
      pairs += 1;
      if (PAIRS.has(word.slice(index - 1, index + 1))) common += 1;
    }
  }
  return common >= PAIRS_MIN && common >= pairs * PAIRS_SHARE_MIN;
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
