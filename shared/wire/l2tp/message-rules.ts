import type { ValueName } from './avp-dictionary.ts';

/** What RFC 2661 §6 says of one control message. An AVP in neither list must not be there: it is set aside. */
export interface MessageRule {
  readonly type: number;
  /** Whom an unrecoverable fault in it ends (§4.1): the tunnel by StopCCN, or one session by CDN. */
  readonly scope: 'tunnel' | 'session';
  readonly must: readonly ValueName[];
  readonly may: readonly ValueName[];
  readonly section: string;
}

/** §3.2 and §6.1 to §6.14; Message Type is in all of them. */
export const MESSAGES = {
  SCCRQ: {
    type: 1,
    scope: 'tunnel',
    must: ['protocolVersion', 'hostName', 'framingCapabilities', 'assignedTunnelId'],
    may: [
      'bearerCapabilities',
      'receiveWindowSize',
      'challenge',
      'tieBreaker',
      'firmwareRevision',
      'vendorName',
    ],
    section: '§6.1',
  },
  SCCRP: {
    type: 2,
    scope: 'tunnel',
    must: ['protocolVersion', 'framingCapabilities', 'hostName', 'assignedTunnelId'],
    may: [
      'bearerCapabilities',
      'firmwareRevision',
      'vendorName',
      'receiveWindowSize',
      'challenge',
      'challengeResponse',
    ],
    section: '§6.2',
  },
  SCCCN: { type: 3, scope: 'tunnel', must: [], may: ['challengeResponse'], section: '§6.3' },
  StopCCN: { type: 4, scope: 'tunnel', must: ['assignedTunnelId', 'resultCode'], may: [], section: '§6.4' },
  HELLO: { type: 6, scope: 'tunnel', must: [], may: [], section: '§6.5' },
  OCRQ: {
    type: 7,
    scope: 'session',
    must: [
      'assignedSessionId',
      'callSerialNumber',
      'minimumBps',
      'maximumBps',
      'bearerType',
      'framingType',
      'calledNumber',
    ],
    may: ['subAddress'],
    section: '§6.9',
  },
  OCRP: {
    type: 8,
    scope: 'session',
    must: ['assignedSessionId'],
    may: ['physicalChannelId'],
    section: '§6.10',
  },
  OCCN: {
    type: 9,
    scope: 'session',
    must: ['txConnectSpeed', 'framingType'],
    may: ['rxConnectSpeed', 'sequencingRequired'],
    section: '§6.11',
  },
  ICRQ: {
    type: 10,
    scope: 'session',
    must: ['assignedSessionId', 'callSerialNumber'],
    may: ['bearerType', 'physicalChannelId', 'callingNumber', 'calledNumber', 'subAddress'],
    section: '§6.6',
  },
  ICRP: { type: 11, scope: 'session', must: ['assignedSessionId'], may: [], section: '§6.7' },
  ICCN: {
    type: 12,
    scope: 'session',
    must: ['txConnectSpeed', 'framingType'],
    may: [
      'initialReceivedLcpConfreq',
      'lastSentLcpConfreq',
      'lastReceivedLcpConfreq',
      'proxyAuthenType',
      'proxyAuthenName',
      'proxyAuthenChallenge',
      'proxyAuthenId',
      'proxyAuthenResponse',
      'privateGroupId',
      'rxConnectSpeed',
      'sequencingRequired',
    ],
    section: '§6.8',
  },
  // RFC 3145 §2 adds the last one.
  CDN: {
    type: 14,
    scope: 'session',
    must: ['resultCode', 'assignedSessionId'],
    may: ['q931CauseCode', 'pppDisconnectCauseCode'],
    section: '§6.12',
  },
  WEN: { type: 15, scope: 'session', must: ['callErrors'], may: [], section: '§6.13' },
  SLI: { type: 16, scope: 'session', must: ['accm'], may: [], section: '§6.14' },
} as const satisfies Record<string, MessageRule>;

export type MessageName = keyof typeof MESSAGES;

const NAME_OF_TYPE: ReadonlyMap<number, MessageName> = new Map(
  Object.entries(MESSAGES).map(([name, { type }]) => [type, name as MessageName]),
);

export function messageName(type: number): MessageName | undefined {
  return NAME_OF_TYPE.get(type);
}

export function ruleOf(name: MessageName): MessageRule {
  return MESSAGES[name];
}
