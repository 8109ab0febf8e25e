import type { Path } from '@culvert/actors-ike';
import type { IkePacket } from '@culvert/contracts';
import type { SessionView } from '@culvert/host';
import type { IsakmpHeader } from '@culvert/wire/ike';
import type { Keeping } from './keeping.ts';
import type { IkeVault } from './vault.ts';

/** A datagram on its way to becoming a fact. */
export interface Opening {
  readonly keeping: Keeping;
  readonly view: SessionView<IkeVault>;
  readonly octets: Uint8Array;
  readonly header: IsakmpHeader;
  readonly packet: IkePacket;
  readonly path: Path;
  /** Our cookie in hexadecimal. */
  readonly isakmpSa: string;
  readonly request: string;
}
