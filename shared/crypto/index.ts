export { AEAD_NONCE_OCTETS, AEAD_TAG_OCTETS, aeadOpen, aeadSeal } from './aead.ts';
export { bootKat, type KatReport } from './boot-kat.ts';
export {
  type CbcCipher,
  type CbcResult,
  cbcBlockOctets,
  cbcKeyOctets,
  decryptCbc,
  encryptCbc,
} from './cbc.ts';
export { CHAP_RESPONSE_OCTETS, chapResponse, verifyChapResponse } from './chap.ts';
export { type ClusterKey, KeyFileRefused, loadOrCreateKeyFile } from './cluster-key.ts';
export {
  checkPublicValue,
  DH_GROUPS,
  type DhAgreement,
  type DhFault,
  type DhGroup,
  DhKey,
  type DhResponse,
  generateDhKey,
  isDhGroup,
  publicValueOctets,
  respondDh,
} from './diffie-hellman.ts';
export {
  type HidingKey,
  hideAvp,
  revealAvp,
  tunnelAuthResponse,
  verifyTunnelAuthResponse,
} from './hidden-avp.ts';
export {
  hash1,
  hash2,
  hash3,
  hashI,
  hashR,
  informationalHash,
  type MainModeTranscript,
} from './isakmp-hashes.ts';
export {
  type Cookies,
  encryptionKey,
  initialIv,
  type KeymatInput,
  keymat,
  natDetectionHash,
  phase2Iv,
  type Skeyids,
  skeyidOfPsk,
  skeyids,
} from './isakmp-keys.ts';
export {
  authenticatorResponse,
  challengeHash,
  MS_CHAP_CHALLENGE_OCTETS,
  type MsChapExchange,
  NT_HASH_OCTETS,
  NT_RESPONSE_OCTETS,
  ntPasswordHash,
  ntResponse,
  verifyAuthenticatorResponse,
  verifyNtResponse,
} from './ms-chap-v2.ts';
export { digest, type HashName, hashOctets, prf } from './prf.ts';
export { secretRandom, systemEntropy } from './random.ts';
export { createSealer, type OctetSealer, papPasswordPlace, placeOf, SealBroken } from './sealer.ts';
export { constantTimeEqual, type KeyOctets, octetsOf, Secret } from './secret.ts';
export { shardKeyOf, shardOfCookie } from './shard-of-cookie.ts';
export { type Algorithm, AlgorithmRefused, isUsable } from './usable.ts';
