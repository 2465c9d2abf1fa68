// SPDX-License-Identifier: Apache-2.0
// Point reads of PostgreSQL as a user of node's pg would write them: a pool, a named statement, callers that await.
//   node pg_reads.js URL READS CONNECTIONS CALLERS      the table of sql_postgres_bench; prints ns a read
import pg from 'pg';

const [url, reads, connections, callers] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const rows = 100_000;
const pool = new pg.Pool({ connectionString: url, max: connections });

async function call(state) {
  while (state.left-- > 0) {
    const id = 1 + Math.floor(Math.random() * rows);
    const { rows: found } = await pool.query({
      name: 'find',
      text: 'SELECT id, title, body, created_at FROM rows WHERE id = $1',
      values: [id],
    });
    if (Number(found[0].id) !== id) throw new Error('read another row');
  }
}

async function run(count) {
  const state = { left: count };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: callers }, () => call(state)));
  return Number(process.hrtime.bigint() - start) / count;
}

await run(reads / 4);
console.log(Math.round(await run(reads)));
await pool.end();
