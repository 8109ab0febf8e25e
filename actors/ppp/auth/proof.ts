/** What Culvert may demand of a peer, by the names of configuration and contracts. */
export type AuthMethod = 'ms-chap-v2' | 'chap-md5' | 'pap';

/** What the peer showed, as on the wire but for the PAP password, which no fact may hold in the clear. */
export type Proof =
  | { readonly method: 'pap'; readonly sealedPassword: Uint8Array }
  | {
      readonly method: 'chap-md5';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly response: Uint8Array;
    }
  | {
      readonly method: 'ms-chap-v2';
      readonly authenticatorChallenge: Uint8Array;
      readonly peerChallenge: Uint8Array;
      readonly ntResponse: Uint8Array;
    };
