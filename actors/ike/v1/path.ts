/** A transport address in text form. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where a message came from, and so where its answer goes: RFC 3947 §4 has IKE move from port 500 to 4500. */
export interface Path {
  /** The node whose edge received it. */
  readonly node: string;
  readonly listener: string;
  readonly flow: { readonly local: Endpoint; readonly remote: Endpoint };
  readonly nonEspMarker: boolean;
}

export function samePath(a: Path, b: Path): boolean {
  return (
    a.node === b.node &&
    a.nonEspMarker === b.nonEspMarker &&
    sameEndpoint(a.flow.local, b.flow.local) &&
    sameEndpoint(a.flow.remote, b.flow.remote)
  );
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}
