// A process of its own for opening images, one after the other, as opener-process.ts tells it: what is on a disk that lied may
// end whoever opens it.
import { checkClaims } from './claims.ts';
import type { Order } from './opener-process.ts';

let claims: Extract<Order, { kind: 'toClients' | 'toPeers' }> | undefined;

process.on('message', (order: Order) => {
  if (order.kind !== 'image') {
    claims = order;
    return;
  }
  if (claims === undefined) throw new Error('an image came before what its node had said');
  checkClaims(claims, order).then(
    (verdict) => process.send?.(verdict),
    (error: unknown) => {
      console.error(error);
      process.exit(2);
    },
  );
});
process.on('disconnect', () => process.exit(0));
