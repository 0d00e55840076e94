/** Debian's nginx with TLS in front of a server: the very block of docs/operators.md, with a certificate made for the test. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './server.js';

const run = promisify(execFile);
const DOCUMENTED = new URL('../../docs/operators.md', import.meta.url);

/** Port 443 where this machine lets us have it, else any. */
export async function httpsPort() {
  const probe = createServer();
  const free = await new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(443, '127.0.0.1', () => resolve(true));
  });
  await new Promise((resolve) => probe.close(resolve));
  return free ? 443 : freePort();
}

/**
 * @param {number} port
 * @param {{ square: number, relay: number, stage: number }} to
 */
export async function startProxy(port, to) {
  const place = await mkdtemp(join(tmpdir(), 'townsquare-nginx-'));
  const at = /** @param {string} name */ (name) => join(place, name);
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', at('key.pem'), '-out', at('cert.pem')]);
  const block = /```nginx\n([^]*?)```/.exec(await readFile(DOCUMENTED, 'utf8'))?.[1] ?? '';
  /** What an operator changes in the block. @type {[string, string][]} */
  const changes = [
    ['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
    ['server_name square.example;', 'server_name localhost;'],
    ['/etc/ssl/square.pem', at('cert.pem')],
    ['/etc/ssl/square.key', at('key.pem')],
    ['127.0.0.1:8080', `127.0.0.1:${to.square}`],
    ['127.0.0.1:8081', `127.0.0.1:${to.relay}`],
    ['127.0.0.1:10000', `127.0.0.1:${to.stage}`],
  ];
  const server = changes.reduce((text, [from, into]) => {
    if (!text.includes(from)) throw new Error(`docs/operators.md has no "${from}" in its block for nginx`);
    return text.replace(from, into);
  }, block);
  const spool = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at(name)};`).join(' ');
  // Root's nginx gives its workers away to somebody who may not read this directory.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  await writeFile(at('nginx.conf'), `daemon off; ${user} pid ${at('pid')}; error_log ${at('errors')} warn; events {} http { access_log off; ${spool}\n${server}\n}`);
  const nginx = spawn('/usr/sbin/nginx', ['-p', place, '-e', at('errors'), '-c', at('nginx.conf')], { stdio: 'ignore' });
  const stopped = new Promise((resolve) => nginx.once('exit', resolve));
  return {
    /** What nginx complained of. */
    errors: () => readFile(at('errors'), 'utf8').catch(() => ''),
    stop: async () => {
      nginx.kill('SIGTERM');
      await stopped;
      await rm(place, { recursive: true, force: true });
    },
  };
}
