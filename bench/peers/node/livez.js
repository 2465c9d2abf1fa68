// SPDX-License-Identifier: Apache-2.0
// The smallest useful Fastify server: one route, one JSON answer with a schema, no log.
//   node livez.js PORT
import Fastify from 'fastify';

const app = Fastify({ logger: false });

app.get('/livez', {
  schema: { response: { 200: { type: 'object', properties: { status: { type: 'string' } } } } },
}, async () => ({ status: 'ok' }));

await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
