import { expect, test } from 'vitest';
import { connect } from './connect.ts';

const good = 'http://127.0.0.1:7401';

test.each(['localhost:7402', '127.0.0.1:7402', 'ftp://127.0.0.1:7402', 'http://127.0.0.1:7402/holdfast', ''])(
  'the address %j is refused at once, and not by every call that comes to it',
  (node) => {
    expect(() => connect({ nodes: [good, node] })).toThrow(`"${node}" is no address of a node: say http://host:port`);
  },
);

test.each([good, `${good}/`, 'https://[::1]:7401', 'http://n1.example'])('the address %j is taken', async (node) => {
  await connect({ nodes: [good, node] }).close();
});
