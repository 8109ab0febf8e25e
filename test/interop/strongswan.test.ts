import { cipherOf, connects, labOf, rekeys, sealedBy, traced } from './dial-in.ts';
import { strongswan } from './lab/strongswan.ts';

const cipher = cipherOf('auto');
const lab = labOf('strongswan', { edge: { cipher } });

sealedBy(lab, cipher);
connects(lab, strongswan, 'outside', 'aes256-sha1');
traced(lab);
connects(lab, strongswan, 'lan', 'aes128gcm16');
rekeys(lab, strongswan);
