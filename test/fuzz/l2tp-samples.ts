import type { OutgoingMessage } from '@culvert/wire/l2tp';

const octets = (length: number) => Uint8Array.from({ length }, (_, index) => index + 1);

/** Every message that a LAC sends (RFC 2661 §6), with most of the AVPs it may carry. */
export const CONTROL_MESSAGES: readonly OutgoingMessage[] = [
  {
    type: 'SCCRQ',
    values: {
      protocolVersion: { version: 1, revision: 0 },
      hostName: 'client',
      framingCapabilities: 3,
      assignedTunnelId: 77,
      bearerCapabilities: 0,
      receiveWindowSize: 4,
      tieBreaker: octets(8),
      firmwareRevision: 0x690,
      vendorName: 'Microsoft',
      challenge: octets(16),
    },
  },
  {
    type: 'SCCRP',
    values: {
      protocolVersion: { version: 1, revision: 0 },
      framingCapabilities: 3,
      hostName: 'server',
      assignedTunnelId: 78,
      challengeResponse: octets(16),
    },
  },
  { type: 'SCCCN', values: { challengeResponse: octets(16) } },
  { type: 'StopCCN', values: { assignedTunnelId: 77, resultCode: { result: 2, error: 6, message: 'why' } } },
  { type: 'HELLO', values: {} },
  {
    type: 'ICRQ',
    values: {
      assignedSessionId: 5,
      callSerialNumber: 1,
      bearerType: 2,
      physicalChannelId: 4,
      callingNumber: '100',
      calledNumber: '200',
      subAddress: 'x',
    },
  },
  { type: 'ICRP', values: { assignedSessionId: 6 } },
  {
    type: 'ICCN',
    values: {
      txConnectSpeed: 1_000_000,
      framingType: 1,
      rxConnectSpeed: 2_000_000,
      initialReceivedLcpConfreq: octets(14),
      lastSentLcpConfreq: octets(14),
      lastReceivedLcpConfreq: octets(14),
      proxyAuthenType: 2,
      proxyAuthenName: octets(5),
      proxyAuthenChallenge: octets(16),
      proxyAuthenId: 3,
      proxyAuthenResponse: octets(16),
      privateGroupId: octets(4),
    },
  },
  {
    type: 'OCRQ',
    values: {
      assignedSessionId: 5,
      callSerialNumber: 1,
      minimumBps: 1,
      maximumBps: 2,
      bearerType: 2,
      framingType: 1,
      calledNumber: '300',
    },
  },
  { type: 'OCRP', values: { assignedSessionId: 6 } },
  { type: 'OCCN', values: { txConnectSpeed: 1, framingType: 1 } },
  {
    type: 'CDN',
    values: {
      resultCode: { result: 3 },
      assignedSessionId: 5,
      q931CauseCode: { cause: 16, message: 3, advisory: 'normal' },
    },
  },
  {
    type: 'WEN',
    values: {
      callErrors: {
        crcErrors: 1,
        framingErrors: 2,
        hardwareOverruns: 3,
        bufferOverruns: 4,
        timeoutErrors: 5,
        alignmentErrors: 6,
      },
    },
  },
  { type: 'SLI', values: { accm: { send: 0, receive: 0xffff_ffff } } },
];
