import { cipherOf, connects, labOf, rekeys, sealedBy, traced } from './dial-in.ts';
import { libreswan } from './lab/libreswan.ts';

const cipher = cipherOf('openssl');
const lab = labOf('libreswan', { edge: { cipher } });

sealedBy(lab, cipher);
connects(lab, libreswan, 'outside', 'aes256-sha1');
traced(lab);
connects(lab, libreswan, 'lan', 'aes_gcm256');
rekeys(lab, libreswan);
