import { type Dial, type IpsecClient, MARGIN_SECONDS } from './client.ts';

/** strongSwan 5.9 by its starter, as NetworkManager-l2tp uses it. */
export const strongswan: IpsecClient = {
  name: 'strongSwan',
  files: (dial: Dial) => ({
    '/etc/ipsec.conf': `config setup

conn culvert
  keyexchange = ikev1
  type = transport
  authby = psk
  # By itself 5.9 offers IKEv1 only Curve25519, which RFC 2409's registry does not have.
  ike = aes256-sha256-modp2048,aes256-sha1-modp2048!
  esp = ${dial.esp ?? 'aes256-sha1,aes128-sha1'}!
  left = %defaultroute
  leftprotoport = 17/1701
  right = ${dial.gateway}
  rightprotoport = 17/1701
  ikelifetime = ${dial.ikeLifetime ?? 10_800}s
  lifetime = ${dial.espLifetime ?? 3_600}s
  margintime = ${MARGIN_SECONDS}s
  rekeyfuzz = 0%
  dpdaction = clear
  dpddelay = 30s
  auto = add
`,
    '/etc/ipsec.secrets': `%any ${dial.gateway} : PSK "${dial.psk}"\n`,
    '/etc/strongswan.d/lab.conf': `charon {
  filelog {
    lab {
      path = /var/log/charon.log
      time_format = %T
      flush_line = yes
      default = 1
      ike = 2
      knl = 1
    }
  }
  # These would change routes and marks under a transport-mode client.
  plugins {
    bypass-lan {
      load = no
    }
    connmark {
      load = no
    }
  }
}
`,
  }),
  start: `ipsec start && for i in $(seq 100); do ipsec statusall 2>/dev/null | grep -q 'culvert:' && exit 0
    sleep 0.1; done; exit 1`,
  up: 'ipsec up culvert',
  down: 'ipsec down culvert',
  log: '/var/log/charon.log',
  isakmpSaUp: 'IKE_SA culvert.* established between',
  ipsecSaUp: 'CHILD_SA culvert.* established with SPIs',
};
