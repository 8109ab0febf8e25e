import { connects, labOf, rekeys, traced } from './dial-in.ts';
import { libreswan } from './lab/libreswan.ts';

const lab = labOf('libreswan', 'openssl');

connects(lab, libreswan, 'outside', 'aes256-sha1');
traced(lab);
connects(lab, libreswan, 'lan', 'aes_gcm256');
rekeys(lab, libreswan);
