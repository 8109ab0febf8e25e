/**
 * Takes OTLP over HTTP as JSON and appends each span to a file, a line of JSON each.
 *
 *   node otlp-receiver.ts PORT FILE
 */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface SpanExport {
  readonly attributes?: readonly Attribute[];
}

interface TraceExport {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly SpanExport[] }[];
  }[];
}

const [port = '4318', file = '/dev/stdout'] = process.argv.slice(2);

createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.setHeader('content-type', 'application/json').end('{}');
  if (request.url !== '/v1/traces') return;
  const body = JSON.parse(Buffer.concat(chunks).toString()) as TraceExport;
  for (const { resource, scopeSpans = [] } of body.resourceSpans ?? []) {
    const service = resource?.attributes?.find(({ key }) => key === 'service.name')?.value.stringValue;
    for (const { spans = [] } of scopeSpans) {
      for (const span of spans) {
        const said = (span.attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? '']);
        appendFileSync(
          file,
          `${JSON.stringify({ ...span, service, attributes: Object.fromEntries(said) })}\n`,
        );
      }
    }
  }
}).listen(Number(port), '127.0.0.1');
