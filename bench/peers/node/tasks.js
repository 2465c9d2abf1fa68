// SPDX-License-Identifier: Apache-2.0
// The tasks API as a Fastify user would write it: node:sqlite, @fastify/jwt (HS256), schemas on the way in and out.
//   node tasks.js PORT DATABASE [USERS TASKS_PER_USER PATHS_READ PATHS_LIST]
// With the last four it fills an empty database first, and writes request lines for bench/load: PATH<tab>header.
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import jwt from '@fastify/jwt';
import Fastify from 'fastify';

const [port, file, users, tasksPerUser, pathsRead, pathsList] = process.argv.slice(2);

const db = new DatabaseSync(file);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER,
    labels TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tasks_by_user ON tasks (user_id, due_at);
`);

const findTask = db.prepare('SELECT * FROM tasks WHERE id = ? AND user_id = ?');
const listTasks = db.prepare(
  'SELECT * FROM tasks WHERE user_id = ? AND status = ? ORDER BY due_at DESC, title LIMIT ? OFFSET ?');
const countTasks = db.prepare('SELECT count(*) AS total FROM tasks WHERE user_id = ? AND status = ?');
const insertTask = db.prepare(`
  INSERT INTO tasks (id, user_id, title, description, status, due_at, labels, created_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);

const toTask = (row) => ({
  id: row.id,
  title: row.title,
  description: row.description,
  status: row.status,
  due_at: row.due_at === null ? null : new Date(row.due_at).toISOString(),
  labels: JSON.parse(row.labels),
  created_at: new Date(row.created_at).toISOString(),
  updated_at: new Date(row.updated_at).toISOString(),
  version: row.version,
});

const text = { type: 'string' };
const status = { type: 'string', enum: ['todo', 'in_progress', 'done'] };
const task = {
  type: 'object',
  properties: {
    id: text, title: text, description: text, status,
    due_at: { type: ['string', 'null'] },
    labels: { type: 'array', items: text },
    created_at: text, updated_at: text, version: { type: 'integer' },
  },
};
const list = {
  type: 'object',
  properties: {
    data: { type: 'array', items: task },
    pagination: {
      type: 'object',
      properties: {
        total: { type: 'integer' }, page: { type: 'integer' }, limit: { type: 'integer' },
        total_pages: { type: 'integer' }, has_next: { type: 'boolean' }, has_previous: { type: 'boolean' },
      },
    },
    links: { type: 'object', additionalProperties: text },
  },
};

const app = Fastify({ logger: false });
await app.register(jwt, { secret: randomBytes(32).toString('hex') });
const authenticated = { onRequest: (request) => request.jwtVerify() };

app.get('/v1/tasks/:id', {
  ...authenticated,
  schema: { params: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } }, response: { 200: task } },
}, async (request, reply) => {
  const row = findTask.get(request.params.id, request.user.sub);
  if (!row) return reply.code(404).send({ code: 'task_not_found' });
  reply.header('etag', `"${row.version}"`);
  return toTask(row);
});

app.get('/v1/tasks', {
  ...authenticated,
  schema: {
    querystring: {
      type: 'object',
      properties: {
        page: { type: 'integer', minimum: 1, default: 1 },
        limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
        status,
        sort: { type: 'string', enum: ['-due_at,title'] },
      },
    },
    response: { 200: list },
  },
}, async (request) => {
  const { page, limit } = request.query;
  const rows = listTasks.all(request.user.sub, request.query.status, limit, (page - 1) * limit);
  const { total } = countTasks.get(request.user.sub, request.query.status);
  const pages = Math.max(1, Math.ceil(total / limit));
  const link = (number) => {
    const query = new URLSearchParams({ ...request.query, page: number });
    return `/v1/tasks?${query}`;
  };
  const links = { self: link(page), first: link(1), last: link(pages) };
  if (page < pages) links.next = link(page + 1);
  if (page > 1) links.previous = link(page - 1);
  return {
    data: rows.map(toTask),
    pagination: { total, page, limit, total_pages: pages, has_next: page < pages, has_previous: page > 1 },
    links,
  };
});

await app.ready();
if (users) fill(Number(users), Number(tasksPerUser));
await app.listen({ host: '127.0.0.1', port: Number(port) });

function fill(userCount, perUser) {
  const read = [];
  const listing = [];
  const now = Date.now();
  db.exec('BEGIN');
  for (let u = 0; u < userCount; ++u) {
    const user = randomUUID();
    const header = `Authorization: Bearer ${app.jwt.sign({ sub: user, scope: 'tasks:read tasks:write' })}`;
    listing.push(`/v1/tasks?status=todo&sort=-due_at,title&limit=20\t${header}`);
    for (let t = 0; t < perUser; ++t) {
      const id = randomUUID();
      insertTask.run(id, user, `Task ${t} of user ${u}`, `What there is to say about task ${t}, in a sentence or two.`,
        ['todo', 'in_progress', 'done'][t % 3], now + t * 3600e3, '["home","errands"]', now, now);
      read.push(`/v1/tasks/${id}\t${header}`);
    }
  }
  db.exec('COMMIT');
  for (let i = read.length - 1; i > 0; --i) {
    const j = Math.floor(Math.random() * (i + 1));
    [read[i], read[j]] = [read[j], read[i]];
  }
  writeFileSync(pathsRead, read.slice(0, 20000).join('\n') + '\n');
  writeFileSync(pathsList, listing.join('\n') + '\n');
}
