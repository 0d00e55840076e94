/** A proxy for sound over UDP that loses what it is told to, both ways; and pages whose sound goes another way than the stage says. */
import { createSocket } from 'node:dgram';

const HOST = '127.0.0.1';

/**
 * @param {number} port where it ends
 */
export async function lossy(port) {
  const front = createSocket('udp4');
  /** One socket for each client, so that answers find their way back. @type {Map<string, import('node:dgram').Socket>} */
  const backs = new Map();
  let [share, seed] = [0, 1];
  const lost = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32 < share;
  };
  front.on('message', (packet, { address, port: from }) => {
    const client = `${address}:${from}`;
    let back = backs.get(client);
    if (!back) {
      back = createSocket('udp4');
      back.on('message', (answer) => lost() || front.send(answer, from, address));
      back.on('error', () => {});
      backs.set(client, back);
    }
    if (!lost()) back.send(packet, port, HOST);
  });
  front.on('error', () => {});
  await new Promise((resolve) => front.bind(0, HOST, () => resolve(null)));
  return {
    port: front.address().port,
    /** @param {number} of one packet, 0 to 1 */
    lose: (of) => void (share = of),
    close: () => [front, ...backs.values()].forEach((socket) => socket.close()),
  };
}

/**
 * What a firewall does to a page's sound: it goes to these ports, whatever the stage's answer says.
 * @param {import('playwright-core').Page} page
 * @param {{ udp: number, tcp: number }} ports
 */
export const through = (page, ports) =>
  page.addInitScript(({ udp, tcp }) => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
      const sdp = description.sdp?.replace(/^(a=candidate:\S+ \d+ (udp|tcp) \d+ \S+) \d+ /gim, (_, start, by) => `${start} ${by.toLowerCase() === 'udp' ? udp : tcp} `);
      return Reflect.apply(set, this, [{ type: description.type, sdp }]);
    };
  }, ports);
