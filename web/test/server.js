/** A real server for the tests: the built binary, a data directory of its own, random ports, and nothing left behind. */
import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const binary = process.env.TOWNSQUARE_BIN ?? '';
export const results = fileURLToPath(new URL('results/', import.meta.url));
await mkdir(results, { recursive: true });
const READY_MILLIS = 60_000;
const STOP_MILLIS = 10_000;
const CLI_MILLIS = 60_000;
/** Below the ports that the system takes for connections, which come and go by the thousand beside a crowd (ip_local_port_range). */
const [PORT_MIN, PORT_MAX] = [10_000, 32_000];

/** @typedef {{ id: string, page: string, stage: string, whip: { url: string, token: string }, listen: { stream: string, hls: string } }} Event */

/**
 * Waits for something to be there.
 * @param {() => Promise<unknown>} there
 * @param {string} what
 */
export async function until(there, what) {
  for (const end = Date.now() + 2 * READY_MILLIS; !(await there()); await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (Date.now() > end) throw new Error(`${what} does not come`);
  }
}

/** A port that nobody has. @returns {Promise<number>} */
export async function freePort() {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/**
 * A wire to a port that can be cut: bytes stop on it without a word, as they do when a phone loses its network. It counts what
 * comes through it from the far end, and is as slow as it is told to be.
 * @param {number} port where it ends
 */
export async function wire(port) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  let whole = true;
  let [passed, rate, freeAt] = [0, Infinity, 0];
  /** @type {{ at: number, passed: number }[]} */
  const passing = [];
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', onread: { buffer: Buffer.alloc(16_384), callback: (length, buffer) => arrived(Buffer.from(buffer.subarray(0, length))) } });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        if (whole) (near.destroy(), far.destroy());
      });
    }
    near.on('data', (bytes) => whole && far.write(bytes));
    /** @param {Buffer} bytes @returns whether more may come at once */
    const arrived = (bytes) => {
      if (!whole) return true;
      near.write(bytes);
      passed += bytes.length;
      const now = Date.now();
      passing.push({ at: now, passed });
      freeAt = Math.max(freeAt, now) + (bytes.length / rate) * 1000;
      if (freeAt <= now) return true;
      setTimeout(() => far.resume(), freeAt - now);
      return false;
    };
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  const drop = () => sockets.forEach((socket) => socket.destroy());
  return {
    port: address && typeof address === 'object' ? address.port : 0,
    /** Bytes that had come through from the far end. @param {number} [at] by then */
    passed: (at = Infinity) => passing.findLast((step) => step.at <= at)?.passed ?? 0,
    /** @param {number} bytesPerSecond all connections together */
    slow: (bytesPerSecond) => void (rate = bytesPerSecond),
    cut: () => void (whole = false),
    mend: () => {
      whole = true;
    },
    close: () => {
      drop();
      server.close();
    },
  };
}

/**
 * @param {string} [front] where people reach square, relay and stage when something stands in front of them
 * @param {number} [at] the square's own port
 */
export async function startServer(front, at) {
  if (!binary) throw new Error('TOWNSQUARE_BIN names the built binary: bin/test sets it');
  const data = await mkdtemp(join(tmpdir(), 'townsquare-web-'));
  const [square, relay, stage, internal] = await Promise.all([at ?? freePort(), freePort(), freePort(), freePort()]);
  const on = /** @param {number} port */ (port) => `127.0.0.1:${port}`;
  const air = await wire(relay);
  const urls = front ? ['--public-url', front, '--relay-public-url', front, '--stage-public-url', front] : ['--relay-public-url', `http://localhost:${air.port}`];
  const addresses = ['--listen', on(square), '--relay-listen', on(relay), '--stage-listen', on(stage), '--internal-listen', on(internal), ...urls];
  let said = '';
  // Links and cookies are the public address's, which names the host.
  const behind = `http://localhost:${square}`;

  const begin = () => {
    const process = spawn(binary, ['serve', '--data', data, ...addresses], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [process.stdout, process.stderr]) stream.on('data', (text) => (said = (said + text).slice(-200_000)));
    const stopped = new Promise((resolve) => process.once('exit', resolve));
    process.once('exit', (code, signal) => (said += `\nthe server ended: code ${code}, signal ${signal}\n`));
    return { process, stopped };
  };
  let server = begin();

  const ready = async () => {
    const until = Date.now() + READY_MILLIS;
    while (!(await fetch(behind).then((answer) => answer.ok, () => false))) {
      if (server.process.exitCode !== null || Date.now() > until) throw new Error(`the server is not ready:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  const finish = async () => {
    server.process.kill('SIGTERM');
    const timer = setTimeout(() => server.process.kill('SIGKILL'), STOP_MILLIS);
    await server.stopped;
    clearTimeout(timer);
  };

  const cli = /** @param {...string} args */ async (...args) => {
    const { stdout } = await run(binary, [...args, '--data', data, '--json'], { timeout: CLI_MILLIS });
    return JSON.parse(stdout.trim().split('\n').pop() ?? '{}');
  };

  const stop = async () => {
    // What the server said stays beside the screenshots, for whoever looks into a failure, its end with it.
    air.close();
    await finish();
    await writeFile(join(results, `server-${process.pid}.log`), said);
    // Roles outlive a supervisor on purpose; what a test leaves behind it ends itself, by the process files alone.
    const files = await readdir(join(data, 'run')).catch(() => []);
    for (const file of files.filter((name) => name.endsWith('.pid'))) {
      const pid = Number(await readFile(join(data, 'run', file), 'utf8').catch(() => '0'));
      if (pid > 1) await end(pid, data);
    }
    await rm(data, { recursive: true, force: true });
  };

  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    base: front ?? behind,
    data,
    ports: { square, relay, stage, internal },
    /** The way of the sound to the listeners. */
    air,
    cli,
    stop,
    /** Stops the server, lets something be done to its data directory and starts it again. @param {(data: string) => Promise<void>} between */
    restart: async (between) => {
      await finish();
      await between(data);
      server = begin();
      await ready();
    },
    said: () => said,
    /** The process of a role as its file says now. @param {string} role */
    pid: async (role) => Number(await readFile(join(data, 'run', `${role}.pid`), 'utf8').catch(() => '0')),
    /** Kills a role without a word to it and waits until another process has its place. @param {string} role */
    kill: async (role) => {
      const file = join(data, 'run', `${role}.pid`);
      const pid = Number(await readFile(file, 'utf8'));
      process.kill(pid, 'SIGKILL');
      const at = Date.now();
      while ([0, pid].includes(Number(await readFile(file, 'utf8').catch(() => '0')))) {
        if (Date.now() - at > READY_MILLIS) throw new Error(`${role} does not come back`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return at;
    },
    /** @param {string} title @param {...string} more @returns {Promise<Event>} */
    event: (title, ...more) => cli('event', 'create', '--title', title, ...more),
    /** @param {string} name @param {string} role @returns {Promise<string>} */
    signInLink: async (name, role) => Object.values(await cli('account', 'create', name, '--role', role)).find((value) => String(value).includes('/sign-in/')),
  };
}

/**
 * @param {number} pid
 * @param {string} data
 */
async function end(pid, data) {
  // A number may be another process by now: only one that was started for this directory is ended.
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  if (environment.includes(data)) process.kill(pid, 'SIGKILL');
}
