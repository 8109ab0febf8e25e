import { type Dial, type IpsecClient, MARGIN_SECONDS } from './client.ts';

/** Libreswan 4.10. It has no MODP1024 and asks for PFS in Quick Mode by default. */
export const libreswan: IpsecClient = {
  name: 'Libreswan',
  files: (dial: Dial) => ({
    '/etc/ipsec.lab.conf': `config setup
  # IKEv1 is off since 4.7.
  ikev1-policy = accept
  logfile = /var/log/pluto.log

conn culvert
  ikev2 = no
  type = transport
  authby = secret
  ike = aes256-sha2_256;modp2048,aes256-sha1;modp2048
  esp = ${dial.esp ?? 'aes256-sha1,aes128-sha1'}
  left = %defaultroute
  leftprotoport = 17/1701
  right = ${dial.gateway}
  rightprotoport = 17/1701
  ikelifetime = ${dial.ikeLifetime ?? 28_800}s
  salifetime = ${dial.espLifetime ?? 3_600}s
  rekeymargin = ${MARGIN_SECONDS}s
  rekeyfuzz = 0%
  dpddelay = 30
  dpdtimeout = 120
  auto = add
`,
    '/etc/ipsec.lab.secrets': `%any ${dial.gateway} : PSK "${dial.psk}"\n`,
  }),
  // Its files are laid over strongSwan's: see guest/build.
  start: `tar -P -xf /opt/libreswan.tar
    cp /etc/ipsec.lab.conf /etc/ipsec.conf
    cp /etc/ipsec.lab.secrets /etc/ipsec.secrets
    mkdir -p /var/lib/ipsec/nss
    ipsec initnss >/dev/null 2>&1
    ipsec pluto --config /etc/ipsec.conf
    for i in $(seq 100); do ipsec auto --add culvert >/dev/null 2>&1 && exit 0; sleep 0.1; done
    ipsec auto --add culvert`,
  // Its status may be 0 without a tunnel, so the SA itself is asked for.
  up: `ipsec auto --up culvert
    ipsec whack --trafficstatus | grep -q culvert`,
  down: 'ipsec auto --down culvert',
  log: '/var/log/pluto.log',
  isakmpSaUp: 'ISAKMP SA established\\|IKE SA established',
  ipsecSaUp: 'IPsec SA established',
};
